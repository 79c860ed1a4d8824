#include "analysis/error_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/random_numbers.h"

namespace tvmq::analysis {
namespace {

ErrorMetrics compare(const std::vector<float>& reference, const std::vector<float>& actual) {
  ErrorSums sums;
  sums.add(reference, actual);
  return sums.metrics();
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ErrorMetrics, KnownSignalAndNoise) {
  // Signal 100, noise 1 per element: 20 dB.
  const ErrorMetrics result = compare({10, -10, 10}, {11, -10, 10});
  EXPECT_DOUBLE_EQ(result.sqnr_db, 10 * std::log10(300.0));
  EXPECT_DOUBLE_EQ(result.cosine, 310 / (std::sqrt(300.0) * std::sqrt(321.0)));
  EXPECT_DOUBLE_EQ(result.max_abs_error, 1);
  EXPECT_EQ(result.elements, 3);
}

TEST(ErrorMetrics, Limits) {
  EXPECT_EQ(compare({1, 2}, {1, 2}).sqnr_db, kInfinity);
  EXPECT_EQ(compare({1, 2}, {1, 2}).cosine, 1);
  EXPECT_EQ(compare({0, 0}, {0, 0}).sqnr_db, kInfinity);
  EXPECT_EQ(compare({0, 0}, {0, 0}).cosine, 1);
  EXPECT_EQ(compare({0, 0}, {1, 0}).sqnr_db, -kInfinity);
  EXPECT_EQ(compare({0, 0}, {1, 0}).cosine, 0);
  EXPECT_EQ(compare({1, -1}, {-1, 1}).cosine, -1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto infinite = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinite, -infinite}) {
    EXPECT_TRUE(std::isnan(compare({1, 1}, {1, bad}).sqnr_db));
    EXPECT_TRUE(std::isnan(compare({bad, 1}, {1, 1}).cosine));
  }
  // Squares that float32 cannot hold.
  EXPECT_NEAR(compare({3e38F, 0}, {3e38F, 3e37F}).sqnr_db, 20, 1e-5);
}

TEST(ErrorMetrics, AnyLengthGivesThePlainSums) {
  support::RandomNumbers random(3);
  for (std::int64_t size = 1; size < 40; ++size) {
    const ir::Tensor r = random.tensor({size}, -2, 2);
    const ir::Tensor a = random.tensor({size}, -2, 2);
    double signal = 0;
    double noise = 0;
    for (std::size_t i = 0; i < r.data<float>().size(); ++i) {
      const double value = static_cast<double>(r.data<float>()[i]);
      const double error = value - static_cast<double>(a.data<float>()[i]);
      signal += value * value;
      noise += error * error;
    }
    ErrorSums sums;
    sums.add(r.data<float>(), a.data<float>());
    EXPECT_NEAR(sums.metrics().sqnr_db, 10 * std::log10(signal / noise), 1e-9) << size;
  }
}

TEST(ErrorMetrics, MergedBatchesAreOneComparison) {
  std::vector<ErrorSums> batches(3);  // the second could not be loaded
  batches[0].add(std::vector<float>{10, 0}, std::vector<float>{9, 0});
  batches[2].add(std::vector<float>{0, 10}, std::vector<float>{0, 10});
  EXPECT_DOUBLE_EQ(merged(batches).metrics().sqnr_db, 10 * std::log10(200.0));
  EXPECT_EQ(merged(batches).metrics().elements, 4);
  EXPECT_TRUE(merged({}).empty());
}

}  // namespace
}  // namespace tvmq::analysis
