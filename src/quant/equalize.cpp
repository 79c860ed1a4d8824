#include "quant/equalize.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ir/infer_types.h"
#include "ir/rewrite.h"
#include "quant/equalize_factors.h"
#include "quant/integer_emit.h"

namespace tvmq::quant {
namespace {

using ir::Graph;
using ir::GraphRewriter;
using ir::Node;
using ir::NodeId;
using ir::Op;
using ir::Tensor;

using Users = std::vector<std::vector<NodeId>>;

bool is_depthwise(const Node& node) {
  const auto* attrs = std::get_if<ir::Conv2DAttrs>(&*node.attrs);
  return attrs != nullptr && attrs->groups > 1;
}

bool has_channels(const Node& node) {
  const auto* type = std::get_if<ir::TensorType>(&node.type);
  return type != nullptr && (type->shape.size() == 2 || type->shape.size() == 4);
}

/// Whether a stored step hands on every channel of its operand as the same channel, moved or
/// selected: a positive factor per channel commutes with it.
bool keeps_channels(const Graph& graph, const Node& node) {
  if (!has_channels(node)) return false;
  const auto& from = graph[node.inputs[0]].tensor_type().shape;
  const auto& to = node.tensor_type().shape;
  switch (node.op) {
    case Op::kMaxPool2D:
      return node.attrs_as<ir::MaxPool2DAttrs>().layout == "NCHW";
    case Op::kGlobalMaxPool2D:
      return node.attrs_as<ir::GlobalPool2DAttrs>().layout == "NCHW";
    case Op::kPad:
      return from[0] == to[0] && from[1] == to[1];
    case Op::kReshape:
    case Op::kBatchFlatten:
    case Op::kSqueeze: {
      const bool single = from.size() == 2 || (from[2] == 1 && from[3] == 1);
      return single && from[0] == to[0] && from[1] == to[1];
    }
    default:
      return false;
  }
}

/// Of every node the observed value whose elements it holds, channel by channel, if that value can
/// be equalized.
class Carriers {
 public:
  explicit Carriers(const IntegerPlan& plan)
      : plan_(plan), users_(ir::users(plan.graph)), value_(plan.graph.size()) {
    for (const NodeId id : plan.observed) {
      const Node& node = plan.graph[id];
      if (node.kind != ir::NodeKind::kCall || !has_channels(node)) continue;
      std::vector<NodeId> layers;
      std::vector<NodeId> carriers{id};
      bool fits = true;
      for (std::size_t i = 0; i < carriers.size() && fits; ++i) {
        fits = carriers[i] != plan.graph.output() && visit_users(carriers[i], carriers, layers);
      }
      if (!fits) continue;
      for (const NodeId carrier : carriers) value_[carrier] = id;
      equalizable_.push_back(id);
      layers_.push_back(std::move(layers));
    }
  }

  [[nodiscard]] std::optional<NodeId> value_of(NodeId id) const { return value_[id]; }
  [[nodiscard]] const std::vector<NodeId>& equalizable() const { return equalizable_; }
  /// The layers that read equalizable()[i].
  [[nodiscard]] const std::vector<NodeId>& layers(std::size_t i) const { return layers_[i]; }

 private:
  bool visit_users(NodeId id, std::vector<NodeId>& carriers, std::vector<NodeId>& layers) const {
    const Graph& graph = plan_.graph;
    return std::all_of(users_[id].begin(), users_[id].end(), [&](NodeId user) {
      switch (plan_.roles[user]) {
        case Role::kConvolution:
        case Role::kDense:
          layers.push_back(user);
          return true;
        case Role::kAverage:
          return has_channels(graph[user]);
        case Role::kElementwise:
          return graph[user].type == graph[id].type;
        case Role::kMove:
        case Role::kView:
          carriers.push_back(user);
          return plan_.stored[user] && graph[user].kind == ir::NodeKind::kCall &&
                 keeps_channels(graph, graph[user]);
        case Role::kConcatenate:
        case Role::kFloat:
          return false;
      }
      return false;
    });
  }

