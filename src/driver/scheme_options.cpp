#include "driver/scheme_options.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/error.h"

namespace tvmq::driver {

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
