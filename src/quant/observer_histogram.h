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

namespace tvmq::quant {

inline constexpr int kHistogramBins = 8001;
/// The bin that holds 0.0.
inline constexpr int kZeroBin = kHistogramBins / 2;

/// All kHistogramBins + 1 edges over [-absmax, absmax], ascending; over [-0.5, 0.5] if absmax is 0.
/// Below absmax of about 1e-41 float32 cannot tell all edges apart and some are equal.
/// REQUIRES: absmax is finite and >= 0.
std::vector<float> histogram_edges(float absmax);

/// The definition of the bin of `x`: the last bin whose left edge is <= x.
/// REQUIRES: edges.front() <= x <= edges.back().
int histogram_bin(std::span<const float> edges, float x);

/// The same for many values at once. Owned by one thread: it holds the scratch memory.
class HistogramCounter {
 public:
  /// At most so many elements per call of count(), so that 32 bits hold every count.
  static constexpr std::size_t kMaxElements = std::size_t{1} << 31;

  /// How many of `elements` are in each of the kHistogramBins bins over [-absmax, absmax]. The
  /// result is valid until the next call.
  /// An element outside [-absmax, absmax] is counted in one of the end bins.
  std::span<const std::uint32_t> count(float absmax, std::span<const float> elements);

 private:
  std::vector<std::uint32_t> counts_;
};

}  // namespace tvmq::quant