  const IntegerPlan& plan_;
  Users users_;
  std::vector<std::optional<NodeId>> value_;
  std::vector<NodeId> equalizable_;
  std::vector<std::vector<NodeId>> layers_;
};

Tensor to_tensor(const std::vector<double>& factors, bool inverse, std::int64_t rank) {
  std::vector<float> values;
  values.reserve(factors.size());
  for (const double factor : factors) {
    values.push_back(static_cast<float>(inverse ? 1 / factor : factor));
  }
  return per_channel(values, rank);
}

/// weight * e along its input channels (its output channels if depthwise).
Tensor scale_weight(const Node& layer, const Tensor& weight, const std::vector<double>& factors) {
  const auto outputs = static_cast<std::size_t>(weight.shape()[0]);
  const auto inputs = static_cast<std::size_t>(weight.shape()[1]);
  Tensor result(ir::DType::kFloat32, weight.shape());
  const auto from = weight.data<float>();
  auto to = result.mutable_data<float>();
  const std::size_t kernel = from.empty() ? 0 : from.size() / (outputs * inputs);
  std::size_t position = 0;
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < inputs; ++i) {
      const auto factor = static_cast<float>(factors[is_depthwise(layer) ? o : i]);
      for (std::size_t k = 0; k < kernel; ++k, ++position) to[position] = from[position] * factor;
    }
  }
  return result;
}

}  // namespace

std::vector<NodeId> equalizable(const IntegerPlan& plan) { return Carriers(plan).equalizable(); }

Graph equalize(const IntegerPlan& plan, std::span<const NodeId> values,
               std::span<const ChannelStatistics> statistics, const IntegerOptions& options) {
  const Graph& graph = plan.graph;
  const Carriers carriers(plan);
  check(std::ranges::equal(values, carriers.equalizable()), "the values that equalizable() named");
  std::vector<std::vector<double>> chosen(graph.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (statistics[i].high.empty()) continue;
    std::vector<EqualizedLayer> layers;
    for (const NodeId id : carriers.layers(i)) {
      layers.push_back({&graph[graph[id].inputs[1]].value, is_depthwise(graph[id])});
    }
    chosen[values[i]] = equalization_factors(statistics[i], layers, options);
  }
  /// What the elements of `id` were divided by; empty for nothing.
  const auto factors = [&](NodeId id) -> const std::vector<double>& {
    return chosen[carriers.value_of(id).value_or(id)];
  };
  const auto rank = [&](NodeId id) {
    return static_cast<std::int64_t>(graph[id].tensor_type().shape.size());
  };
  const auto times = [](GraphRewriter& r, NodeId value, Tensor factor) {
    return r.target().add_call(Op::kMultiply, {value, r.target().add_constant(std::move(factor))});
  };

  /// In the new graph, what an integer kernel reads of a node: divided by the factors.
  std::vector<NodeId> divided(graph.size());
  Graph result = ir::rewrite(graph, [&](GraphRewriter& r, NodeId id) {
    const Node& node = graph[id];
    const Role role = plan.roles[id];
    const bool carries = carriers.value_of(id).value_or(id) != id;
    std::vector<NodeId> inputs = r.inputs(id);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const NodeId operand = node.inputs[i];
      if (factors(operand).empty()) continue;
      const bool only_divided = carriers.value_of(operand) != operand;
      if (is_layer(role)) {
        inputs[0] = divided[operand];
        inputs[1] = r.target().add_constant(
            scale_weight(node, graph[node.inputs[1]].value, factors(operand)),
            graph[node.inputs[1]].name);
      } else if (carries || role == Role::kAverage) {
        inputs[i] = divided[operand];
      } else if (only_divided) {
        inputs[i] = times(r, divided[operand], to_tensor(factors(operand), false, rank(operand)));
      }
    }
    NodeId value = r.target().add_copy(node, std::move(inputs));
    if (role == Role::kAverage && !factors(node.inputs[0]).empty()) {
      value = times(r, value, to_tensor(factors(node.inputs[0]), false, rank(id)));
    }
    divided[id] = value;
    if (!carries && !chosen[id].empty()) {
      divided[id] = times(r, value, to_tensor(chosen[id], true, rank(id)));
    }
    return value;
  });
  ir::infer_types(result);
  return result;
}

}  // namespace tvmq::quant
