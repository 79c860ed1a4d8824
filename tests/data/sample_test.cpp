#include "data/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace tvmq::data {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Sample, WithoutASeedTakesTheFirst) {
  const Samples samples = choose_samples(10, 3, 2, std::nullopt);
  EXPECT_THAT(samples.calibration, ElementsAre(0, 1, 2));
  EXPECT_THAT(samples.verification, ElementsAre(3, 4));
}

TEST(Sample, ASeedAlwaysDrawsTheSameFiles) {
  // Recorded once: other numbers would change the results of everybody who gave a seed.
  const Samples samples = choose_samples(100, 5, 3, 42);
  EXPECT_THAT(samples.calibration, ElementsAre(2, 9, 13, 83, 86));
  EXPECT_THAT(samples.verification, ElementsAre(27, 45, 87));
}

TEST(Sample, SetsAreDisjointAndAscendingAndDependOnTheSeed) {
  std::set<std::vector<std::size_t>> drawn;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Samples samples = choose_samples(30, 12, 18, seed);
    std::set<std::size_t> all(samples.calibration.begin(), samples.calibration.end());
    all.insert(samples.verification.begin(), samples.verification.end());
    EXPECT_EQ(all.size(), 30);
    EXPECT_TRUE(std::is_sorted(samples.calibration.begin(), samples.calibration.end()));
    EXPECT_TRUE(std::is_sorted(samples.verification.begin(), samples.verification.end()));
    drawn.insert(samples.calibration);
  }
  EXPECT_EQ(drawn.size(), 50);
}

TEST(Sample, DrawsEveryFileEquallyOften) {
  std::vector<int> counts(10);
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    for (const std::size_t index : choose_samples(10, 2, 0, seed).calibration) ++counts[index];
  }
  // 1,000 expected each; six standard deviations are 170.
  for (const int count : counts) EXPECT_NEAR(count, 1000, 170);
}

TEST(Sample, Limits) {
  EXPECT_THAT(choose_samples(0, 0, 0, 1).calibration, IsEmpty());
  EXPECT_THAT(choose_samples(3, 3, 0, 1).calibration, ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace tvmq::data
