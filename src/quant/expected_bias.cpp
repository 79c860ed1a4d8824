#include "quant/expected_bias.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tvmq::quant {
namespace {

using ir::Node;
using ir::NodeId;

std::vector<float> offsets_of(const Node& layer, const ir::Tensor& weight,
                              const QuantizedWeight& rounded, const std::vector<double>& means) {
  const auto outputs = static_cast<std::size_t>(weight.shape()[0]);
  const auto inputs = static_cast<std::size_t>(weight.shape()[1]);
  const auto* attrs = std::get_if<ir::Conv2DAttrs>(&*layer.attrs);
  const std::size_t groups = attrs == nullptr ? 1 : static_cast<std::size_t>(attrs->groups);
  if (means.size() != inputs * groups) return {};
  const auto exact = weight.data<float>();
  const auto integers = rounded.values.data<std::int8_t>();
  const std::size_t kernel = exact.size() / (outputs * inputs);
  std::vector<float> offsets(outputs, 0);
  std::size_t place = 0;
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t first_input = o / (outputs / groups) * inputs;
    double moved = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      double error = 0;
      for (std::size_t k = 0; k < kernel; ++k, ++place) {
        error += static_cast<double>(integers[place]) * static_cast<double>(rounded.scales[o]) -
                 static_cast<double>(exact[place]);
      }
      moved += error * means[first_input + i];
    }
    if (std::isfinite(moved)) offsets[o] = static_cast<float>(-moved);
  }
  return offsets;
}

}  // namespace

std::vector<NodeId> layer_inputs(const IntegerPlan& plan) {
  std::vector<NodeId> inputs;
  for (NodeId id = 0; id < plan.graph.size(); ++id) {
    if (!is_layer(plan.roles[id])) continue;
    const NodeId input = plan.graph[id].inputs[0];
    if (plan.graph[input].is_constant() || std::ranges::find(inputs, input) != inputs.end()) {
      continue;
    }
    inputs.push_back(input);
  }
  return inputs;
}

BiasOffsets expected_bias(const IntegerPlan& plan, const IntegerParameters& parameters,
                          const IntegerOptions& options,
                          std::span<const std::vector<double>> means) {
  const std::vector<NodeId> inputs = layer_inputs(plan);
  check(means.size() == inputs.size(), "means for every input of a layer");
  BiasOffsets offsets(plan.graph.size());
  for (NodeId id = 0; id < plan.graph.size(); ++id) {
    if (!is_layer(plan.roles[id])) continue;
    const Node& layer = plan.graph[id];
    const auto place = std::ranges::find(inputs, layer.inputs[0]);
    if (place == inputs.end()) continue;
    const std::vector<double>& of_input = means[static_cast<std::size_t>(place - inputs.begin())];
    const ir::Tensor& weight = plan.graph[layer.inputs[1]].value;
    offsets[id] = offsets_of(layer, weight, layer_weight(plan, parameters, options, id), of_input);
  }
  return offsets;
}

}  // namespace tvmq::quant
