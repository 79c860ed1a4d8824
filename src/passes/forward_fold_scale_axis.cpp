// A scale before convolutions and dense layers moves on into their weights (relay_quantize.md 2.4).
//
//   conv2d(x * S, w)                ->  conv2d(x, w * S')
//   conv2d(relu(x * S + B), w)      ->  conv2d(relu(x + B / S), w * S')            if S >= 0
//
// s is S with one dimension per channel axis; S' is s along the input channels of w (the output
// channels if it is depthwise).
//
// Two steps. Messages travel backward, from users to operands: a layer that can absorb a scale of
// its input says so, relu, add and subtract hand it on, everything else forbids it; a value gets
// what all its users agree on. Then the graph is rewritten forward: a multiply with a message
// becomes its data with a pending scale, which its users carry on until a layer takes it.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <vector>

#include "passes/calls.h"
#include "passes/mutation.h"
#include "passes/passes.h"
#include "passes/scale_axis.h"

namespace tvmq::passes {
namespace {

using namespace ir;

using MaybeMessage = std::optional<ScaleMessage>;
using Messages = std::vector<MaybeMessage>;  // by source node

class ForwardMessages {
 public:
  ForwardMessages(const Graph& graph, ScaleFolding folding)
      : graph_(graph), folding_(folding), messages_(graph.size()), seen_(graph.size(), false) {}

  Messages collect() && {
    send(graph_.output(), std::nullopt);
    std::vector<NodeId> order = post_order(graph_, graph_.output());
    std::reverse(order.begin(), order.end());
    for (const NodeId id : order) {
      const Node& node = graph_[id];
      const std::vector<MaybeMessage> sent = messages_to_operands(id);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        send(node.inputs[i], i < sent.size() ? sent[i] : std::nullopt);
      }
    }
    return std::move(messages_);
  }

 private:
  /// What all users agree on. Different axes never agree (TVM: their intersection).
  void send(NodeId to, const MaybeMessage& message) {
    MaybeMessage& known = messages_[to];
    if (!seen_[to]) {
      known = message;
      seen_[to] = true;
    } else if (!known || !message || known->axes != message->axes) {
      known.reset();
    } else {
      known->positive_only |= message->positive_only;
      known->as_divisor |= message->as_divisor;
    }
  }

  /// Nothing for the operands that are missing at the end.
  [[nodiscard]] std::vector<MaybeMessage> messages_to_operands(NodeId id) const {
    const Node& node = graph_[id];
    if (node.kind != NodeKind::kCall) return {};
    switch (node.op) {
      case Op::kConv2D:
      case Op::kConv3D:
      case Op::kDense: {
        const std::optional<Absorber> layer = absorber(graph_, id, folding_);
        if (!layer || layer->data_axes.empty()) return {};
        return {ScaleMessage{.axes = layer->data_axes}};
      }
      case Op::kRelu:
      case Op::kLeakyRelu: {
        MaybeMessage message = messages_[id];
        if (message) message->positive_only = true;
        return {message};
      }
      case Op::kAdd:
      case Op::kSubtract:
        return messages_to_terms(id);
      default:
        return {};
    }
  }

  /// The scale can be taken from one term, if the other one can be divided by it.
  [[nodiscard]] std::vector<MaybeMessage> messages_to_terms(NodeId id) const {
    const Node& sum = graph_[id];
    MaybeMessage message = messages_[id];
    const TensorType* left = tensor_type_of(graph_, sum.inputs[0]);
    const TensorType* right = tensor_type_of(graph_, sum.inputs[1]);
    if (!message || left == nullptr || right == nullptr) return {};
    message->as_divisor = true;
    if (axes_to_squeeze(*left, *right, message->axes)) return {message, std::nullopt};
    if (axes_to_squeeze(*right, *left, message->axes)) return {std::nullopt, message};
    return {};
  }

  const Graph& graph_;
  ScaleFolding folding_;
  Messages messages_;
  std::vector<bool> seen_;
};

/// value * (scale along axes), not computed yet. Ids of the pool.
struct PendingScale {
  NodeId value;
  NodeId scale;
  IntList axes;
};

class ScaleCarrier {
 public:
  ScaleCarrier(Mutation& mutation, const Messages& messages, ScaleFolding folding)
      : mutation_(mutation), messages_(messages), folding_(folding) {}

