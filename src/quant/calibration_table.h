// The result of calibration: one threshold per observed value, and what it was found from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quant/graph_hash.h"
#include "quant/sparse_counts.h"
#include "quant/threshold.h"

namespace tvmq::quant {

/// One observed value.
struct CalibrationEntry {
  std::string name;  ///< ir::describe() of the value; for people, need not be unique
  float threshold = 0;
  float absmax = 0;  ///< max(|min|, |max|) over all samples
  float min = 0;
  float max = 0;
  std::int64_t count = 0;  ///< elements seen
  std::int64_t zeros = 0;  ///< of them 0.0 or -0.0
  /// The threshold of CalibMode::kPercentile, which a histogram does not tell exactly.
  std::optional<float> percentile = std::nullopt;
  /// kHistogramBins counts over [-absmax, absmax], or empty: with them the threshold of another
  /// mode can be found without the images.
  SparseCounts histogram = {};
  bool operator==(const CalibrationEntry&) const = default;
};

struct CalibrationTable {
  CalibMode mode = CalibMode::kMse;
  std::string graph_hash;     ///< graph_hash() of the graph that was observed
  std::string preprocessing;  ///< what was done to the images, in the caller's words
  std::int64_t samples = 0;   ///< batches that were seen; 0 if the mode needs none
  /// In TVM's visit order (relay_quantize.md 3.3): as `observed` was given to calibrate().
  std::vector<CalibrationEntry> entries = {};
  bool operator==(const CalibrationTable&) const = default;
};

}  // namespace tvmq::quant
