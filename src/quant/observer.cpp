#include "quant/observer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

constexpr std::uint32_t kMagnitudeBits = 0x7FFFFFFF;
constexpr std::uint32_t kInfinityBits = 0x7F800000;

/// The order of float32 values as the order of integers: its own inverse.
constexpr std::int32_t to_ordered(std::int32_t bits) {
  return bits ^ ((bits >> 31) & static_cast<std::int32_t>(kMagnitudeBits));
}

struct BitRange {
  std::int32_t min;  ///< to_ordered()
  std::int32_t max;
  std::uint32_t max_magnitude;
  std::uint32_t zeros;
};

/// One sweep in integers, which the compiler may reorder as it likes. REQUIRES: 1 <= count < 2^31.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) BitRange bit_range_of(
    const float* elements, std::size_t count) {
  std::int32_t min = std::numeric_limits<std::int32_t>::max();
  std::int32_t max = std::numeric_limits<std::int32_t>::min();
  std::uint32_t max_magnitude = 0;
  std::uint32_t zeros = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::int32_t>(elements[i]);
    const std::int32_t ordered = to_ordered(bits);
    const std::uint32_t magnitude = static_cast<std::uint32_t>(bits) & kMagnitudeBits;
    min = ordered < min ? ordered : min;
    max = ordered > max ? ordered : max;
    max_magnitude = magnitude > max_magnitude ? magnitude : max_magnitude;
    zeros += static_cast<std::uint32_t>(magnitude == 0);
  }
  return {min, max, max_magnitude, zeros};
}

/// Calls visit(part) for parts of `elements` that are small enough for 32-bit counts.
template <class Visitor>
void for_each_part(std::span<const float> elements, Visitor&& visit) {
  constexpr std::size_t kPart = HistogramCounter::kMaxElements - 1;
  for (std::size_t first = 0; first < elements.size(); first += kPart) {
    visit(elements.subspan(first, std::min(kPart, elements.size() - first)));
  }
}

/// Counts of the upper bits of |x|. Zeros, which a ReLU makes many of, are counted by their
/// position so that increments do not wait for each other.
class UpperCounter {
 public:
  std::span<const std::uint32_t> count(std::span<const float> elements) {
    counts_.assign(kUpperCounts + kSpread, 0);
    std::array<std::uint32_t, kBlock> block;
    for (std::size_t first = 0; first < elements.size(); first += kBlock) {
      const std::size_t size = std::min(kBlock, elements.size() - first);
      find_counters(elements.data() + first, size, block.data());
      std::uint32_t* const counts = counts_.data();
      for (std::size_t i = 0; i < size; ++i) ++counts[block[i]];
    }
    counts_[0] = std::accumulate(counts_.begin() + kUpperCounts, counts_.end(), counts_[0]);
    return {counts_.data(), kUpperCounts};
  }

 private:
  static constexpr std::size_t kBlock = 1024;
  static constexpr std::size_t kSpread = 16;

  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) static void
  find_counters(const float* elements, std::size_t count, std::uint32_t* counters) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(elements[i]) & kMagnitudeBits;
      const auto zero = static_cast<std::uint32_t>(kUpperCounts + i % kSpread);
      counters[i] = magnitude == 0 ? zero : magnitude >> 16;
    }
  }

  std::vector<std::uint32_t> counts_;
};

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) bool any_selected(
    const float* elements, std::size_t count, std::uint32_t selected) {
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(elements[i]) & kMagnitudeBits;
    found |= static_cast<std::uint32_t>(magnitude >> 16 == selected);
  }
  return found != 0;
}

