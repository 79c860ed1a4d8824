#include "driver/run_scheme.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

#include "driver/accuracy_control.h"
#include "driver/calibrated_network.h"
#include "driver/calibration.h"
#include "driver/scheme_options.h"
#include "passes/pipeline.h"
#include "quant/integer_scheme.h"
#include "quant/layers.h"
#include "quant/tvm_scheme.h"

namespace tvmq::driver {
namespace {

/// Options that mean nothing to the integer scheme are not passed over in silence.
void refuse_what_only_tvm_knows(const QuantizationConfig& quantization) {
  const QuantizationConfig defaults;
  const auto refuse = [](std::string_view key, std::string_view why) {
    throw InputError(fmt::format("{}: {}; leave it out, or set Scheme to tvm", key, why));
  };
  if (quantization.dtype_weight != defaults.dtype_weight ||
      quantization.dtype_activation != defaults.dtype_activation) {
    refuse("DtypeWeight, DtypeActivation",
           "Scheme integer stores int8 weights and int32 accumulators");
  }
  if (quantization.dtype_input == ir::DType::kInt32) {
    refuse("DtypeInput int32", "Scheme integer stores activations in 8 or 16 bits");
  }
  if (quantization.tvm_opt_level) {
    refuse("TvmOptLevel", "Scheme integer always folds what can be folded");
  }
  if (quantization.partition_conversions == PartitionConversions::kFullyIntegral) {
    refuse("PartitionConversions fully_integral",
           "Scheme integer scales accumulators in float32, inside its kernels, so that no network "
           "of it is integral throughout; enabled works");
  }
  if (quantization.activation_bits > 8 && quantization.activation_bits != 16) {
    refuse("ActivationBits", "Scheme integer knows 2 to 8, and 16 with DtypeInput int16");
  }
  if (quantization.dtype_input == ir::DType::kInt16 && quantization.wide_layers) {
    throw InputError(
        "WideLayers: DtypeInput int16 gives 16 bits to every layer already; leave one of them out");
  }
  if (quantization.weight_bits > 8) refuse("WeightBits", "Scheme integer knows 2 to 8");
}

void refuse_what_only_integer_knows(const QuantizationConfig& quantization) {
  const auto refuse = [](std::string_view key) {
    throw InputError(fmt::format(
        "{}: Scheme tvm builds what TVM builds, without it; leave it out, or set Scheme "
        "to integer",
        key));
  };
  if (quantization.equalization) refuse("Equalization");
  if (quantization.bias_correction) refuse("BiasCorrection");
  if (quantization.weight_rounding) refuse("WeightRounding");
  if (quantization.wide_layers) refuse("WideLayers");
  if (quantization.weight_granularity == WeightGranularity::kPerChannel) {
    refuse("WeightGranularity per_channel");
  }
  if (quantization.max_accuracy_drop) refuse("MaxAccuracyDrop");
  if (quantization.min_sqnr) refuse("MinSqnr");
  if (quantization.plan_file) refuse("PlanFile");
  if (quantization.target != QuantizationConfig{}.target) refuse("Target");
}

/// Average pooling has no weights and is no layer of the summary; that it keeps floats around it is
/// worth a line all the same.
void log_float_pools(const quant::IntegerPlan& plan, Log& log) {
  std::string names;
  for (ir::NodeId id = 0; id < plan.graph.size(); ++id) {
    const ir::Node& node = plan.graph[id];
    const bool averages = node.is_call(ir::Op::kAvgPool2D) ||
                          node.is_call(ir::Op::kAdaptiveAvgPool2D) ||
                          node.is_call(ir::Op::kGlobalAvgPool2D);
    if (!averages || plan.roles[id] != quant::Role::kFloat) continue;
    names += (names.empty() ? "" : ", ") + ir::describe(plan.graph, id);
  }
  if (!names.empty()) log.info(fmt::format("float: {} (no integer form of this pooling)", names));
}

/// Layers that were asked to take 16 bits and cannot.
void log_narrow_layers(const CalibratedNetwork& network, const QuantizationConfig& quantization,
                       Log& log) {
  if (!quantization.wide_layers && quantization.dtype_input != ir::DType::kInt16) return;
  const auto wanted =
      quant::chosen_layers(network.plan.graph, network.options.wide_layers, "WideLayers");
  const std::vector<std::string> layers = quant::layer_names(network.plan.graph);
  std::string names;
  for (ir::NodeId id = 0; id < network.plan.graph.size(); ++id) {
    if (wanted[id].empty() || !is_layer(network.plan.roles[id]) || network.plan.wide[id]) continue;
    names += (names.empty() ? "" : ", ") + quant::skip_line(layers[id]);
  }
  if (names.empty()) return;
  log.warning(fmt::format(
      "8 bits: {} (chosen to take 16, but other integer kernels hand their input on{})", names,
      network.options.one_value_at_ends ? ", or PartitionConversions hands on one value there"
                                        : ""));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What is observed for Scheme tvm.
struct AnnotatedNetwork {
  quant::TvmQuantizeOptions options;
  quant::AnnotatedGraph annotated;
};

AnnotatedNetwork annotate_network(const ir::Graph& bound, const Config& config, Log& log) {
  AnnotatedNetwork network{.options = tvm_options(config), .annotated = {}};
  quant::check_options(network.options);
  network.annotated =
      quant::annotate(passes::prepare(bound, tvm_opt_level(config), log), network.options);
  return network;
}

CalibrationRequest request_for_tvm(std::span<const ir::NodeId> observed,
                                   const quant::TvmQuantizeOptions& options, const Config& config) {
  return {.scheme = "tvm",
          .observed = observed,
          .bits = options.nbit_input,
          .needs_histograms = has_histograms(calib_mode(config))};
}

/// What another scheme than the configured one wants to know goes into the cache as well, so that
/// it can be tried without images. A network that the scheme cannot take is none of our business.
void count_for_other(std::string_view scheme, const std::function<void()>& count, Log& log) {
  try {
    count();
  } catch (const InputError& error) {
    log.debug(fmt::format("calibration cache: nothing for Scheme {}: {}", scheme, error.what()));
  }
}

/// All but the seconds. Of a calibration cache, the samples that it was made from.
report::Calibration describe_calibration(const quant::CalibrationTable& table, Samples& samples,
                                         const Config& config) {
  const std::int64_t batches = samples.calibrated() ? samples.source().batches : table.samples;
  return {
      .mode = std::string(quant::calib_mode_name(table.mode)),
      .samples = table.samples * config.dataset.batch_size,
      .skipped = std::max<std::int64_t>(batches - table.samples, 0) * config.dataset.batch_size};
}

}  // namespace

SchemeResult run_tvm_scheme(const ir::Graph& bound, Samples& samples, const Config& config,
                            const RunOptions& run, Log& log) {
  refuse_what_only_integer_knows(config.quantization);
  const auto [options, annotated] = annotate_network(bound, config, log);
  SchemeResult result;
  const auto start = std::chrono::steady_clock::now();
  std::vector<float> thresholds;
  if (calib_mode(config) == quant::CalibMode::kGlobalScale) {
    // Does not look at data, so that it also quantizes what TVM cannot collect statistics of.
    thresholds.assign(quant::threshold_count(annotated),
                      static_cast<float>(config.quantization.global_scale));
  } else {
    const std::vector<ir::NodeId> observed = quant::observed(annotated);
    Calibration calibration(bound, samples, config, run, log);
    CalibrationResult found =
        calibration.ranges(annotated.graph, request_for_tvm(observed, options, config));
    result.table = std::move(found.table);
    for (const quant::Interval& range : found.ranges) thresholds.push_back(range.high);
    if (calibration.fills_cache()) {
      count_for_other(
          "integer", [&] { count_for_integer(bound, calibration, config, log); }, log);
    }
    result.calibration = describe_calibration(result.table, samples, config);
  }
  result.calibration.mode = quant::calib_mode_name(calib_mode(config));
  result.calibration.seconds = seconds_since(start);

  ir::Graph quantized = quant::realize(annotated, thresholds, options, log, &result.summary);
  result.module = quant::partition_conversions(quantized, options);
  result.network = analysis::describe_tvm(annotated, thresholds, options, std::move(quantized));
  return result;
}

void count_for_tvm(const ir::Graph& bound, Calibration& calibration, const Config& config,
                   Log& log) {
  const auto [options, annotated] = annotate_network(bound, config, log);
  const std::vector<ir::NodeId> observed = quant::observed(annotated);
  calibration.count(annotated.graph, request_for_tvm(observed, options, config));
}

SchemeResult run_integer_scheme(const ir::Graph& bound, Samples& samples, const Config& config,
                                const RunOptions& run, Log& log) {
  refuse_what_only_tvm_knows(config.quantization);
  const auto start = std::chrono::steady_clock::now();
  Calibration calibration(bound, samples, config, run, log);
  CalibratedNetwork network = calibrate_network(bound, samples, calibration, config, run, log);
  if (calibration.fills_cache() && quant::threshold_mode(calib_mode(config)).needs_samples) {
    count_for_other(
        "tvm", [&] { count_for_tvm(bound, calibration, config, log); }, log);
  }
  SchemeResult result;
  result.calibration = describe_calibration(network.table, samples, config);
  result.calibration.seconds = seconds_since(start);
  if (controls_accuracy(config)) {
    AccuracyControlResult controlled = control_accuracy(bound, network, samples, config, run, log);
    network = std::move(controlled.network);
    result.accuracy_control = std::move(controlled.report);
    result.plan = std::move(controlled.plan);
  }
  log_float_pools(network.plan, log);
  log_narrow_layers(network, config.quantization, log);
  const ir::Graph quantized =
      quant::realize_integer(network.plan, network.parameters, network.options, &result.summary);
  result.module = quant::partition_conversions(
      quantized,
      {.dtype_input = ir::DType::kUInt8, .partition_conversions = partition_conversions(config)});
  result.network = analysis::describe_integer(network.plan, network.parameters, network.options);
  result.table = std::move(network.table);
  return result;
}

}  // namespace tvmq::driver
