#include <algorithm>

#include "analysis/compare_layers.h"
#include "quant/layers.h"

namespace tvmq::analysis {
namespace {

struct Layer {
  ir::NodeId id = 0;
  ir::Op op = ir::Op::kOpaque;  ///< of qnn the operator that it stands for
  ir::Shape shape;
  std::optional<ir::NodeId> biased;  ///< the sum with a constant that is its only use
};

std::optional<ir::Op> layer_op(const ir::Node& node) {
  if (node.is_call(ir::Op::kQnnConv2D)) return ir::Op::kConv2D;
  if (node.is_call(ir::Op::kQnnDense)) return ir::Op::kDense;
  return quant::is_layer(node) ? std::optional(node.op) : std::nullopt;
}

std::vector<Layer> layers_of(const ir::Graph& graph) {
  const auto users = ir::users(graph);
  std::vector<Layer> layers;
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) {
    const auto op = layer_op(graph[id]);
    const auto* type = std::get_if<ir::TensorType>(&graph[id].type);
    if (!op || type == nullptr) continue;
    Layer layer{.id = id, .op = *op, .shape = type->shape, .biased = std::nullopt};
    if (users[id].size() == 1) {
      const ir::NodeId user = users[id][0];
      const ir::Node& sum = graph[user];
      const auto* sum_type = std::get_if<ir::TensorType>(&sum.type);
      if ((sum.is_call(ir::Op::kAdd) || sum.is_call(ir::Op::kBiasAdd)) &&
          graph[sum.inputs[0] == id ? sum.inputs[1] : sum.inputs[0]].is_constant() &&
          sum_type != nullptr && sum_type->shape == type->shape) {
        layer.biased = user;
      }
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

LayerPair pair_of(const ir::Graph& graph, const Layer& reference, const Layer& actual) {
  const auto* operand = std::get_if<ir::TensorType>(&graph[graph[actual.id].inputs.at(0)].type);
  LayerPair pair{.reference = reference.id,
                 .actual = actual.id,
                 .reference_value = reference.id,
                 .actual_value = actual.id,
                 .integer = operand != nullptr && ir::is_integer(operand->dtype)};
  if (actual.biased && (pair.integer || reference.biased)) {
    pair.actual_value = *actual.biased;
    pair.reference_value = reference.biased.value_or(reference.id);
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
