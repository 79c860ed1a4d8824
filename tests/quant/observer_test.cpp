#include "quant/observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "base/error.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

using ::testing::ElementsAreArray;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The definition, one value at a time.
std::vector<std::uint32_t> count_one_by_one(float absmax, std::span<const float> elements) {
  const std::vector<float> edges = histogram_edges(absmax);
  std::vector<std::uint32_t> counts(kHistogramBins);
  for (const float x : elements) ++counts[static_cast<std::size_t>(histogram_bin(edges, x))];
  return counts;
}

std::vector<float> random_values(std::size_t count, float absmax, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> values(count);
  for (float& value : values) {
    value = std::clamp(uniform(generator) * absmax, -absmax, absmax);
  }
  if (!values.empty()) values.back() = absmax;
  return values;
}

TEST(HistogramEdges, AreNumpysFloats) {
  // np.histogram(np.array([-3.5, 3.67704487], np.float32), bins=8001, range=(-t, t))[1][4001]
  const std::vector<float> edges = histogram_edges(3.67704487F);
  ASSERT_EQ(edges.size(), 8002U);
  EXPECT_EQ(edges[4001], 0.000459573173F);
  EXPECT_EQ(edges[0], -3.67704487F);
  EXPECT_EQ(edges[8001], 3.67704487F);
  EXPECT_EQ(edges[7818], 3.50884104F);
}

TEST(HistogramEdges, OfAllZerosReachToOneHalf) {
  const std::vector<float> edges = histogram_edges(0.0F);
  EXPECT_EQ(edges.front(), -0.5F);
  EXPECT_EQ(edges.back(), 0.5F);
  EXPECT_EQ(edges[4128], 0.0159355085F);
}

TEST(HistogramBin, HoldsItsLeftEdgeAndTheLastBinBoth) {
  const std::vector<float> edges = histogram_edges(4.0F);
  EXPECT_EQ(histogram_bin(edges, -4.0F), 0);
  EXPECT_EQ(histogram_bin(edges, 4.0F), 8000);
  EXPECT_EQ(histogram_bin(edges, 0.0F), kZeroBin);
  EXPECT_EQ(histogram_bin(edges, -0.0F), kZeroBin);
  EXPECT_EQ(histogram_bin(edges, edges[17]), 17);
  EXPECT_EQ(histogram_bin(edges, std::nextafter(edges[17], -kInfinity)), 16);
}

std::vector<std::uint64_t> count_at_once(float absmax, std::span<const float> values) {
  HistogramCounter counter;
  SparseCounts counts(kHistogramBins);
  counter.count(absmax, values);
  counter.move_to(counts);
  return counts.to_vector();
}

class HistogramCounterRange : public ::testing::TestWithParam<float> {};

TEST_P(HistogramCounterRange, CountsAsTheDefinitionDoesAroundEveryEdge) {
  const float absmax = GetParam();
  std::vector<float> values = {0.0F,
                               -0.0F,
                               absmax,
                               -absmax,
                               std::numeric_limits<float>::min(),
                               std::numeric_limits<float>::denorm_min()};
  for (const float edge : histogram_edges(absmax)) {
    values.push_back(edge);
    for (const float towards : {-kInfinity, kInfinity}) {
      float near = edge;
      for (int step = 0; step < 3; ++step) values.push_back(near = std::nextafter(near, towards));
    }
  }
  std::erase_if(values, [&](float x) { return std::fabs(x) > absmax; });
  EXPECT_THAT(count_at_once(absmax, values), ElementsAreArray(count_one_by_one(absmax, values)));
}

