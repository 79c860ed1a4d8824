// Scheme integer up to the point where only the layers that work on integers are left to choose.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/log.h"
#include "driver/calibration.h"
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
/// says. Without images, from a calibration cache alone, weights are rounded to the nearest and
/// biases corrected from the means in the cache; the log says so, and what the configuration asks
/// for and needs images is an InputError.
CalibratedNetwork calibrate_network(const ir::Graph& bound, Samples& samples,
                                    Calibration& calibration, const Config& config,
                                    const RunOptions& run, Log& log);

/// Puts what calibrate_network() needs into the calibration cache, as far as it is not there.
/// REQUIRES: calibration.has_cache(). Throws as Calibration does.
void count_for_integer(const ir::Graph& bound, Calibration& calibration, const Config& config,
                       Log& log);

/// Layers by name (quant::layer_names() of the plan's graph) that become more exact than they were.
struct MoreExactLayers {
  std::vector<std::string> wide;      ///< inputs of 16 bits
  std::vector<std::string> in_float;  ///< floating point
};

/// Whether with_more_exact() corrects biases for the network that it makes, or leaves them as
/// they are. The first takes as long as correcting biases does.
enum class Biases : std::uint8_t { kAnew, kAsTheyAre };

/// The same with `layers`. What calibration found is used again; samples are only read for biases,
/// and for a value that is stored as integers now and was not before.
CalibratedNetwork with_more_exact(const CalibratedNetwork& network, const MoreExactLayers& layers,
                                  Biases biases, Samples& samples, const Config& config,
                                  const RunOptions& run, Log& log);

}  // namespace tvmq::driver
