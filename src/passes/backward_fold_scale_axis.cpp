// A scale behind a convolution or dense layer moves back into its weight (relay_quantize.md 2.4).
//
//   conv2d(x, w) * S                 ->  conv2d(x, w * S')
//   relu(conv2d(x, w) + B) * S       ->  relu(conv2d(x, w * S') + B * S)          if S >= 0
//   bias_add(conv2d(x, w), b) * S    ->  bias_add(conv2d(x, w * S'), b * s)
//   (conv2d(x, w) + dense-like) * S  ->  both sides are scaled
//
// s is S with one dimension per channel axis; S' is s along the output channels of w.
//
// Two steps. Messages travel forward: a layer that can absorb a scale of its output says so, relu,
// add, subtract and bias_add hand it on, and a value with more than one consumer keeps silent. Then
// every multiply whose left operand (else its right one) has a message disappears, and its scale
// is pushed down along the messages.
#include <optional>
#include <vector>

#include "passes/calls.h"
#include "passes/mutation.h"
#include "passes/passes.h"
#include "passes/scale_axis.h"

namespace tvmq::passes {
namespace {

using namespace ir;

using Messages = std::vector<std::optional<ScaleMessage>>;  // by source node

class BackwardMessages {
 public:
  BackwardMessages(const Graph& graph, ScaleFolding folding)
      : graph_(graph), folding_(folding), messages_(graph.size()) {}

  Messages collect() && {
    const std::vector<std::uint32_t> uses = use_counts(graph_);
    for (const NodeId id : post_order(graph_, graph_.output())) {
      if (graph_[id].kind == NodeKind::kCall && uses[id] == 1) messages_[id] = message_of(id);
    }
    return std::move(messages_);
  }

