// One function per Scheme: float graph in, quantized module out.
#pragma once

#include <optional>

#include "analysis/quantized_network.h"
#include "base/log.h"
#include "driver/calibration.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"
#include "quant/accuracy_plan.h"
#include "quant/calibration_table.h"
#include "quant/summary.h"
#include "report/report.h"

namespace tvmq::driver {

struct SchemeResult {
  ir::Module module;
  quant::QuantizationSummary summary;
  report::Calibration calibration;
  analysis::QuantizedNetwork network;  ///< for measurements on it
  std::optional<report::AccuracyControl> accuracy_control = {};
  std::optional<quant::AccuracyPlan> plan = {};  ///< to be kept
  quant::CalibrationTable table;  ///< one entry per network.stored; none if nothing was seen
};

/// The graph that tvm.relay.quantize builds for the same options (quant/tvm_scheme.h).
SchemeResult run_tvm_scheme(const ir::Graph& bound, Samples& samples, const Config& config,
                            const RunOptions& run, Log& log);

/// Our own: per-channel weights, uint8 activations (quant/integer_scheme.h).
SchemeResult run_integer_scheme(const ir::Graph& bound, Samples& samples, const Config& config,
                                const RunOptions& run, Log& log);

/// Puts what run_tvm_scheme() needs into the calibration cache, as far as it is not there.
/// REQUIRES: calibration.has_cache(). Throws as Calibration does, and what annotation throws.
void count_for_tvm(const ir::Graph& bound, Calibration& calibration, const Config& config,
                   Log& log);

}  // namespace tvmq::driver
