#include "quant/bias_correction.h"

#include <algorithm>
#include <cmath>

#include "quant/channel_statistics.h"

namespace tvmq::quant {
namespace {

std::vector<ir::NodeId> nodes_of(std::span<const IntegerLayer> layers,
                                 ir::NodeId IntegerLayer::*which) {
  std::vector<ir::NodeId> nodes;
  nodes.reserve(layers.size());
  for (const IntegerLayer& layer : layers) nodes.push_back(layer.*which);
  return nodes;
}

/// What to add to a layer's bias so that its mean becomes the float one.
void add_difference(const ChannelStatistics& wanted, const ChannelStatistics& found,
                    const IntegerLayer& layer, std::vector<float>& offsets) {
  if (wanted.mean.empty() || found.mean.empty()) return;
  offsets.resize(layer.scales.size(), 0);
  for (std::size_t c = 0; c < offsets.size(); ++c) {
    const double mean = found.mean[c] * static_cast<double>(layer.scales[c]);
    const double difference = wanted.mean[c] - mean;
    if (std::isfinite(difference)) offsets[c] += static_cast<float>(difference);
  }
}

}  // namespace

BiasOffsets correct_bias(const IntegerPlan& plan, IntegerParameters parameters,
                         const IntegerOptions& options, const BatchSource& source,
                         const BiasCorrectionOptions& correction, Log& log) {
  BiasOffsets& offsets = parameters.offsets;
  offsets.assign(plan.graph.size(), {});
  const std::vector<IntegerLayer> layers = emit_integer(plan, parameters, options).layers;
  if (layers.empty()) return offsets;
  const ChannelStatisticsOptions pass{.title = "bias correction",
                                      .most_batches = correction.most_batches,
                                      .threads = correction.threads};
  const std::vector<ChannelStatistics> wanted =
      observe_channels(plan.graph, nodes_of(layers, &IntegerLayer::float_value), source, pass, log);

  const std::size_t rounds = std::max<std::size_t>(correction.most_layer_runs / layers.size(), 1);
  const std::size_t together = (layers.size() + rounds - 1) / rounds;
  for (std::size_t first = 0; first < layers.size(); first += together) {
    const std::size_t count = std::min(together, layers.size() - first);
    const IntegerGraph integer = emit_integer(plan, parameters, options);
    const auto part = std::span(integer.layers).subspan(first, count);
    const std::vector<ChannelStatistics> found = observe_channels(
        integer.graph, nodes_of(part, &IntegerLayer::accumulator), source, pass, log);
    for (std::size_t i = 0; i < count; ++i) {
      add_difference(wanted[first + i], found[i], part[i], offsets[part[i].layer]);
    }
  }
  return offsets;
}

}  // namespace tvmq::quant
