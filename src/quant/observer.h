// Streaming statistics of one value of the network over all calibration samples.
//
// Two passes over the samples, because the histogram needs to know the range first:
//
//   ValueObserver observer({.percentile = true, .histogram = true});
//   for (batch...) observer.observe_range(elements, batch);       // pass 1: min, max, counts
//   observer.begin_histogram(rank);
//   for (batch...) observer.observe_histogram(elements);          // pass 2: 8001 bins
//   const ValueStatistics& result = observer.statistics();
//
// Everything that is kept is a minimum, a maximum or an integer count. These can be combined in any
// order, so the result is the same for any number of threads and any order of the samples, to the
// last bit, and memory does not depend on the number of samples.
#pragma once

#include <cstdint>
#include <limits>
#include <mutex>
#include <span>
#include <utility>

#include "quant/sparse_counts.h"

namespace tvmq::quant {

/// What to collect beside the range.
struct StatisticsKinds {
  bool percentile = false;  ///< counts that give any order statistic of |x|, exactly
  bool histogram = false;   ///< ValueStatistics::histogram
  bool operator==(const StatisticsKinds&) const = default;
  [[nodiscard]] bool need_second_pass() const { return percentile || histogram; }
};

/// What pass 1 learns. Of no elements: count 0, min +inf, max -inf.
struct RangeStatistics {
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
  std::uint64_t count = 0;
  std::uint64_t zeros = 0;  ///< elements equal to 0.0 or -0.0
  /// The smallest number of a batch with a NaN or an infinity; min and max mean nothing then.
  std::int64_t first_nonfinite_batch = kNone;

  /// max(|min|, |max|); 0 of no elements.
  [[nodiscard]] float absmax() const;
  void merge(const RangeStatistics& other);
  bool operator==(const RangeStatistics&) const = default;
};

/// Range, zeros and non-finite values of `elements`, all of which belong to `batch`.
RangeStatistics range_of(std::span<const float> elements, std::int64_t batch);

/// The statistics of one value, complete after the pass that collects them.
struct ValueStatistics {
  RangeStatistics range;
  /// kHistogramBins counts over [-range.absmax(), range.absmax()]; empty if not collected.
  SparseCounts histogram;
  /// How many |x| have these upper 16 bits of their float32 pattern (kUpperCounts of them, since
  /// the sign is off); empty if not collected. Patterns of |x| order like the values.
  SparseCounts upper_counts;
  /// Of the |x| whose upper bits are `selected_upper`: how many have these lower 16 bits
  /// (kLowerCounts); empty if not collected.
  SparseCounts lower_counts;
  std::uint32_t selected_upper = 0;

  bool operator==(const ValueStatistics&) const = default;
};

inline constexpr std::size_t kUpperCounts = 0x8000;
inline constexpr std::size_t kLowerCounts = 0x10000;

/// Collects ValueStatistics. observe_range() and observe_histogram() may be called from several
/// threads at once; everything else only while no such call is under way.
class ValueObserver {
 public:
  explicit ValueObserver(StatisticsKinds kinds);
  /// Goes on where another one with these statistics was.
  ValueObserver(StatisticsKinds kinds, ValueStatistics statistics);

  /// Pass 1. False if there is a NaN or an infinity among `elements`.
  bool observe_range(std::span<const float> elements, std::int64_t batch);
  /// Between the passes. `rank`: which of the |x| in ascending order (0-based) pass 2 shall find to
  /// the last bit; ignored unless percentile counts are collected.
  void begin_histogram(std::uint64_t rank = 0);
  /// Pass 2, over the same elements as pass 1.
  void observe_histogram(std::span<const float> elements);
  /// Adds what another observer of the same kinds saw of other samples in the same pass.
  void merge(const ValueObserver& other);

  [[nodiscard]] const ValueStatistics& statistics() const { return statistics_; }
  void swap_statistics(ValueStatistics& other) { std::swap(statistics_, other); }

 private:
  void add_histogram(std::span<const float> elements);
  void add_lower_counts(std::span<const float> elements);

  StatisticsKinds kinds_;
  std::mutex mutex_;
  ValueStatistics statistics_;
};

}  // namespace tvmq::quant
