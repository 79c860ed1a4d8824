#include "quant/interval.h"

#include <gtest/gtest.h>

#include <limits>

#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

/// Many small values and a single far one.
CalibrationEntry with_outlier(float outlier) {
  CalibrationEntry entry{.name = "x",
                         .threshold = 1.5F,
                         .absmax = outlier,
                         .min = 0,
                         .max = outlier,
                         .count = 100'001,
                         .zeros = 0,
                         .histogram = SparseCounts(kHistogramBins)};
  const auto edges = histogram_edges(outlier);
  for (int i = 0; i < 100'000; ++i) {
    const int bin = histogram_bin(edges, static_cast<float>(i) / 100'000);
    entry.histogram.add(static_cast<std::size_t>(bin), 1);
  }
  entry.histogram.add(kHistogramBins - 1, 1);
  return entry;
}

TEST(Interval, MseCutsAnOutlierThatCostsMoreThanItIsWorth) {
  // The error is 100,001 (t/255)^2 / 12 + (4 - t)^2, least at t = 4 / (1 + 0.1282) = 3.546.
  EXPECT_NEAR(interval_of(with_outlier(4), CalibMode::kMse, 8).high, 3.546, 0.02);
  // With 4 bits the same outlier costs 100,001 * (4/15)^2 / 12 = 593: it goes.
  EXPECT_LT(interval_of(with_outlier(4), CalibMode::kMse, 4).high, 1.2F);
}

TEST(Interval, NeverWiderThanWhatWasSeen) {
  for (const CalibMode mode : {CalibMode::kMse, CalibMode::kMinMax, CalibMode::kPercentile}) {
    const Interval interval = interval_of(with_outlier(4), mode, 8);
    EXPECT_GE(interval.low, 0.0F);
    EXPECT_LE(interval.high, 4.0F);
  }
}

TEST(Interval, DivergenceDecidesAmongRangesOfSmallSquaredError) {
  CalibrationEntry entry = with_outlier(4);
  // 4 bits: the error is 45 + 8 at 1.1, and 37 + 9 at 1, nearly the least.
  entry.threshold = 1.1F;
  EXPECT_FLOAT_EQ(interval_of(entry, CalibMode::kKlDivergence, 4).high, 1.1F);
  // 8 bits: 0.2 + 8.4 at 1.1, 1.8 at the least.
  EXPECT_EQ(interval_of(entry, CalibMode::kKlDivergence, 8),
            interval_of(entry, CalibMode::kMse, 8));
  EXPECT_FLOAT_EQ(interval_of(entry, CalibMode::kPercentile, 8).high, 1.1F);
}

TEST(Interval, BothSidesAreSearched) {
  CalibrationEntry entry = with_outlier(8);
  SparseCounts reversed(kHistogramBins);
  entry.histogram.for_each(
      [&](std::size_t bin, std::uint64_t count) { reversed.add(kHistogramBins - 1 - bin, count); });
  entry.histogram = reversed;
  entry.min = -8;
  entry.max = 0;
  const Interval interval = interval_of(entry, CalibMode::kMse, 4);
  EXPECT_GT(interval.low, -4.0F);
  EXPECT_EQ(interval.high, 0.0F);
}

TEST(Interval, NothingButZeros) {
  CalibrationEntry entry{.name = "x", .count = 10, .zeros = 10};
  entry.histogram = SparseCounts(kHistogramBins);
  entry.histogram.add(kZeroBin, 10);
  EXPECT_EQ(interval_of(entry, CalibMode::kMse, 8), Interval{});
}

TEST(Interval, OfNoElements) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CalibrationEntry entry{.name = "x", .min = kInfinity, .max = -kInfinity};
  entry.histogram = SparseCounts(kHistogramBins);
  for (const CalibMode mode : {CalibMode::kMse, CalibMode::kMinMax, CalibMode::kPercentile,
                               CalibMode::kKlDivergence, CalibMode::kGlobalScale}) {
    EXPECT_EQ(interval_of(entry, mode, 8), Interval{}) << static_cast<int>(mode);
  }
  EXPECT_EQ(extent_of(entry), Interval{});
}

}  // namespace
}  // namespace tvmq::quant
