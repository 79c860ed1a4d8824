// What both schemes read from the configuration.
#pragma once

#include <vector>

#include "driver/config.h"
#include "quant/affine.h"
#include "quant/threshold.h"

namespace tvmq::driver {

quant::WeightScale weight_scale(const Config& config);

/// SkipConvLayers, or what the scheme skips unless told otherwise.
std::vector<int> skipped_convolutions(const Config& config, std::vector<int> fallback);

/// The modes that collect histograms anyway: the report shows them.
bool has_histograms(quant::CalibMode mode);

}  // namespace tvmq::driver
