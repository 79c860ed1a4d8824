#include "quant/wide_layers.h"

#include <algorithm>

#include "quant/layers.h"

namespace tvmq::quant {
namespace {

/// Of one batch; channels are along axis 1.
std::int64_t values_per_channel(const ir::Shape& shape) {
  std::int64_t values = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis != 1) values *= shape[axis];
  }
  return values;
}

}  // namespace

std::vector<std::string> little_seen_layers(const IntegerPlan& plan, std::int64_t batches) {
  const std::vector<std::string> names = layer_names(plan.graph);
  std::vector<std::string> result;
  if (batches == 0) return result;
  for (ir::NodeId id = 0; id < plan.graph.size(); ++id) {
    if (!is_layer(plan.roles[id])) continue;
    const ir::NodeId input = plan.graph[id].inputs[0];
    if (!std::ranges::binary_search(plan.observed, input)) continue;
    const auto seen = batches * values_per_channel(plan.graph[input].tensor_type().shape);
    if (seen < kEnoughSeen) result.push_back(names[id]);
  }
  return result;
}

}  // namespace tvmq::quant