TEST_P(HistogramCounterRange, CountsAsTheDefinitionDoesForRandomValues) {
  const float absmax = GetParam();
  const std::vector<float> values = random_values(100'003, absmax, 7);
  EXPECT_THAT(count_at_once(absmax, values), ElementsAreArray(count_one_by_one(absmax, values)));
}

INSTANTIATE_TEST_SUITE_P(Ranges, HistogramCounterRange,
                         ::testing::Values(0.0F, 1.0F, 6.0F, 3.67704487F, 0.1F, 8001.0F, 4000.5F,
                                           1e-41F, 1e-38F, 9.9e-31F, 1.01e-30F, 4.46e-20F, 4.17e20F,
                                           3.4028234e38F, 255.0F, 1.9999999F,
                                           std::numeric_limits<float>::denorm_min()));

TEST(HistogramCounter, StaysInsideForValuesOutsideTheRange) {
  const std::vector<float> values = {
      -kInfinity, -1e30F, -1.5F, 1.5F, 1e30F, kInfinity, std::numeric_limits<float>::quiet_NaN()};
  const auto counts = count_at_once(1.0F, values);
  EXPECT_EQ(counts.front() + counts.back(), values.size());
}

TEST(HistogramCounter, ForgetsWhatItHandedOver) {
  HistogramCounter counter;
  SparseCounts first(kHistogramBins);
  counter.count(1.0F, std::vector<float>{0.0F, 1.0F});
  counter.move_to(first);
  EXPECT_EQ(first[kZeroBin], 1U);
  SparseCounts second(kHistogramBins);
  counter.count(1.0F, std::vector<float>{1.0F});
  counter.move_to(second);
  EXPECT_EQ(second[kHistogramBins - 1], 1U);
  EXPECT_EQ(second[kZeroBin], 0U);
}

TEST(RangeOf, SeesExtremesZerosAndCount) {
  const std::vector<float> values = {0.5F, -2.0F, 0.0F, -0.0F, 1.25F};
  const RangeStatistics range = range_of(values, 3);
  EXPECT_EQ(range.min, -2.0F);
  EXPECT_EQ(range.max, 1.25F);
  EXPECT_EQ(range.absmax(), 2.0F);
  EXPECT_EQ(range.count, 5U);
  EXPECT_EQ(range.zeros, 2U);
  EXPECT_EQ(range.first_nonfinite_batch, RangeStatistics::kNone);
}

TEST(RangeOf, NothingIsNeutral) {
  RangeStatistics range = range_of({}, 0);
  EXPECT_EQ(range, RangeStatistics());
  EXPECT_EQ(range.absmax(), 0.0F);
  const RangeStatistics other = range_of(std::vector<float>{-1.0F}, 0);
  range.merge(other);
  EXPECT_EQ(range, other);
}

TEST(RangeOf, ZeroHasNoSign) {
  EXPECT_FALSE(std::signbit(range_of(std::vector<float>{-0.0F}, 0).min));
  EXPECT_FALSE(std::signbit(range_of(std::vector<float>{-0.0F, -1.0F}, 0).max));
}

TEST(RangeOf, NotesTheBatchOfNonFiniteValues) {
  for (const float bad : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN(),
                          -std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> values(1000, 1.0F);
    values[777] = bad;
    RangeStatistics range = range_of(values, 5);
    EXPECT_EQ(range.first_nonfinite_batch, 5);
    range.merge(range_of(values, 2));
    EXPECT_EQ(range.first_nonfinite_batch, 2);
  }
}

/// Both passes over `parts`, on `threads` threads.
ValueStatistics observe(const std::vector<std::vector<float>>& parts, std::size_t threads,
                        std::uint64_t rank) {
  ValueObserver observer({.percentile = true, .histogram = true});
  const auto on_threads = [&](auto&& work) {
    std::vector<std::thread> workers;
    for (std::size_t worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&, worker] {
        for (std::size_t i = worker; i < parts.size(); i += threads) work(i);
      });
    }
    for (std::thread& each : workers) each.join();
  };
  on_threads(
      [&](std::size_t i) { observer.observe_range(parts[i], static_cast<std::int64_t>(i)); });
  observer.begin_histogram(rank);
  on_threads([&](std::size_t i) { observer.observe_histogram(parts[i]); });
  return observer.statistics();
}

std::vector<std::vector<float>> some_parts() {
  std::vector<std::vector<float>> parts;
  for (std::uint32_t i = 0; i < 23; ++i) {
    parts.push_back(random_values(1000 + 77 * i, 0.5F + 0.1F * static_cast<float>(i), i));
    for (float& x : parts.back()) x = std::max(x, 0.0F);
  }
  parts.emplace_back();
  return parts;
}

TEST(ValueObserver, IsTheSameForAnyNumberOfThreads) {
  const ValueStatistics one = observe(some_parts(), 1, 40'000);
  EXPECT_EQ(observe(some_parts(), 2, 40'000), one);
  EXPECT_EQ(observe(some_parts(), 7, 40'000), one);
  EXPECT_EQ(one.histogram.total(), one.range.count);
}

TEST(ValueObserver, MergesExactly) {
  const auto parts = some_parts();
  const StatisticsKinds kinds{.percentile = true, .histogram = true};
  ValueObserver left(kinds);
  ValueObserver right(kinds);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    (i % 3 == 0 ? left : right).observe_range(parts[i], static_cast<std::int64_t>(i));
  }
  ValueObserver whole(kinds);
  whole.merge(left);
  whole.merge(right);
  const ValueStatistics expected = observe(parts, 1, 100);
  EXPECT_EQ(whole.statistics().range, expected.range);
  EXPECT_EQ(whole.statistics().upper_counts, expected.upper_counts);
}

TEST(ValueObserver, CollectsOnlyWhatItIsAskedFor) {
  ValueObserver observer({});
  observer.observe_range(std::vector<float>{1.0F}, 0);
  observer.begin_histogram();
  observer.observe_histogram(std::vector<float>{1.0F});
  EXPECT_TRUE(observer.statistics().histogram.empty());
  EXPECT_TRUE(observer.statistics().upper_counts.empty());
  EXPECT_TRUE(observer.statistics().lower_counts.empty());
}

TEST(ValueObserver, LocatesAnOrderStatisticToTheLastBit) {
  std::vector<float> values = random_values(10'000, 3.0F, 42);
  ValueObserver observer({.percentile = true, .histogram = false});
  observer.observe_range(values, 0);
  observer.begin_histogram(9'876);
  observer.observe_histogram(values);
  for (float& x : values) x = std::fabs(x);
  std::sort(values.begin(), values.end());
  const ValueStatistics& statistics = observer.statistics();
  const std::uint64_t below = statistics.upper_counts.below(statistics.selected_upper);
  const auto lower = statistics.lower_counts.counter_of_rank(9'876 - below);
  const auto bits = (statistics.selected_upper << 16) | static_cast<std::uint32_t>(lower);
  EXPECT_EQ(std::bit_cast<float>(bits), values[9'876]);
}

}  // namespace
}  // namespace tvmq::quant
