#include "driver/run_scheme.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "driver/accuracy_control.h"
#include "driver/calibrated_network.h"
#include "driver/calibration.h"
#include "driver/scheme_options.h"
#include "passes/pipeline.h"
#include "quant/integer_scheme.h"
#include "quant/tvm_scheme.h"

namespace tvmq::driver {
namespace {

quant::PartitionConversions partition_conversions(const Config& config) {
  switch (config.quantization.partition_conversions) {
    case PartitionConversions::kDisabled:
      return quant::PartitionConversions::kDisabled;
    case PartitionConversions::kEnabled:
      return quant::PartitionConversions::kEnabled;
    case PartitionConversions::kFullyIntegral:
      return quant::PartitionConversions::kFullyIntegral;
  }
  throw InternalError("unknown partition conversions");
}

/// Options that mean nothing to the integer scheme are not passed over in silence.
void refuse_what_only_tvm_knows(const QuantizationConfig& quantization) {
  const QuantizationConfig defaults;
  const auto refuse = [](std::string_view key, std::string_view why) {
    throw InputError(fmt::format("{}: {}; leave it out, or set Scheme to tvm", key, why));
  };
  if (quantization.dtype_input != defaults.dtype_input ||
      quantization.dtype_weight != defaults.dtype_weight ||
      quantization.dtype_activation != defaults.dtype_activation) {
    refuse("DtypeInput, DtypeWeight, DtypeActivation",
           "Scheme integer stores uint8 activations, int8 weights and int32 accumulators");
  }
  if (quantization.tvm_opt_level) {
    refuse("TvmOptLevel", "Scheme integer always folds what can be folded");
  }
  if (quantization.partition_conversions == PartitionConversions::kFullyIntegral) {
    refuse("PartitionConversions fully_integral",
           "Scheme integer scales accumulators in float32, inside its kernels, so that no network "
           "of it is integral throughout; enabled works");
  }
  if (quantization.activation_bits > 8) refuse("ActivationBits", "Scheme integer knows 2 to 8");
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
  if (quantization.weight_granularity == WeightGranularity::kPerChannel) {
    refuse("WeightGranularity per_channel");
  }
  if (quantization.max_accuracy_drop) refuse("MaxAccuracyDrop");
  if (quantization.min_sqnr) refuse("MinSqnr");
  if (quantization.plan_file) refuse("PlanFile");
  if (quantization.target != QuantizationConfig{}.target) refuse("Target");
}

quant::TvmQuantizeOptions tvm_options(const Config& config) {
  const QuantizationConfig& quantization = config.quantization;
  return {.nbit_input = quantization.activation_bits,
          .nbit_weight = quantization.weight_bits,
          .dtype_input = quantization.dtype_input,
          .dtype_weight = quantization.dtype_weight,
          .dtype_activation = quantization.dtype_activation,
          .weight_scale = weight_scale(config),
          .global_scale = quantization.global_scale,
          .skip_conv_layers = skipped_convolutions(config, {0}),
          .skip_dense_layer = quantization.skip_dense_layer.value_or(true),
          .skip_layers = quantization.skip_layers,
          .partition_conversions = partition_conversions(config)};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
  const quant::TvmQuantizeOptions options = tvm_options(config);
  quant::check_options(options);
  const auto level = config.quantization.tvm_opt_level.value_or(2) == 3 ? passes::TvmOptLevel::k3
                                                                        : passes::TvmOptLevel::k2;
  const ir::Graph prepared = passes::prepare(bound, level, log);
  const quant::AnnotatedGraph annotated = quant::annotate(prepared, options);

  SchemeResult result;
  const auto start = std::chrono::steady_clock::now();
  std::vector<float> thresholds;
  if (calib_mode(config) == quant::CalibMode::kGlobalScale) {
    // Does not look at data, so that it also quantizes what TVM cannot collect statistics of.
    thresholds.assign(quant::threshold_count(annotated),
                      static_cast<float>(config.quantization.global_scale));
  } else {
    const std::vector<ir::NodeId> observed = quant::observed(annotated);
    result.table = calibrate_as_configured(annotated.graph,
                                           {.observed = observed,
                                            .bits = options.nbit_input,
                                            .needs_histograms = has_histograms(calib_mode(config))},
                                           samples, config, run, log);
    for (const auto& entry : result.table.entries) thresholds.push_back(entry.threshold);
    result.calibration = describe_calibration(result.table, samples, config);
  }
  result.calibration.mode = quant::calib_mode_name(calib_mode(config));
  result.calibration.seconds = seconds_since(start);

  ir::Graph quantized = quant::realize(annotated, thresholds, options, log, &result.summary);
  result.module = quant::partition_conversions(quantized, options);
  result.network = analysis::describe_tvm(annotated, thresholds, options, std::move(quantized));
  return result;
}

SchemeResult run_integer_scheme(const ir::Graph& bound, Samples& samples, const Config& config,
                                const RunOptions& run, Log& log) {
  refuse_what_only_tvm_knows(config.quantization);
  const auto start = std::chrono::steady_clock::now();
  CalibratedNetwork network = calibrate_network(bound, samples, config, run, log);
  SchemeResult result;
  result.calibration = describe_calibration(network.table, samples, config);
  result.calibration.seconds = seconds_since(start);
  if (controls_accuracy(config)) {
    AccuracyControlResult controlled = control_accuracy(bound, network, samples, config, run, log);
    network = std::move(controlled.network);
    result.accuracy_control = std::move(controlled.report);
    result.plan = std::move(controlled.plan);
  }
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
