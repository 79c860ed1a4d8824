#include "driver/run_scheme.h"

#include <utility>

#include "driver/calibration.h"
#include "passes/pipeline.h"
#include "quant/integer_scheme.h"
#include "quant/interval.h"
#include "quant/tvm_scheme.h"

namespace tvmq::driver {
namespace {

quant::WeightScale weight_scale(const Config& config) {
  return config.quantization.weights_scale == WeightsScale::kPower2 ? quant::WeightScale::kPower2
                                                                    : quant::WeightScale::kMax;
}

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

std::vector<int> skip_list(const Config& config) {
  const auto& list = config.quantization.skip_conv_layers;
  return {list.begin(), list.end()};
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
          .skip_conv_layers = skip_list(config),
          .skip_dense_layer = quantization.skip_dense_layer,
          .partition_conversions = partition_conversions(config)};
}

}  // namespace

SchemeResult run_tvm_scheme(const ir::Graph& bound, const Config& config, const RunOptions& run,
                            Log& log) {
  const quant::TvmQuantizeOptions options = tvm_options(config);
  quant::check_options(options);
  const auto level =
      config.quantization.tvm_opt_level == 3 ? passes::TvmOptLevel::k3 : passes::TvmOptLevel::k2;
  const ir::Graph prepared = passes::prepare(bound, level, log);
  const quant::AnnotatedGraph annotated = quant::annotate(prepared, options);

  std::vector<float> thresholds;
  if (calib_mode(config) == quant::CalibMode::kGlobalScale) {
    // Does not look at data, so that it also quantizes what TVM cannot collect statistics of.
    thresholds.assign(quant::threshold_count(annotated),
                      static_cast<float>(config.quantization.global_scale));
  } else {
    const std::vector<ir::NodeId> observed = quant::observed(annotated);
    const quant::CalibrationTable table = calibrate_as_configured(
        annotated.graph, {.observed = observed, .bits = options.nbit_input}, config, run, log);
    for (const auto& entry : table.entries) thresholds.push_back(entry.threshold);
  }

  SchemeResult result;
  const ir::Graph quantized = quant::realize(annotated, thresholds, options, log, &result.summary);
  result.module = quant::partition_conversions(quantized, options);
  return result;
}

SchemeResult run_integer_scheme(const ir::Graph& bound, const Config& config, const RunOptions& run,
                                Log& log) {
  const quant::IntegerOptions options{
      .activation_bits = config.quantization.activation_bits,
      .weight_bits = config.quantization.weight_bits,
      .weight_scale = weight_scale(config),
      .skip_conv_layers = skip_list(config),
      .skip_dense_layer = config.quantization.skip_dense_layer,
  };
  const ir::Graph prepared =
      passes::prepare(bound, passes::TvmOptLevel::k3, log, passes::ScaleFolding::kSafe);
  const quant::IntegerPlan plan = quant::plan_integer(prepared, options);

  const quant::CalibMode mode = calib_mode(config);
  const quant::CalibrationTable table =
      calibrate_as_configured(plan.graph,
                              {.observed = plan.observed,
                               .bits = options.activation_bits,
                               .needs_histograms = mode == quant::CalibMode::kMse},
                              config, run, log);
  std::vector<quant::Interval> ranges;
  for (const auto& entry : table.entries) {
    ranges.push_back(quant::interval_of(entry, mode, options.activation_bits));
  }

  SchemeResult result;
  ir::Graph quantized = quant::realize_integer(plan, ranges, options, &result.summary);
  result.module.functions.push_back({"main", std::move(quantized)});
  return result;
}

}  // namespace tvmq::driver
