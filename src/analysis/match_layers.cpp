#include <algorithm>

#include "analysis/compare_layers.h"
#include "quant/layers.h"

namespace tvmq::analysis {
namespace {

struct Layer {
  ir::NodeId id = 0;
  ir::Op op = ir::Op::kOpaque;       ///< of qnn the operator that it stands for
  ir::NodeId value = 0;              ///< its result, see behind_marks()
  ir::Shape shape;                   ///< of `value`
  std::optional<ir::NodeId> biased;  ///< the sum with a constant that is its only use
  std::optional<ir::NodeId> both;    ///< of a wide layer: the sum of its two products
};

std::optional<ir::Op> layer_op(const ir::Node& node) {
  if (node.is_call(ir::Op::kQnnConv2D)) return ir::Op::kConv2D;
  if (node.is_call(ir::Op::kQnnDense)) return ir::Op::kDense;
  return quant::is_layer(node) ? std::optional(node.op) : std::nullopt;
}

const ir::Shape* shape_of(const ir::Node& node) {
  const auto* type = std::get_if<ir::TensorType>(&node.type);
  return type == nullptr ? nullptr : &type->shape;
}

/// The value itself behind what emission puts between a layer and its bias: a mark that ends
/// fusion, and a slice that drops the output channels a kernel was padded with.
ir::NodeId behind_marks(const ir::Graph& graph, const std::vector<std::vector<ir::NodeId>>& users,
                        ir::NodeId layer) {
  ir::NodeId id = layer;
  while (users[id].size() == 1) {
    const ir::Node& user = graph[users[id][0]];
    if (!user.is_call(ir::Op::kStopFusion) && !user.is_call(ir::Op::kStridedSlice)) break;
    id = users[id][0];
  }
  return id;
}

/// The sum with a constant that is the only use of `value`.
std::optional<ir::NodeId> biased(const ir::Graph& graph,
                                 const std::vector<std::vector<ir::NodeId>>& users,
                                 ir::NodeId value) {
  if (users[value].size() != 1) return std::nullopt;
  const ir::NodeId user = users[value][0];
  const ir::Node& sum = graph[user];
  if (!sum.is_call(ir::Op::kAdd) && !sum.is_call(ir::Op::kBiasAdd)) return std::nullopt;
  const ir::NodeId other = sum.inputs[0] == value ? sum.inputs[1] : sum.inputs[0];
  const ir::Shape* shape = shape_of(sum);
  const bool same_shape = shape != nullptr && *shape == *shape_of(graph[value]);
  return graph[other].is_constant() && same_shape ? std::optional(user) : std::nullopt;
}

/// Where the first product of a wide layer, biased and cast, meets the second.
std::optional<ir::NodeId> sum_of_products(const ir::Graph& graph,
                                          const std::vector<std::vector<ir::NodeId>>& users,
                                          ir::NodeId value) {
  for (ir::NodeId id = value; users[id].size() == 1;) {
    id = users[id][0];
    const ir::Node& user = graph[id];
    if (user.is_call(ir::Op::kCast)) continue;
    if (!user.is_call(ir::Op::kAdd)) break;
    const bool computed = std::ranges::none_of(
        user.inputs, [&](ir::NodeId operand) { return graph[operand].is_constant(); });
    if (computed) return id;
  }
  return std::nullopt;
}

std::vector<Layer> layers_of(const ir::Graph& graph) {
  const auto users = ir::users(graph);
  const auto first = quant::first_products(graph);
  std::vector<bool> is_wide(graph.size(), false);
  for (const auto& each : first) {
    if (each) is_wide[*each] = true;
  }
  std::vector<Layer> layers;
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) {
    const auto op = layer_op(graph[id]);
    if (!op || shape_of(graph[id]) == nullptr || first[id]) continue;
    const ir::NodeId value = behind_marks(graph, users, id);
    if (shape_of(graph[value]) == nullptr) continue;
    layers.push_back({.id = id,
                      .op = *op,
                      .value = value,
                      .shape = *shape_of(graph[value]),
                      .biased = biased(graph, users, value),
                      .both = is_wide[id] ? sum_of_products(graph, users, value) : std::nullopt});
  }
  return layers;
}

LayerPair pair_of(const ir::Graph& graph, const Layer& reference, const Layer& actual) {
  const auto* operand = std::get_if<ir::TensorType>(&graph[graph[actual.id].inputs.at(0)].type);
  LayerPair pair{.reference = reference.id,
                 .actual = actual.id,
                 .reference_value = reference.value,
                 .actual_value = actual.value,
                 .integer = operand != nullptr && ir::is_integer(operand->dtype)};
  if (actual.both) {
    pair.actual_value = *actual.both;
    pair.reference_value = reference.biased.value_or(reference.value);
  } else if (actual.biased && (pair.integer || reference.biased)) {
    pair.actual_value = *actual.biased;
    pair.reference_value = reference.biased.value_or(reference.value);
  }
  return pair;
}

}  // namespace

LayerMatching match_layers(const ir::Graph& reference, const ir::Graph& actual) {
  const std::vector<Layer> left = layers_of(reference);
  const std::vector<Layer> right = layers_of(actual);
  const auto same = [&](std::size_t i, std::size_t j) {
    return left[i].op == right[j].op && left[i].shape == right[j].shape;
  };
  // The longest common subsequence: length[i][j] of what is left from i and j on.
  std::vector<std::vector<std::uint32_t>> length(left.size() + 1,
                                                 std::vector<std::uint32_t>(right.size() + 1));
  for (std::size_t i = left.size(); i-- > 0;) {
    for (std::size_t j = right.size(); j-- > 0;) {
      length[i][j] =
          same(i, j) ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
    }
  }
  LayerMatching result;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() || j < right.size()) {
    if (i < left.size() && j < right.size() && same(i, j)) {
      result.pairs.push_back(pair_of(actual, left[i++], right[j++]));
    } else if (j == right.size() || (i < left.size() && length[i + 1][j] >= length[i][j + 1])) {
      result.only_reference.push_back(left[i++].id);
    } else {
      result.only_actual.push_back(right[j++].id);
    }
  }
  return result;
}

}  // namespace tvmq::analysis
