// What both schemes read from the configuration.
#pragma once

#include <vector>

#include "base/log.h"
#include "driver/config.h"
#include "passes/pipeline.h"
#include "quant/affine.h"
#include "quant/integer_scheme.h"
#include "quant/target.h"
#include "quant/threshold.h"
#include "quant/tvm_scheme.h"

namespace tvmq::driver {

quant::WeightScale weight_scale(const Config& config);

/// SkipConvLayers, or what the scheme skips unless told otherwise.
std::vector<int> skipped_convolutions(const Config& config, std::vector<int> fallback);

/// The modes that collect histograms anyway: the report shows them.
bool has_histograms(quant::CalibMode mode);

/// What Scheme integer is asked for. What Target changes about it goes to the log.
quant::IntegerOptions integer_options(const Config& config, Log& log);

quant::PartitionConversions partition_conversions(const Config& config);

/// What Scheme tvm is asked for.
quant::TvmQuantizeOptions tvm_options(const Config& config);
/// TVM's optimisation level before quantization.
passes::TvmOptLevel tvm_opt_level(const Config& config);

/// Target. What it does to the result, or that 8 bits cannot pay on it, goes to the log.
quant::Target target_of(const QuantizationConfig& quantization, Log& log);

}  // namespace tvmq::driver
