#include "driver/calibrated_network.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "driver/calibration.h"
#include "driver/scheme_options.h"
#include "passes/pipeline.h"
#include "quant/bias_correction.h"
#include "quant/channel_statistics.h"
#include "quant/equalize.h"
#include "quant/interval.h"
#include "quant/layers.h"
#include "quant/weight_rounding.h"

namespace tvmq::driver {
namespace {

/// Enough for the range of a channel, as far as equalization needs to know it.
constexpr std::int64_t kEqualizationBatches = 64;

/// Half of the samples at most: the ranges that calibration finds on all of them then tell how far
/// channels go beyond what equalization has seen. Fitted to the same samples, every channel would
/// end exactly where its range does, and saturate on the next image.
std::int64_t equalization_batches(const quant::BatchSource& source) {
  return std::min(kEqualizationBatches, (source.batches + 1) / 2);
}

}  // namespace

CalibratedNetwork calibrate_network(const ir::Graph& bound, Samples& samples, const Config& config,
                                    const RunOptions& run, Log& log) {
  const quant::Target target = target_of(config.quantization, log);
  const quant::IntegerOptions options{
      .activation_bits = config.quantization.activation_bits,
      .weight_bits = std::min(config.quantization.weight_bits, target.weight_bits()),
      .weight_scale = weight_scale(config),
      .weight_granularity = config.quantization.weight_granularity == WeightGranularity::kPerTensor
                                ? quant::WeightGranularity::kPerTensor
                                : quant::WeightGranularity::kPerChannel,
      .skip_conv_layers = skipped_convolutions(config, {}),
      .skip_dense_layer = config.quantization.skip_dense_layer.value_or(false),
      .skip_layers = config.quantization.skip_layers,
      .dense_kernels = target.dense,
  };
  const ir::Graph prepared =
      passes::prepare_for_integers(bound, log);
  quant::IntegerPlan plan = quant::plan_integer(prepared, options);
  const quant::CalibMode mode = calib_mode(config);
  const bool looks_at_samples = quant::threshold_mode(mode).needs_samples;

  if (config.quantization.equalization.value_or(looks_at_samples)) {
    const std::vector<ir::NodeId> values = quant::equalizable(plan);
    const auto statistics =
        quant::observe_channels(plan.graph, values, samples.source(),
                                {.title = "equalization",
                                 .most_batches = equalization_batches(samples.source()),
                                 .threads = run.threads},
                                log);
    plan = quant::plan_integer(quant::equalize(plan, values, statistics, options), options);
  }

  quant::CalibrationTable table =
      calibrate_as_configured(plan.graph,
                              {.observed = plan.observed,
                               .bits = options.activation_bits,
                               .needs_histograms = has_histograms(mode)},
                              samples, config, run, log);
  quant::IntegerParameters parameters;
  for (const auto& entry : table.entries) {
    parameters.ranges.push_back(quant::interval_of(entry, mode, options.activation_bits));
  }
  const bool corrects_bias = config.quantization.bias_correction.value_or(looks_at_samples);
  if (config.quantization.weight_rounding.value_or(looks_at_samples ? WeightRounding::kGptq
                                                                    : WeightRounding::kNearest) ==
      WeightRounding::kGptq) {
    parameters.weights = quant::round_weights(plan, parameters.ranges, options, !corrects_bias,
                                              samples.source(), {.threads = run.threads}, log);
  }
  if (corrects_bias) {
    parameters.offsets = quant::correct_bias(plan, parameters, options, samples.source(),
                                             {.threads = run.threads}, log);
  }
  return {.options = options,
          .plan = std::move(plan),
          .parameters = std::move(parameters),
          .table = std::move(table)};
}

CalibratedNetwork with_float_layers(const CalibratedNetwork& network,
                                    std::span<const std::string> layers, Samples& samples,
                                    const Config& config, const RunOptions& run, Log& log) {
  CalibratedNetwork result{.options = network.options,
                           .plan = {},
                           .parameters = network.parameters,
                           .table = network.table};
  for (const std::string& layer : layers) {
    result.options.skip_layers.push_back(quant::skip_line(layer));
  }
  result.plan = quant::plan_integer(network.plan.graph, result.options);
  check(result.plan.graph.size() == network.plan.graph.size(), "planning keeps a planned graph");
  for (auto& layer : result.plan.layers) {
    const bool chosen = std::find(layers.begin(), layers.end(), layer.name) != layers.end();
    if (chosen) layer.reason = "accuracy control";
  }

  std::map<ir::NodeId, quant::CalibrationEntry> known;
  for (std::size_t i = 0; i < network.plan.observed.size(); ++i) {
    known.emplace(network.plan.observed[i], network.table.entries[i]);
  }
  std::vector<ir::NodeId> missing;
  for (const ir::NodeId id : result.plan.observed) {
    if (!known.contains(id)) missing.push_back(id);
  }
  if (!missing.empty()) {
    Config uncached = config;  // the cache holds the values of the whole network
    uncached.quantization.calibration_cache.reset();
    const quant::CalibrationTable more =
        calibrate_as_configured(result.plan.graph,
                                {.observed = missing,
                                 .bits = result.options.activation_bits,
                                 .needs_histograms = has_histograms(calib_mode(config))},
                                samples, uncached, run, log);
    for (std::size_t i = 0; i < missing.size(); ++i) known.emplace(missing[i], more.entries[i]);
  }
  result.table.entries.clear();
  result.parameters.ranges.clear();
  for (const ir::NodeId id : result.plan.observed) {
    const quant::CalibrationEntry& entry = known.at(id);
    result.parameters.ranges.push_back(
        quant::interval_of(entry, calib_mode(config), result.options.activation_bits));
    result.table.entries.push_back(entry);
  }
  return result;
}

}  // namespace tvmq::driver
