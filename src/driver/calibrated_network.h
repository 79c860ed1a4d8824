// Scheme integer up to the point where only the layers that work on integers are left to choose.
#pragma once

#include <span>
#include <string>

#include "base/log.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"
#include "quant/calibration_table.h"
#include "quant/integer_scheme.h"

namespace tvmq::driver {

struct CalibratedNetwork {
  quant::IntegerOptions options;
  quant::IntegerPlan plan;  ///< of the equalized network
  quant::IntegerParameters parameters;
  quant::CalibrationTable table;  ///< one entry per plan.observed
};

/// Prepares, plans, equalizes, calibrates, rounds weights, corrects biases, as the configuration
/// says.
CalibratedNetwork calibrate_network(const ir::Graph& bound, Samples& samples, const Config& config,
                                    const RunOptions& run, Log& log);

/// The same with the layers of these names (quant::layer_names() of the plan's graph) in floating
/// point, too. What calibration found is used again; samples are only read for a value that is
/// stored as integers now and was not before.
CalibratedNetwork with_float_layers(const CalibratedNetwork& network,
                                    std::span<const std::string> layers, Samples& samples,
                                    const Config& config, const RunOptions& run, Log& log);

}  // namespace tvmq::driver