  void visit(NodeId id) {
    const Node& node = mutation_.source()[id];
    if (node.kind == NodeKind::kCall && carry(id, node)) return;
    for (const NodeId each : node.inputs) {
      check(!pending_.contains(each), "only operators that asked for a scale get one");
    }
    if (node.kind == NodeKind::kTupleGetItem) {
      const Node& tuple = mutation_.pool()[mutation_.input(id, 0)];
      if (tuple.kind == NodeKind::kTuple) {
        mutation_.replace(id, tuple.inputs.at(static_cast<std::size_t>(node.index)));
        return;
      }
    }
    mutation_.replace(id, mutation_.rebuild(id));
  }

 private:
  [[nodiscard]] const PendingScale* pending(NodeId id) const {
    const auto found = pending_.find(id);
    return found == pending_.end() ? nullptr : &found->second;
  }

  /// Whether the call took a part in moving a scale; else it is to be rebuilt as usual.
  bool carry(NodeId id, const Node& node) {
    switch (node.op) {
      case Op::kMultiply:
        return messages_[id] && start(id, node, *messages_[id]);
      case Op::kRelu:
      case Op::kLeakyRelu: {
        const PendingScale* data = pending(node.inputs[0]);
        if (data == nullptr) return false;
        pending_[id] = {mutation_.rebuild(id, {data->value}), data->scale, data->axes};
        return true;
      }
      case Op::kAdd:
      case Op::kSubtract:
        return pass_sum(id, node);
      case Op::kConv2D:
      case Op::kConv3D:
      case Op::kDense:
        return absorb(id, node);
      default:
        return false;
    }
  }

  bool start(NodeId id, const Node& multiply, const ScaleMessage& message) {
    const Graph& source = mutation_.source();
    for (const std::size_t data : {std::size_t{0}, std::size_t{1}}) {
      const TensorType* value_type = tensor_type_of(source, multiply.inputs[data]);
      const TensorType* factor_type = tensor_type_of(source, multiply.inputs[1 - data]);
      if (value_type == nullptr || factor_type == nullptr) return false;
      const std::optional<NodeId> scale = scale_along_axes(
          mutation_.pool(), *value_type, *factor_type, message.axes, mutation_.input(id, 1 - data));
      if (scale && allows(message, mutation_.pool(), *scale, folding_)) {
        pending_[id] = {mutation_.input(id, data), *scale, message.axes};
        return true;
      }
    }
    return false;
  }

  bool pass_sum(NodeId id, const Node& sum) {
    for (const std::size_t data : {std::size_t{0}, std::size_t{1}}) {
      const PendingScale* found = pending(sum.inputs[data]);
      if (found == nullptr) continue;
      const PendingScale term = *found;
      const Shape& shape = mutation_.source()[sum.inputs[data]].tensor_type().shape;
      Graph& pool = mutation_.pool();
      const NodeId divisor = scale_for_broadcast(pool, term.scale, shape, term.axes);
      std::vector<NodeId> inputs(2);
      inputs[data] = term.value;
      inputs[1 - data] = binary(pool, Op::kDivide, mutation_.input(id, 1 - data), divisor);
      pending_[id] = {mutation_.rebuild(id, std::move(inputs)), term.scale, term.axes};
      return true;
    }
    return false;
  }

  bool absorb(NodeId id, const Node& layer) {
    const PendingScale* data = pending(layer.inputs[0]);
    if (data == nullptr) return false;
    const Graph& source = mutation_.source();
    const NodeId weight = scaled_weight(
        mutation_.pool(), mutation_.input(id, 1), source[layer.inputs[1]].tensor_type(),
        absorber(source, id, folding_)->weight_input_axes, data->scale);
    mutation_.replace(id, mutation_.rebuild(id, {data->value, weight}));
    return true;
  }

  Mutation& mutation_;
  const Messages& messages_;
  ScaleFolding folding_;
  std::unordered_map<NodeId, PendingScale> pending_;  // by source node
};

}  // namespace

Graph forward_fold_scale_axis(const Graph& graph, ScaleFolding folding) {
  const Messages messages = ForwardMessages(graph, folding).collect();
  const bool any = std::any_of(messages.begin(), messages.end(),
                               [](const MaybeMessage& each) { return each.has_value(); });
  if (!any) return graph;
  Mutation mutation(graph);
  ScaleCarrier carrier(mutation, messages, folding);
  for (const NodeId id : post_order(graph, graph.output())) carrier.visit(id);
  return std::move(mutation).finish();
}

}  // namespace tvmq::passes
