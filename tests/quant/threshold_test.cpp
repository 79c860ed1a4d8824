#include "quant/threshold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <random>

#include "data/npz.h"
#include "quant/observer_histogram.h"
#include "quant/threshold_kl.h"
#include "quant/threshold_kl_candidates.h"
#include "quant/threshold_mse.h"

namespace tvmq::quant {
namespace {

ValueStatistics statistics_of(std::span<const float> values) {
  ValueObserver observer({.percentile = true, .histogram = true});
  observer.observe_range(values, 0);
  observer.begin_histogram(percentile_rank(values.size()));
  observer.observe_histogram(values);
  return observer.statistics();
}

float kl_of(std::span<const float> values) {
  return threshold_mode(CalibMode::kKlDivergence).threshold(statistics_of(values), {});
}
float percentile_of(std::span<const float> values) {
  return threshold_mode(CalibMode::kPercentile).threshold(statistics_of(values), {});
}

/// relay_quantize.md 6.3: a linear congruential generator, so that TVM's answers are reproducible.
class Generator {
 public:
  double next() {
    state_ = 1664525U * state_ + 1013904223U;
    return static_cast<double>(state_) / 4294967296.0;
  }

 private:
  std::uint32_t state_ = 1;
};

std::vector<float> uniform_values(std::size_t count, double scale) {
  Generator generator;
  std::vector<float> values(count);
  for (float& each : values) each = static_cast<float>(2 * scale * generator.next() - scale);
  return values;
}

std::vector<double> gauss_values() {
  Generator generator;
  std::vector<double> values(20'000);
  for (double& each : values) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += generator.next();
    each = sum - 6;
  }
  return values;
}

template <class Map>
std::vector<float> mapped(const std::vector<double>& values, Map&& map) {
  std::vector<float> result;
  for (const double each : values) {
    result.push_back(static_cast<float>(map(each)));
  }
  return result;
}

struct Golden {
  std::string name;
  std::vector<float> values;
  float kl;
  float percentile;
};

std::vector<Golden> goldens() {
  const std::vector<double> gauss = gauss_values();
  const auto relu = [](double x) { return std::max(x, 0.0); };
  std::vector<float> outlier = mapped(gauss, relu);
  outlier.push_back(50.0F);
  std::vector<float> integers(1000);
  for (std::size_t i = 0; i < integers.size(); ++i) integers[i] = static_cast<float>(i);
  return {
      {"uniform", uniform_values(20'000, 1), 0.999741435F, 0.999991417F},
      {"gauss12", mapped(gauss, [](double x) { return x; }), 3.50884104F, 3.67704487F},
      {"relu", mapped(gauss, relu), 3.41141152F, 3.67704487F},
      {"cube", mapped(gauss, [](double x) { return x * x * x; }), 17.3300972F, 49.7160645F},
      {"outlier", outlier, 3.31833529F, 50.0F},
      {"zeros", std::vector<float>(1000, 0.0F), 0.0159355085F, 0.0F},
      {"one value", {3.0F}, 3.0F, 3.0F},
      {"integers", integers, 998.250854F, 999.0F},
      {"big", uniform_values(240'000, 4), 3.99997544F, 3.99995565F},
  };
}

TEST(ThresholdKl, EqualsTvm) {
  for (const Golden& each : goldens()) {
    EXPECT_EQ(kl_of(each.values), each.kl) << each.name;
  }
}

TEST(ThresholdKl, ReferenceEqualsTvm) {
  for (const Golden& each : goldens()) {
    const ValueStatistics statistics = statistics_of(each.values);
    EXPECT_EQ(
        find_scale_by_kl_reference(statistics.histogram.to_vector(), statistics.range.absmax()),
        each.kl)
        << each.name;
  }
}

TEST(ThresholdPercentile, EqualsTvm) {
  for (const Golden& each : goldens()) {
    EXPECT_EQ(percentile_of(each.values), each.percentile) << each.name;
  }
}

TEST(ThresholdPercentile, IsTheElementOfItsRank) {
  std::vector<float> values = uniform_values(350'001, 2.5);
  const float found = percentile_of(values);
  for (float& x : values) x = std::fabs(x);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(percentile_rank(values.size()), 349'997U);
  EXPECT_EQ(found, values[349'997]);
}

TEST(ThresholdsOfTvm, EqualTheRecordedOnesToTheLastBit) {
  const std::filesystem::path folder = std::filesystem::path(TVMQ_SHARED_DIR) / "golden/kl";
  if (!std::filesystem::exists(folder / "arrays.npz")) GTEST_SKIP() << "no recorded arrays here";
  const data::NpzArrays arrays = data::read_npz(folder / "arrays.npz");
  simdjson::dom::parser parser;
  const simdjson::dom::object expected = parser.load((folder / "expected.json").string());
  std::size_t compared = 0;
  for (const auto& [name, thresholds] : expected) {
    const auto values = arrays.find(name)->second.data<float>();
    const auto bits = [&, &recorded = thresholds](const char* key) {
      return static_cast<std::uint32_t>(std::uint64_t{recorded[key]});
    };
    EXPECT_EQ(std::bit_cast<std::uint32_t>(kl_of(values)), bits("kl_bits")) << name;
    EXPECT_EQ(std::bit_cast<std::uint32_t>(percentile_of(values)), bits("percentile_bits")) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 24U);
}

/// Histograms of many shapes: dense, sparse, few bins, counts beyond what float32 holds exactly.
std::vector<std::uint64_t> random_histogram(std::uint32_t seed) {
  std::mt19937 generator(seed);
  const auto below = [&](std::uint32_t limit) -> std::uint32_t {
    return static_cast<std::uint32_t>(generator()) % limit;
  };
  std::vector<std::uint64_t> histogram(kHistogramBins, 0);
  const double width = 20.0 + below(4000);
  const std::uint64_t height = std::uint64_t{1} << below(26);
  const std::uint32_t keep = 1 + below(4) * below(40);  // one bin in so many is not empty
  const bool one_sided = below(3) == 0;
  for (int bin = 0; bin < kHistogramBins; ++bin) {
    if (below(keep) != 0 || (one_sided && bin < kZeroBin)) continue;
    const double distance = (bin - kZeroBin) / width;
    const double mean = static_cast<double>(height) * std::exp(-distance * distance);
    histogram[bin] = static_cast<std::uint64_t>(mean * (0.5 + below(1000) / 1000.0));
  }
  if (one_sided) histogram[kZeroBin] += height * below(5000);
  histogram[below(2) == 0 ? 0 : kHistogramBins - 1] += 1 + below(5);
  return histogram;
}

TEST(ThresholdKl, FastSearchEqualsTheReferenceOnRandomHistograms) {
  for (std::uint32_t seed = 0; seed < 12; ++seed) {
    const std::vector<std::uint64_t> histogram = random_histogram(seed);
    EXPECT_EQ(threshold_kl(histogram, 1.0F), find_scale_by_kl_reference(histogram, 1.0F))
        << "seed " << seed;
  }
}

TEST(ThresholdKl, FastSearchEqualsTheReferenceOnFewBins) {
  std::mt19937 generator(1);
  for (const int bins : {0, 1, 2, 3, 6, 12}) {
    std::vector<std::uint64_t> histogram(kHistogramBins, 0);
    for (int i = 0; i < bins; ++i) histogram[generator() % kHistogramBins] += 1 + generator() % 9;
    EXPECT_EQ(threshold_kl(histogram, 1.0F), find_scale_by_kl_reference(histogram, 1.0F))
        << bins << " bins";
  }
}

TEST(ThresholdKl, GoesOnWhereCountsLeaveInt32) {
  std::vector<std::uint64_t> histogram(kHistogramBins, 1);
  histogram[kZeroBin] = std::uint64_t{5} << 31;
  EXPECT_EQ(threshold_kl(histogram, 1.0F), find_scale_by_kl_reference(histogram, 1.0F));
}

TEST(ThresholdKl, BoundsHoldTheDivergence) {
  for (std::uint32_t seed = 100; seed < 140; ++seed) {
    const kl::Tables tables(random_histogram(seed));
    auto group = std::make_unique<kl::Group>();
    std::vector<float> scratch;
    for (const int last_half : {127, 381, 382, 1700, 2800, 3999, 4000}) {
      group->last_half = last_half;
      group->lanes = 1;
      if (!kl::prepare(tables, *group)) continue;
      const kl::Bound bound = kl::bounds(tables, *group)[0];
      const double exact = kl::divergence(tables, group->candidates[0], scratch);
      EXPECT_LE(std::fabs(exact - bound.estimate), bound.error) << seed << " " << last_half;
      EXPECT_LT(bound.error, 1e-3 * (1 + bound.estimate)) << "useless bound";
    }
  }
}

TEST(ThresholdMse, TakesAllOfAUniformDistribution) {
  const std::vector<std::uint64_t> histogram(kHistogramBins, 100);
  EXPECT_NEAR(threshold_mse(histogram, 2.0F, 0, 127), 2.0F, 0.01F);
}

TEST(ThresholdMse, CutsALonelyOutlier) {
  std::vector<float> values = mapped(gauss_values(), [](double x) { return x; });
  values.push_back(50.0F);
  const ValueStatistics statistics = statistics_of(values);
  const float threshold = threshold_mode(CalibMode::kMse).threshold(statistics, {.mse_steps = 7});
  EXPECT_GT(threshold, 1.5F);
  EXPECT_LT(threshold, 5.0F);
}

TEST(ThresholdMse, ErrorIsWhatQuantizingCosts) {
  const std::vector<float> values =
      mapped(gauss_values(), [](double x) { return std::max(x, 0.0); });
  const ValueStatistics statistics = statistics_of(values);
  const float absmax = statistics.range.absmax();
  for (const int steps : {7, 127, 255}) {
    for (const double share : {0.3, 0.7, 1.0}) {
      const double threshold = share * absmax;
      const double step = threshold / steps;
      double sum = 0;
      for (const float x : values) {
        const double nearest = std::min<double>(std::round(std::fabs(x) / step), steps) * step;
        sum += (std::fabs(x) - nearest) * (std::fabs(x) - nearest);
      }
      const double measured = sum / static_cast<double>(values.size());
      const double computed = quantization_error(statistics.histogram.to_vector(), absmax,
                                                 statistics.range.zeros, steps, share * 4000.5);
      EXPECT_NEAR(computed, measured, 0.03 * measured) << steps << " steps, " << share;
    }
  }
}

TEST(ThresholdMse, FindsTheLeastError) {
  const std::vector<float> values = mapped(gauss_values(), [](double x) { return x * x * x; });
  const ValueStatistics statistics = statistics_of(values);
  const float absmax = statistics.range.absmax();
  const auto error = [&](double threshold) {
    return quantization_error(statistics.histogram.to_vector(), absmax, 0, 127,
                              threshold / absmax * 4000.5);
  };
  const double best = threshold_mse(statistics.histogram.to_vector(), absmax, 0, 127);
  for (double share = 0.05; share <= 1.0; share += 0.01) {
    EXPECT_LE(error(best), error(share * absmax) * (1 + 1e-9)) << share;
  }
}

TEST(ThresholdMse, OfZerosIsZero) {
  std::vector<std::uint64_t> histogram(kHistogramBins, 0);
  histogram[kZeroBin] = 10;
  EXPECT_EQ(threshold_mse(histogram, 0.0F, 10, 127), 0.0F);
}

TEST(ThresholdModes, StayWithinRangesThatAreTooSmallForBins) {
  for (const float unit : {1e-30F, 1e-38F, 1e-42F, 1e-45F}) {
    const ValueStatistics statistics =
        statistics_of(std::vector<float>{0, 0, 0, unit, 2 * unit, -unit, 3 * unit});
    const float absmax = statistics.range.absmax();
    for (const ThresholdMode& each : threshold_modes()) {
      if (each.mode == CalibMode::kGlobalScale) continue;
      const float threshold = each.threshold(statistics, {});
      EXPECT_TRUE(threshold >= 0 && threshold <= absmax) << each.name << ' ' << unit;
    }
    const double error = quantization_error(statistics.histogram.to_vector(), absmax,
                                            statistics.range.zeros, 127, kHistogramBins / 2.0);
    EXPECT_TRUE(error >= 0 && error <= 1e-10 * absmax) << error << ' ' << unit;
  }
}

TEST(ThresholdModes, HaveTheirNames) {
  for (const ThresholdMode& each : threshold_modes()) {
    EXPECT_EQ(parse_calib_mode(each.name), each.mode);
    EXPECT_EQ(calib_mode_name(each.mode), each.name);
  }
  EXPECT_EQ(parse_calib_mode("kl"), std::nullopt);
  EXPECT_EQ(threshold_modes().size(), 5U);
}

TEST(ThresholdModes, GlobalScaleNeedsNoStatistics) {
  const ThresholdMode& mode = threshold_mode(CalibMode::kGlobalScale);
  EXPECT_FALSE(mode.needs_samples);
  EXPECT_EQ(mode.threshold({}, {.global_scale = 6.5F}), 6.5F);
}

}  // namespace
}  // namespace tvmq::quant
