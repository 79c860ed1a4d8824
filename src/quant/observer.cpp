#include "quant/observer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "quant/observer_histogram.h"
#include "quant/observer_indices.h"
#include "quant/split_counters.h"

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

/// Calls visit(part) for parts of `elements` that are small enough for 16-bit counts.
template <class Visitor>
void for_each_part(std::span<const float> elements, Visitor&& visit) {
  constexpr std::size_t kPart = SplitCounters::kMostIncrements / kIndexBlock * kIndexBlock;
  for (std::size_t first = 0; first < elements.size(); first += kPart) {
    visit(elements.subspan(first, std::min(kPart, elements.size() - first)));
  }
}

/// Counts of the upper bits of |x|.
class UpperCounter {
 public:
  void count(std::span<const float> elements) {
    std::array<std::uint16_t, kIndexBlock + kIndexSlack> indices;
    for (std::size_t first = 0; first < elements.size(); first += kIndexBlock) {
      const std::size_t size = std::min(kIndexBlock, elements.size() - first);
      const IndexedBlock block = index_upper_bits(elements.subspan(first, size), indices.data());
      counters_.increment({indices.data(), block.indices});
      zeros_ += block.zeros;
    }
  }
  void move_to(SparseCounts& counts) {
    counters_.move_to(counts);
    counts.add(0, zeros_);
    zeros_ = 0;
  }

 private:
  SplitCounters counters_{kUpperCounts};
  std::uint64_t zeros_ = 0;
};

/// Of the elements whose upper bits are `selected`: how many there are, and which of the lower bits
/// are set in any and in all of them.
struct SelectedElements {
  std::uint32_t count = 0;
  std::uint32_t any = 0;
  std::uint32_t all = 0xFFFF;
};
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) SelectedElements
find_selected(const float* elements, std::size_t count, std::uint32_t selected) {
  SelectedElements found;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(elements[i]) & kMagnitudeBits;
    const std::uint32_t lower = magnitude & 0xFFFF;
    const bool is_selected = magnitude >> 16 == selected;
    found.count += static_cast<std::uint32_t>(is_selected);
    found.any |= is_selected ? lower : 0;
    found.all &= is_selected ? lower : 0xFFFF;
  }
  return found;
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

ValueObserver::ValueObserver(StatisticsKinds kinds) : ValueObserver(kinds, {}) {}

ValueObserver::ValueObserver(StatisticsKinds kinds, ValueStatistics statistics)
    : kinds_(kinds), statistics_(std::move(statistics)) {
  SparseCounts& counts = statistics_.upper_counts;
  if (kinds.percentile && counts.empty()) counts = SparseCounts(kUpperCounts);
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
      counter.count(part);
      const std::lock_guard lock(mutex_);
      counter.move_to(statistics_.upper_counts);
    });
  }
  return range.first_nonfinite_batch == RangeStatistics::kNone;
}

void ValueObserver::begin_histogram(std::uint64_t rank) {
  if (kinds_.histogram) statistics_.histogram = SparseCounts(kHistogramBins);
  if (kinds_.percentile && statistics_.range.count > 0) {
    statistics_.lower_counts = SparseCounts(kLowerCounts);
    statistics_.selected_upper =
        static_cast<std::uint32_t>(statistics_.upper_counts.counter_of_rank(rank));
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
  counter.count(statistics_.range.absmax(), elements);
  const std::lock_guard lock(mutex_);
  counter.move_to(statistics_.histogram);
}

void ValueObserver::add_lower_counts(std::span<const float> elements) {
  const std::uint32_t selected = statistics_.selected_upper;
  for (std::size_t first = 0; first < elements.size(); first += kIndexBlock) {
    const std::span<const float> block =
        elements.subspan(first, std::min(kIndexBlock, elements.size() - first));
    const SelectedElements found = find_selected(block.data(), block.size(), selected);
    if (found.count == 0) continue;
    const std::lock_guard lock(mutex_);
    if (found.any == found.all) {  // all alike: the upper limit of a clip
      statistics_.lower_counts.add(found.all, found.count);
      continue;
    }
    for (const float x : block) {
      const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(x) & kMagnitudeBits;
      if (magnitude >> 16 == selected) statistics_.lower_counts.add(magnitude & 0xFFFF, 1);
    }
  }
}

void ValueObserver::merge(const ValueObserver& other) {
  check(kinds_ == other.kinds_, "observers of the same kinds in the same pass");
  const ValueStatistics& from = other.statistics_;
  statistics_.range.merge(from.range);
  statistics_.upper_counts.add(from.upper_counts);
  statistics_.histogram.add(from.histogram);
  check(from.selected_upper == statistics_.selected_upper, "observers of the same pass");
  statistics_.lower_counts.add(from.lower_counts);
}

}  // namespace tvmq::quant