 private:
  [[nodiscard]] std::optional<ScaleMessage> message_of(NodeId id) const {
    const Node& node = graph_[id];
    switch (node.op) {
      case Op::kConv2D:
      case Op::kConv3D:
      case Op::kDense: {
        const std::optional<Absorber> layer = absorber(graph_, id, folding_);
        if (!layer || layer->output_axes.empty()) return std::nullopt;
        return ScaleMessage{.axes = layer->output_axes};
      }
      case Op::kRelu:
      case Op::kLeakyRelu: {
        std::optional<ScaleMessage> message = messages_[node.inputs[0]];
        if (message) message->positive_only = true;
        return message;
      }
      case Op::kAdd:
      case Op::kSubtract:
        return message_of_sum(node);
      case Op::kBiasAdd: {
        const std::optional<ScaleMessage>& message = messages_[node.inputs[0]];
        const bool along_bias =
            message && message->axes == IntList{node.attrs_as<BiasAddAttrs>().axis};
        return along_bias ? message : std::nullopt;
      }
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<ScaleMessage> message_of_sum(const Node& sum) const {
    const TensorType* left = tensor_type_of(graph_, sum.inputs[0]);
    const TensorType* right = tensor_type_of(graph_, sum.inputs[1]);
    if (left == nullptr || right == nullptr) return std::nullopt;
    const std::optional<ScaleMessage>& from_left = messages_[sum.inputs[0]];
    const std::optional<ScaleMessage>& from_right = messages_[sum.inputs[1]];
    // Both sides will be scaled by the one scale; TVM aborts if their axes differ.
    if (from_left && from_right && from_left->axes != from_right->axes) return std::nullopt;

    const bool right_follows = from_left && axes_to_squeeze(*left, *right, from_left->axes);
    const bool left_follows = from_right && axes_to_squeeze(*right, *left, from_right->axes);
    const bool alike = from_left && from_right && left->shape == right->shape;
    std::optional<ScaleMessage> message;
    if (right_follows || (alike && !left_follows)) {
      message = from_left;  // where they are alike, TVM forgets whether the right one has a relu
    } else if (left_follows) {
      message = from_right;
    }
    if (message && from_left && from_right && folding_ == ScaleFolding::kSafe) {
      message->positive_only = from_left->positive_only || from_right->positive_only;
    }
    return message;
  }

  const Graph& graph_;
  ScaleFolding folding_;
  Messages messages_;
};

class ScalePusher {
 public:
  ScalePusher(Mutation& mutation, const Messages& messages, ScaleFolding folding)
      : mutation_(mutation), messages_(messages), folding_(folding) {}

  /// What a multiply becomes if its scale can be pushed down.
  std::optional<NodeId> fold(const Node& multiply) {
    const NodeId left = multiply.inputs[0];
    const NodeId right = multiply.inputs[1];
    if (messages_[left]) return push(left, right);
    if (messages_[right]) return push(right, left);
    return std::nullopt;
  }

 private:
  /// The scale is the source's own expression, not what it was rewritten to.
  std::optional<NodeId> push(NodeId value, NodeId factor) {
    const Graph& source = mutation_.source();
    const ScaleMessage& message = *messages_[value];
    const TensorType* value_type = tensor_type_of(source, value);
    const TensorType* factor_type = tensor_type_of(source, factor);
    if (value_type == nullptr || factor_type == nullptr) return std::nullopt;
    const std::optional<NodeId> scale =
        scale_along_axes(mutation_.pool(), *value_type, *factor_type, message.axes, factor);
    if (!scale || !allows(message, mutation_.pool(), *scale, folding_)) return std::nullopt;

    const std::vector<NodeId> scaled = values_to_scale(value);
    for (auto id = scaled.rbegin(); id != scaled.rend(); ++id) {
      mutation_.replace(*id, scaled_node(*id, *scale));
    }
    return mutation_[value];
  }

  /// The nodes that carry the message from `value` down to the layers, users before operands.
  [[nodiscard]] std::vector<NodeId> values_to_scale(NodeId value) const {
    const Graph& source = mutation_.source();
    std::vector<NodeId> found{value};
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Node& node = source[found[i]];
      if (node.op == Op::kConv2D || node.op == Op::kConv3D || node.op == Op::kDense) continue;
      const std::size_t operands = node.op == Op::kBiasAdd ? 1 : node.inputs.size();
      for (std::size_t k = 0; k < operands; ++k) {
        if (messages_[node.inputs[k]]) found.push_back(node.inputs[k]);
      }
    }
    return found;
  }

  /// One of them, scaled; the operands that carry the message are scaled already.
  NodeId scaled_node(NodeId id, NodeId scale) {
    const Graph& source = mutation_.source();
    const Node& node = source[id];
    Graph& pool = mutation_.pool();
    std::vector<NodeId> inputs;
    for (const NodeId each : node.inputs) inputs.push_back(mutation_[each]);
    switch (node.op) {
      case Op::kConv2D:
      case Op::kConv3D:
      case Op::kDense:
        inputs[1] = scaled_weight(pool, inputs[1], source[node.inputs[1]].tensor_type(),
                                  absorber(source, id, folding_)->weight_output_axes, scale);
        break;
      case Op::kBiasAdd:
        inputs[1] = binary(pool, Op::kMultiply, inputs[1], scale);
        break;
      case Op::kAdd:
      case Op::kSubtract:
        for (const std::size_t other : {std::size_t{0}, std::size_t{1}}) {
          if (messages_[node.inputs[other]]) continue;
          const Shape& shape = source[node.inputs[1 - other]].tensor_type().shape;
          const NodeId factor = scale_for_broadcast(pool, scale, shape, messages_[id]->axes);
          inputs[other] = binary(pool, Op::kMultiply, inputs[other], factor);
        }
        break;
      default:  // relu, leaky_relu
        break;
    }
    return mutation_.rebuild(id, std::move(inputs));
  }

  Mutation& mutation_;
  const Messages& messages_;
  ScaleFolding folding_;
};

}  // namespace

Graph backward_fold_scale_axis(const Graph& graph, ScaleFolding folding) {
  const Messages messages = BackwardMessages(graph, folding).collect();
  Mutation mutation(graph);
  ScalePusher pusher(mutation, messages, folding);
  for (const NodeId id : post_order(graph, graph.output())) {
    std::optional<NodeId> folded;
    if (graph[id].is_call(Op::kMultiply)) folded = pusher.fold(graph[id]);
    mutation.replace(id, folded ? *folded : mutation.rebuild(id));
  }
  return std::move(mutation).finish();
}

}  // namespace tvmq::passes
