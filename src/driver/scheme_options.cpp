#include "driver/scheme_options.h"

#include <utility>

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

}  // namespace tvmq::driver
