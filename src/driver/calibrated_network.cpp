#include "driver/calibrated_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "driver/calibration.h"
#include "driver/scheme_options.h"
#include "passes/pipeline.h"
#include "quant/bias_correction.h"
#include "quant/equalize.h"
#include "quant/expected_bias.h"
#include "quant/interval.h"
#include "quant/layers.h"
#include "quant/weight_rounding.h"
#include "quant/wide_layers.h"

namespace tvmq::driver {
namespace {

bool looks_at_samples(const Config& config) {
  return quant::threshold_mode(calib_mode(config)).needs_samples;
}

/// A pattern for `name` and nothing else. Unlike quant::skip_line() it need not go through XML.
std::string exact_pattern(std::string_view name) {
  std::string pattern;
  for (const char symbol : name) {
    if (symbol == '*' || symbol == '?' || symbol == '\\') pattern += '\\';
    pattern += symbol;
  }
  return pattern;
}

void choose(std::span<const std::string> names, std::vector<std::string>& patterns) {
  for (const std::string& name : names) patterns.push_back(exact_pattern(name));
}

/// All that was seen of each value; nothing if nothing was looked at.
std::vector<quant::Interval> extents_of(const quant::CalibrationTable& table) {
  std::vector<quant::Interval> extents;
  if (table.samples == 0) return extents;
  for (const auto& entry : table.entries) extents.push_back(quant::extent_of(entry));
  return extents;
}

/// WideLayers auto.
void widen_little_seen(CalibratedNetwork& network, const QuantizationConfig& quantization,
                       Log& log) {
  constexpr int kUsualBits = 8;  // who asks for fewer does not want more
  if (quantization.wide_layers || !network.options.wide_layers.empty() ||
      quantization.activation_bits != kUsualBits) {
    return;
  }
  choose(quant::little_seen_layers(network.plan, network.table.samples),
         network.options.wide_layers);
  network.plan = quant::plan_integer(network.plan.graph, network.options);
  check(network.plan.observed.size() == network.table.entries.size(),
        "16 bits do not change which values are observed");
  const auto wide = std::ranges::count(network.plan.wide, true);
  if (wide == 0) return;
  log.info(fmt::format(
      "inputs of 16 bits: {} of {} layers (WideLayers auto), whose inputs showed fewer than {} "
      "values per channel; on more CalibSamples there are fewer",
      wide, network.plan.layers.size(), quant::kEnoughSeen));
}

/// The equalized network, if the configuration wants it equalized.
struct PlannedNetwork {
  quant::IntegerOptions options;
  quant::IntegerPlan plan;
};

PlannedNetwork plan_network(const ir::Graph& bound, Calibration& calibration, const Config& config,
                            Log& log) {
  PlannedNetwork result{.options = integer_options(config, log), .plan = {}};
  const ir::Graph prepared = passes::prepare_for_integers(bound, log);
  if (!config.quantization.equalization.value_or(looks_at_samples(config))) {
    result.plan = quant::plan_integer(prepared, result.options);
    return result;
  }
  quant::IntegerOptions options = calibration.equalization_options(result.options);
  options.wide_layers.clear();  // which layers are wide does not change what is equalized
  const quant::IntegerPlan plan = quant::plan_integer(prepared, options);
  const std::vector<ir::NodeId> values = quant::equalizable(plan);
  const auto statistics = calibration.equalization(plan.graph, values, options);
  result.plan =
      quant::plan_integer(quant::equalize(plan, values, statistics, options), result.options);
  return result;
}

CalibrationRequest request_for(const PlannedNetwork& network, const Config& config) {
  return {.scheme = "integer",
          .observed = network.plan.observed,
          .bits = network.options.activation_bits,
          .needs_histograms = has_histograms(calib_mode(config))};
}

/// What weight rounding and bias correction can do without images.
void correct_without_samples(CalibratedNetwork& network, Calibration& calibration,
                             const QuantizationConfig& quantization, Log& log) {
  if (quantization.weight_rounding == WeightRounding::kGptq) {
    throw InputError(
        "WeightRounding gptq looks at images, a calibration cache does not hold what it needs: "
        "name "
        "their folder in Dataset/Path, or leave WeightRounding out");
  }
  const bool corrects_bias = quantization.bias_correction.value_or(true);
  log.warning(fmt::format(
      "no images, only the calibration cache: weights are rounded to the nearest (WeightRounding "
      "gptq needs images){}",
      corrects_bias ? ", biases corrected from the means in the cache" : ""));
  if (!corrects_bias) return;
  const std::vector<ir::NodeId> inputs = quant::layer_inputs(network.plan);
  const auto means = calibration.layer_input_means(network.plan.graph, inputs);
  if (means.empty()) {
    log.warning("the calibration cache holds no means: biases are not corrected");
    return;
  }
  network.parameters.offsets =
      quant::expected_bias(network.plan, network.parameters, network.options, means);
}

}  // namespace

void count_for_integer(const ir::Graph& bound, Calibration& calibration, const Config& config,
                       Log& log) {
  const PlannedNetwork network = plan_network(bound, calibration, config, log);
  // Both, even if samples are missing for one of them.
  std::optional<IncompleteCalibration> incomplete;
  try {
    calibration.count_layer_inputs(network.plan.graph, quant::layer_inputs(network.plan));
  } catch (const IncompleteCalibration& error) {
    incomplete = error;
  }
  calibration.count(network.plan.graph, request_for(network, config));
  if (incomplete) throw IncompleteCalibration(*incomplete);
}

CalibratedNetwork calibrate_network(const ir::Graph& bound, Samples& samples,
                                    Calibration& calibration, const Config& config,
                                    const RunOptions& run, Log& log) {
  PlannedNetwork planned = plan_network(bound, calibration, config, log);
  if (calibration.fills_cache() && looks_at_samples(config)) {
    calibration.count_layer_inputs(planned.plan.graph, quant::layer_inputs(planned.plan));
  }
  CalibrationResult found = calibration.ranges(planned.plan.graph, request_for(planned, config));
  CalibratedNetwork network{.options = std::move(planned.options),
                            .plan = std::move(planned.plan),
                            .parameters = {.ranges = std::move(found.ranges)},
                            .table = std::move(found.table)};
  widen_little_seen(network, config.quantization, log);
  quant::IntegerParameters& parameters = network.parameters;
  parameters.extents = extents_of(network.table);
  const QuantizationConfig& quantization = config.quantization;
  if (calibration.has_cache() && !calibration.has_samples() && looks_at_samples(config)) {
    correct_without_samples(network, calibration, quantization, log);
    return network;
  }
  const bool corrects_bias = quantization.bias_correction.value_or(looks_at_samples(config));
  if (quantization.weight_rounding.value_or(looks_at_samples(config) ? WeightRounding::kGptq
                                                                     : WeightRounding::kNearest) ==
      WeightRounding::kGptq) {
    parameters.weights =
        quant::round_weights(network.plan, parameters.ranges, network.options, !corrects_bias,
                             samples.source(), {.threads = run.threads}, log);
  }
  if (corrects_bias) {
    parameters.offsets = quant::correct_bias(network.plan, parameters, network.options,
                                             samples.source(), {.threads = run.threads}, log);
  }
  return network;
}

CalibratedNetwork with_more_exact(const CalibratedNetwork& network, const MoreExactLayers& layers,
                                  Biases biases, Samples& samples, const Config& config,
                                  const RunOptions& run, Log& log) {
  CalibratedNetwork result{.options = network.options,
                           .plan = {},
                           .parameters = network.parameters,
                           .table = network.table};
  choose(layers.wide, result.options.wide_layers);
  choose(layers.in_float, result.options.skip_layers);
  result.plan = quant::plan_integer(network.plan.graph, result.options);
  check(result.plan.graph.size() == network.plan.graph.size(), "planning keeps a planned graph");
  for (auto& layer : result.plan.layers) {
    if (std::ranges::find(layers.in_float, layer.name) != layers.in_float.end()) {
      layer.reason = "accuracy control";
    }
  }

  struct Known {
    quant::CalibrationEntry entry;
    quant::Interval range;
  };
  std::map<ir::NodeId, Known> known;
  for (std::size_t i = 0; i < network.plan.observed.size(); ++i) {
    known.emplace(network.plan.observed[i],
                  Known{network.table.entries[i], network.parameters.ranges[i]});
  }
  std::vector<ir::NodeId> missing;
  for (const ir::NodeId id : result.plan.observed) {
    if (!known.contains(id)) missing.push_back(id);
  }
  if (!missing.empty()) {
    Config uncached = config;  // the cache holds the values of the whole network
    uncached.quantization.calibration_cache.reset();
    const CalibrationResult more =
        Calibration(result.plan.graph, samples, uncached, run, log)
            .ranges(result.plan.graph, {.scheme = "integer",
                                        .observed = missing,
                                        .bits = result.options.activation_bits,
                                        .needs_histograms = has_histograms(calib_mode(config))});
    for (std::size_t i = 0; i < missing.size(); ++i) {
      known.emplace(missing[i], Known{more.table.entries[i], more.ranges[i]});
    }
  }
  result.table.entries.clear();
  result.parameters.ranges.clear();
  for (const ir::NodeId id : result.plan.observed) {
    const Known& found = known.at(id);
    result.parameters.ranges.push_back(found.range);
    result.table.entries.push_back(found.entry);
  }
  result.parameters.extents = extents_of(result.table);
  if (biases == Biases::kAnew && !network.parameters.offsets.empty()) {
    result.parameters.offsets =
        quant::correct_bias(result.plan, result.parameters, result.options, samples.source(),
                            {.threads = run.threads}, log);
  }
  return result;
}

}  // namespace tvmq::driver
