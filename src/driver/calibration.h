// Calibration as the configuration asks for it: images or arrays from the data set, thresholds from
// a calibration cache if there is one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"
#include "quant/calibrate.h"

namespace tvmq::driver {

/// The mode that the configuration names.
quant::CalibMode calib_mode(const Config& config);

/// Everything that decides what the network sees, as one line: it binds a calibration cache to the
/// preprocessing that its numbers come from.
std::string describe_preprocessing(const DatasetConfig& dataset);

/// What to collect for a scheme.
struct CalibrationRequest {
  std::span<const ir::NodeId> observed;
  int bits = 8;
  bool needs_histograms = false;  ///< the scheme itself looks at the distributions
};

/// The table for `request.observed` on `graph`. With CalibrationCache: read from there without
/// touching the images if the file exists and was made for this graph and preprocessing (another
/// mode is derived from its histograms where that is possible), else collected and written there.
quant::CalibrationTable calibrate_as_configured(const ir::Graph& graph,
                                                const CalibrationRequest& request, Samples& samples,
                                                const Config& config, const RunOptions& run,
                                                Log& log);

}  // namespace tvmq::driver
