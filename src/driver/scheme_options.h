// What both schemes read from the configuration.
#pragma once

#include <vector>

#include "base/log.h"
#include "driver/config.h"
#include "quant/affine.h"
#include "quant/target.h"
#include "quant/threshold.h"

namespace tvmq::driver {

quant::WeightScale weight_scale(const Config& config);

/// SkipConvLayers, or what the scheme skips unless told otherwise.
std::vector<int> skipped_convolutions(const Config& config, std::vector<int> fallback);

/// The modes that collect histograms anyway: the report shows them.
bool has_histograms(quant::CalibMode mode);

/// Target. What it does to the result, or that 8 bits cannot pay on it, goes to the log.
quant::Target target_of(const QuantizationConfig& quantization, Log& log);

}  // namespace tvmq::driver
