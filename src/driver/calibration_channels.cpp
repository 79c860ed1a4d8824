// What a Calibration knows per channel: of the values that equalization looks at, and of the inputs
// of layers.
#include <algorithm>
#include <utility>

#include "driver/calibration.h"
#include "quant/graph_hash.h"

namespace tvmq::driver {

/// Counts what is at hand and missing, of the first `most` samples of the cache.
void Calibration::complete(const ir::Graph& graph, quant::CachedStatistics& statistics,
                           std::span<const ir::NodeId> values, std::int64_t most,
                           std::string_view title) {
  if (values.empty() || quant::is_complete(*cache_, statistics, most)) return;
  require_samples(title);
  const quant::BatchSource& source = samples_.source();
  const std::vector<std::string> names = quant::names_of(source);
  const std::vector<std::string> wanted(
      cache_->samples.begin(),
      cache_->samples.begin() + std::min(most, static_cast<std::int64_t>(cache_->samples.size())));
  std::vector<std::int64_t> todo;
  for (std::int64_t i = 0; i < source.batches; ++i) {
    const std::string& name = names[static_cast<std::size_t>(i)];
    if (!std::ranges::binary_search(statistics.samples, name) &&
        !std::ranges::binary_search(statistics.unreadable, name) &&
        std::ranges::binary_search(wanted, name)) {
      todo.push_back(i);
    }
  }
  const auto number = [&](std::int64_t i) { return todo[static_cast<std::size_t>(i)]; };
  std::vector<std::int64_t> seen;
  const std::vector<quant::ChannelSums> sums = quant::sum_channels(
      graph, values,
      {.batches = static_cast<std::int64_t>(todo.size()),
       .load = [&](std::int64_t i) { return source.load(number(i)); },
       .describe = [&](std::int64_t i) { return source.describe(number(i)); }},
      {.title = title, .most_batches = most, .threads = run_.threads}, log_, &seen);
  for (std::size_t i = 0; i < values.size(); ++i) statistics.values[i].sums.merge(sums[i]);
  for (std::size_t i = 0; i < todo.size(); ++i) {
    const bool read = std::ranges::find(seen, static_cast<std::int64_t>(i)) != seen.end();
    (read ? statistics.samples : statistics.unreadable)
        .push_back(names[static_cast<std::size_t>(todo[i])]);
  }
  std::ranges::sort(statistics.samples);
  std::ranges::sort(statistics.unreadable);
  write();
  if (!quant::is_complete(*cache_, statistics, most)) {
    refuse_incomplete(quant::united(statistics.samples, statistics.unreadable), title);
  }
}

quant::IntegerOptions Calibration::equalization_options(const quant::IntegerOptions& wanted) const {
  if (!cache_ || !cache_->equalization) return wanted;
  quant::IntegerOptions options = wanted;
  const quant::IntegerOptions& made = cache_->equalization->options;
  options.activation_bits = made.activation_bits;
  options.weight_bits = made.weight_bits;
  options.weight_scale = made.weight_scale;
  options.weight_granularity = made.weight_granularity;
  options.skip_conv_layers = made.skip_conv_layers;
  options.skip_dense_layer = made.skip_dense_layer;
  options.skip_layers = made.skip_layers;
  options.dense_kernels = made.dense_kernels;
  return options;
}

std::vector<quant::ChannelStatistics> Calibration::equalization(
    const ir::Graph& graph, std::span<const ir::NodeId> values,
    const quant::IntegerOptions& options) {
  constexpr std::string_view kTitle = "equalization";
  if (!cache_) {
    const quant::BatchSource& source = samples_.source();
    return quant::observe_channels(graph, values, source,
                                   {.title = kTitle,
                                    .most_batches = quant::equalization_samples(source.batches),
                                    .threads = run_.threads},
                                   log_);
  }
  auto& equalization = cache_->equalization;
  if (equalization && !quant::are_values(equalization->statistics.values, graph, values)) {
    require_samples("the statistics that equalization needs");
    equalization.reset();
  }
  if (!equalization) {
    equalization = quant::CachedEqualization{.options = options, .statistics = {}};
    for (const ir::NodeId node : values) {
      equalization->statistics.values.push_back(
          {.node = node, .name = describe(graph, node), .sums = {}});
    }
  }
  complete(graph, equalization->statistics, values,
           quant::equalization_samples(static_cast<std::int64_t>(cache_->samples.size())), kTitle);
  std::vector<quant::ChannelStatistics> result;
  for (const auto& value : equalization->statistics.values) {
    result.push_back(value.sums.statistics());
  }
  return result;
}

std::vector<std::vector<double>> Calibration::layer_input_means(
    const ir::Graph& graph, std::span<const ir::NodeId> inputs) {
  if (!cache_) return {};
  const auto* network = cache_->find("integer", quant::graph_hash(graph));
  if (network == nullptr || !network->layer_inputs) return {};
  const quant::CachedStatistics& statistics = *network->layer_inputs;
  if (!quant::is_complete(*cache_, statistics, quant::kLayerInputSamples)) return {};
  std::vector<std::vector<double>> means;
  for (const ir::NodeId input : inputs) {
    const auto place = std::ranges::find(statistics.values, input, &quant::CachedChannels::node);
    const bool known = place != statistics.values.end() && place->name == describe(graph, input);
    means.push_back(known ? place->sums.statistics().mean : std::vector<double>{});
  }
  return means;
}

void Calibration::count_layer_inputs(const ir::Graph& graph, std::span<const ir::NodeId> inputs) {
  quant::CachedNetwork& network = this->network(graph, "integer");
  if (!network.layer_inputs || !quant::are_values(network.layer_inputs->values, graph, inputs)) {
    network.layer_inputs.emplace();
    for (const ir::NodeId input : inputs) {
      network.layer_inputs->values.push_back(
          {.node = input, .name = describe(graph, input), .sums = {}});
    }
  }
  complete(graph, *network.layer_inputs, inputs, quant::kLayerInputSamples, "layer inputs");
}

}  // namespace tvmq::driver
