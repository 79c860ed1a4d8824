// Runs the calibration samples through the float network and finds a threshold for every value that
// will be quantized.
//
//   batches --load--> Session (one per thread) --tap--> ValueObserver (one per value) --> threshold
//
// One pass over the samples for modes that only need the range, two for the others (the histogram
// needs the range first). Memory depends on the network and on the number of threads, never on the
// number of samples; the result has the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "ir/graph.h"
#include "quant/calibration_counts.h"
#include "quant/calibration_table.h"
#include "quant/count_samples.h"
#include "quant/threshold.h"

namespace tvmq::quant {

struct CalibrateOptions {
  CalibMode mode = CalibMode::kMse;
  /// Per observed value, for kMse: steps of its integer grid between 0 and the threshold (see
  /// ThresholdOptions). Empty: (1 << (bits - 1)) - 1 for all.
  std::vector<int> mse_steps = {};
  int bits = 8;
  float global_scale = 8.0F;  ///< for kGlobalScale
  /// Worker threads; 0: as many as the machine has. Does not change the result.
  int threads = 0;
  /// Put the histograms into the table, collecting them even if the mode does not need them.
  bool keep_histograms = false;
  std::string preprocessing = {};  ///< goes into the table as it is
};

/// One entry per element of `observed`, in that order. The graph must be typed. `observed` may
/// contain inputs, constants (their statistics are those of the constant) and the same node twice.
///
/// kGlobalScale never touches the samples. Batches that load as nothing are left out and reported
/// once by a warning.
///
/// Throws InputError: NaN or infinity in an observed value (names value and batch), no batch could
/// be loaded, a batch that loads once and not the second time, no kernel for an operator. What a
/// worker throws is thrown here, the one of the smallest batch, after all workers have ended.
CalibrationTable calibrate(const ir::Graph& graph, std::span<const ir::NodeId> observed,
                           const BatchSource& source, const CalibrateOptions& options, Log& log);

/// What the counts say about `observed`, all of which are in the counts or constants. The table's
/// mode needs no more than what was counted.
CalibrationTable table_of(const ir::Graph& graph, std::span<const ir::NodeId> observed,
                          const CalibrationCounts& counts, const CalibrateOptions& options);

}  // namespace tvmq::quant