/// Most of many counters are usually zero; skipping them saves reading twice as much of `to`.
void add(std::span<const std::uint32_t> from, std::vector<std::uint64_t>& to) {
  constexpr std::size_t kBlock = 16;
  for (std::size_t first = 0; first < from.size(); first += kBlock) {
    const std::size_t last = std::min(first + kBlock, from.size());
    std::uint32_t any = 0;
    for (std::size_t i = first; i < last; ++i) any |= from[i];
    if (any == 0) continue;
    for (std::size_t i = first; i < last; ++i) to[i] += from[i];
  }
}
void add(const std::vector<std::uint64_t>& from, std::vector<std::uint64_t>& to) {
  check(from.size() == to.size(), "observers of the same kinds in the same pass");
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

float RangeStatistics::absmax() const {
  return count == 0 ? 0.0F : std::max(std::fabs(min), std::fabs(max));
}

void RangeStatistics::merge(const RangeStatistics& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  count += other.count;
  zeros += other.zeros;
  first_nonfinite_batch = std::min(first_nonfinite_batch, other.first_nonfinite_batch);
}

RangeStatistics range_of(std::span<const float> elements, std::int64_t batch) {
  RangeStatistics result;
  for_each_part(elements, [&](std::span<const float> part) {
    const BitRange bits = bit_range_of(part.data(), part.size());
    // Adding 0.0 turns -0.0 into 0.0, which must not depend on the order of the samples.
    result.merge({.min = std::bit_cast<float>(to_ordered(bits.min)) + 0.0F,
                  .max = std::bit_cast<float>(to_ordered(bits.max)) + 0.0F,
                  .count = part.size(),
                  .zeros = bits.zeros,
                  .first_nonfinite_batch =
                      bits.max_magnitude >= kInfinityBits ? batch : RangeStatistics::kNone});
  });
  return result;
}

std::size_t counter_of_rank(std::span<const std::uint64_t> counts, std::uint64_t rank) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (rank < counts[i]) return i;
    rank -= counts[i];
  }
  throw InternalError("a rank below the number of elements");
}

ValueObserver::ValueObserver(StatisticsKinds kinds) : kinds_(kinds) {
  if (kinds.percentile) statistics_.upper_counts.resize(kUpperCounts);
}

bool ValueObserver::observe_range(std::span<const float> elements, std::int64_t batch) {
  const RangeStatistics range = range_of(elements, batch);
  {
    const std::lock_guard lock(mutex_);
    statistics_.range.merge(range);
  }
  if (kinds_.percentile) {
    thread_local UpperCounter counter;
    for_each_part(elements, [&](std::span<const float> part) {
      const std::span<const std::uint32_t> counts = counter.count(part);
      const std::lock_guard lock(mutex_);
      add(counts, statistics_.upper_counts);
    });
  }
  return range.first_nonfinite_batch == RangeStatistics::kNone;
}

void ValueObserver::begin_histogram(std::uint64_t rank) {
  if (kinds_.histogram) statistics_.histogram.assign(kHistogramBins, 0);
  if (kinds_.percentile && statistics_.range.count > 0) {
    statistics_.lower_counts.assign(kLowerCounts, 0);
    statistics_.selected_upper =
        static_cast<std::uint32_t>(counter_of_rank(statistics_.upper_counts, rank));
  }
}

void ValueObserver::observe_histogram(std::span<const float> elements) {
  for_each_part(elements, [&](std::span<const float> part) {
    if (kinds_.histogram) add_histogram(part);
    if (kinds_.percentile) add_lower_counts(part);
  });
}

void ValueObserver::add_histogram(std::span<const float> elements) {
  thread_local HistogramCounter counter;
  const std::span<const std::uint32_t> counts = counter.count(statistics_.range.absmax(), elements);
  const std::lock_guard lock(mutex_);
  add(counts, statistics_.histogram);
}

void ValueObserver::add_lower_counts(std::span<const float> elements) {
  constexpr std::size_t kBlock = 1024;
  const std::uint32_t selected = statistics_.selected_upper;
  for (std::size_t first = 0; first < elements.size(); first += kBlock) {
    const std::span<const float> block =
        elements.subspan(first, std::min(kBlock, elements.size() - first));
    if (!any_selected(block.data(), block.size(), selected)) continue;
    const std::lock_guard lock(mutex_);
    for (const float x : block) {
      const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(x) & kMagnitudeBits;
      if (magnitude >> 16 == selected) ++statistics_.lower_counts[magnitude & 0xFFFF];
    }
  }
}

void ValueObserver::merge(const ValueObserver& other) {
  check(kinds_ == other.kinds_, "observers of the same kinds in the same pass");
  const ValueStatistics& from = other.statistics_;
  statistics_.range.merge(from.range);
  add(from.upper_counts, statistics_.upper_counts);
  add(from.histogram, statistics_.histogram);
  check(from.selected_upper == statistics_.selected_upper, "observers of the same pass");
  add(from.lower_counts, statistics_.lower_counts);
}

}  // namespace tvmq::quant
