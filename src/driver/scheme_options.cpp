#include "driver/scheme_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"

namespace tvmq::driver {
namespace {

/// Patterns of the layers that take 16 bits, as far as they are named.
std::vector<std::string> wide_layers(const QuantizationConfig& quantization) {
  if (quantization.dtype_input == ir::DType::kInt16) return {"*"};
  return quantization.wide_layers.value_or(std::vector<std::string>{});
}

}  // namespace

quant::WeightScale weight_scale(const Config& config) {
  return config.quantization.weights_scale == WeightsScale::kPower2 ? quant::WeightScale::kPower2
                                                                    : quant::WeightScale::kMax;
}

std::vector<int> skipped_convolutions(const Config& config, std::vector<int> fallback) {
  const auto& list = config.quantization.skip_conv_layers;
  return list ? std::vector<int>(list->begin(), list->end()) : std::move(fallback);
}

bool has_histograms(quant::CalibMode mode) {
  return mode == quant::CalibMode::kMse || mode == quant::CalibMode::kKlDivergence;
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

passes::TvmOptLevel tvm_opt_level(const Config& config) {
  return config.quantization.tvm_opt_level.value_or(2) == 3 ? passes::TvmOptLevel::k3
                                                            : passes::TvmOptLevel::k2;
}

quant::IntegerOptions integer_options(const Config& config, Log& log) {
  const QuantizationConfig& quantization = config.quantization;
  const quant::Target target = target_of(quantization, log);
  return {
      .activation_bits = std::min(quantization.activation_bits, 8),
      .weight_bits = std::min(quantization.weight_bits, target.weight_bits()),
      .weight_scale = weight_scale(config),
      .weight_granularity = quantization.weight_granularity == WeightGranularity::kPerTensor
                                ? quant::WeightGranularity::kPerTensor
                                : quant::WeightGranularity::kPerChannel,
      .skip_conv_layers = skipped_convolutions(config, {}),
      .skip_dense_layer = quantization.skip_dense_layer.value_or(false),
      .skip_layers = quantization.skip_layers,
      .wide_layers = wide_layers(quantization),
      .one_value_at_ends = quantization.partition_conversions != PartitionConversions::kDisabled,
      .dense_kernels = target.dense};
}

quant::Target target_of(const QuantizationConfig& quantization, Log& log) {
  const std::optional<quant::Target> target = quant::parse_target(quantization.target);
  check(target.has_value(), "a configuration holds a target that can be read");
  if (target->products == quant::ByteProducts::kNone) {
    log.warning(fmt::format(
        "Target '{}' names a CPU without 8-bit instructions: TVM has no 8-bit kernels for it, and "
        "the result will be slower than the float model. Compile for the CPU at hand, for example "
        "with 'llvm -mcpu=cascadelake'",
        quantization.target));
  } else if (quantization.weight_bits > target->weight_bits()) {
    log.warning(fmt::format(
        "Target '{}' adds products of 8 bits in 16: weights are quantized to {} bits, so that no "
        "sum overflows",
        quantization.target, target->weight_bits()));
  }
  return *target;
}

}  // namespace tvmq::driver
