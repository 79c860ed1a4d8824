// The histogram that TVM's KL search looks at: 8001 equal bins over [-t, t], where t is the largest
// |x| of all samples (relay_quantize.md 3.3, steps 1 to 3).
//
// The edges are the float32 values that numpy 1.x computes, and a value belongs to the bin k with
// e[k] <= x < e[k+1]; the last bin also holds t. Counts are exact integers, so that they can be
// summed in any order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quant/sparse_counts.h"
#include "quant/split_counters.h"

namespace tvmq::quant {

inline constexpr int kHistogramBins = 8001;
/// The bin around 0.0, which holds it: see zero_bin().
inline constexpr int kZeroBin = kHistogramBins / 2;

/// All kHistogramBins + 1 edges over [-absmax, absmax], ascending; over [-0.5, 0.5] if absmax is 0.
/// Below absmax of about 1e-41 float32 cannot tell all edges apart and some are equal.
/// REQUIRES: absmax is finite and >= 0.
std::vector<float> histogram_edges(float absmax);

/// The definition of the bin of `x`: the last bin whose left edge is <= x.
/// REQUIRES: edges.front() <= x <= edges.back().
int histogram_bin(std::span<const float> edges, float x);

/// The bin of 0.0: kZeroBin, or one above where edges are equal.
int zero_bin(float absmax);

/// The same for many values at once. Owned by one thread.
class HistogramCounter {
 public:
  /// At most so many elements between two calls of move_to().
  static constexpr std::size_t kMaxElements = SplitCounters::kMostIncrements;

  /// Counts `elements` in the kHistogramBins bins over [-absmax, absmax]. An element outside is
  /// counted in one of the end bins.
  void count(float absmax, std::span<const float> elements);
  /// Adds the counts of each bin to `histogram` and starts again from zero.
  void move_to(SparseCounts& histogram);

 private:
  SplitCounters counters_{kHistogramBins};
  std::uint64_t zeros_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace tvmq::quant
