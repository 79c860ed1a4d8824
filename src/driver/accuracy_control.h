// Accuracy control: layers become more exact, worst first, until a bound on the result holds
// (MaxAccuracyDrop, MinSqnr): their input gets 16 bits where that gains most of what floating point
// would, else they go to floating point.
//
//   rank      the output error of the integer network with each layer alone in floating point, and
//             with 16 bits
//   search    the fewest of the worst layers with which the bound holds
//   give back those of them, dearest first, without which it holds too
//   keep      the plan, so that the next run needs no search (PlanFile)
//
// Calibration is not repeated: the ranges that it found serve every choice of layers. Biases are
// corrected anew for every choice but in ranking: a correction makes up for the rounding errors of
// all layers in front of it, and is wrong where some of these are no longer made.
#pragma once

#include <optional>

#include "base/log.h"
#include "driver/calibrated_network.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"
#include "quant/accuracy_plan.h"
#include "report/report.h"

namespace tvmq::driver {

/// Whether the configuration sets a bound.
bool controls_accuracy(const Config& config);

struct AccuracyControlResult {
  CalibratedNetwork network;  ///< with the layers that must be more exact
  report::AccuracyControl report;
  std::optional<quant::AccuracyPlan> plan;  ///< after a search: to be kept
};

/// Searches, or uses the plan in PlanFile if that file is there.
/// Throws InputError: the bound does not hold with any layer on integers, or with the plan; no
/// samples to measure with; MaxAccuracyDrop on a network that is no classifier; a plan of another
/// model.
AccuracyControlResult control_accuracy(const ir::Graph& bound, const CalibratedNetwork& network,
                                       Samples& samples, const Config& config,
                                       const RunOptions& run, Log& log);

}  // namespace tvmq::driver
