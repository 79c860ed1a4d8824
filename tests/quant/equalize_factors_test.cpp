#include "quant/equalize_factors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace tvmq::quant {
namespace {

using ir::Tensor;
using testing::DoubleEq;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;

Tensor weight(const ir::Shape& shape, const std::vector<float>& values) {
  return Tensor::from<float>(shape, std::span<const float>(values));
}

/// So many elements of a channel that what they show is all there is.
constexpr std::int64_t kMany = 1'000'000;

/// Squares as if elements were uniform in the range.
ChannelStatistics statistics(std::vector<double> low, std::vector<double> high) {
  ChannelStatistics result{.count = kMany, .low = low, .high = high, .mean = {}, .mean_square = {}};
  for (std::size_t c = 0; c < low.size(); ++c) {
    result.mean.push_back((low[c] + high[c]) / 2);
    result.mean_square.push_back((high[c] * high[c] + low[c] * low[c]) / 3);
  }
  return result;
}

TEST(EqualizationFactors, ADepthwiseLayerLosesNothingSoThatEveryChannelFillsTheRange) {
  const Tensor kernel = weight({3, 1, 1, 1}, {1, 1, 1});
  const std::vector<EqualizedLayer> layers = {{.weight = &kernel, .depthwise = true}};
  EXPECT_THAT(equalization_factors(statistics({0, 0, 0}, {8, 4, 1}), layers, {}),
              ElementsAre(DoubleEq(1), DoubleEq(0.5), DoubleEq(0.125)));
}

TEST(EqualizationFactors, ChannelsOfTheSameRangeAreLeftAlone) {
  const Tensor kernel = weight({2, 1, 1, 1}, {1, 1});
  const std::vector<EqualizedLayer> layers = {{.weight = &kernel, .depthwise = true}};
  EXPECT_THAT(equalization_factors(statistics({-1, -1}, {2, 2}), layers, {}), IsEmpty());
}

TEST(EqualizationFactors, AFewNegativeChannelsDoNotCostTheOthersHalfTheirSteps) {
  // Behind a swish: one channel is all negative, the others reach far up.
  const ChannelStatistics swish = statistics({-0.28, -0.28, -0.28, -0.28}, {20, 20, 20, 0.01});
  const Tensor kernel = weight({4, 1, 1, 1}, {1, 1, 1, 1});
  const std::vector<EqualizedLayer> layers = {{.weight = &kernel, .depthwise = true}};
  const std::vector<double> factors = equalization_factors(swish, layers, {});
  ASSERT_EQ(factors.size(), 4U);
  double low = 0;
  double high = 0;
  for (std::size_t c = 0; c < 4; ++c) {
    low = std::min(low, swish.low[c] / factors[c]);
    high = std::max(high, swish.high[c] / factors[c]);
  }
  EXPECT_LT(-low, 0.25 * high);
  EXPECT_LT(factors[3], 0.5) << "the small channel is enlarged all the same";
}

TEST(EqualizationFactors, AWeightThatWouldLoseMoreThanTheValueWinsHoldsItBack) {
  // The small channel meets a large weight already: making it smaller is free, for both sides. The
  // other way round the large weight of the large channel would have to carry the small one.
  const ChannelStatistics values = statistics({0, 0}, {10, 0.1});
  const Tensor balanced = weight({1, 2, 1, 1}, {0.01F, 1});
  const std::vector<EqualizedLayer> free = {{.weight = &balanced, .depthwise = false}};
  const std::vector<double> factors = equalization_factors(values, free, {});
  ASSERT_EQ(factors.size(), 2U);
  EXPECT_LT(factors[1], 0.02);
  const Tensor unbalanced = weight({1, 2, 1, 1}, {1, 0.01F});
  const std::vector<EqualizedLayer> dear = {{.weight = &unbalanced, .depthwise = false}};
  EXPECT_THAT(equalization_factors(values, dear, {.weight_bits = 3}), IsEmpty());
}

TEST(EqualizationFactors, WithoutLayersThereIsNothingToLose) {
  EXPECT_THAT(equalization_factors(statistics({0, 0}, {4, 1}), {}, {}),
              ElementsAre(DoubleEq(1), DoubleEq(0.25)));
}

TEST(EqualizationFactors, FewElementsLeaveHeadroomByTheirSpread) {
  // Both channels reached 4. The first is often near it, the second was near 0 but for once: of 100
  // elements of a wide channel more is to be expected.
  ChannelStatistics seen{
      .count = kMany, .low = {0, 0}, .high = {4, 4}, .mean = {0, 0}, .mean_square = {4, 0.01}};
  EXPECT_THAT(equalization_factors(seen, {}, {}), IsEmpty());
  seen.count = 100;
  // 0.4 * ln(70,000 / 100) = 2.620 standard deviations: 4 + 2.620 * 2 and 4 + 2.620 * 0.1.
  EXPECT_THAT(equalization_factors(seen, {}, {}),
              ElementsAre(DoubleEq(1), DoubleNear(4.262 / 9.241, 1e-3)));
}

TEST(EqualizationFactors, ZerosAndTinyChannels) {
  EXPECT_THAT(equalization_factors(statistics({0, 0}, {0, 0}), {}, {}), IsEmpty());
  EXPECT_THAT(equalization_factors(statistics({0, 0, 0}, {4, 0, 1e-9}), {}, {}),
              ElementsAre(DoubleEq(1), DoubleEq(1), DoubleEq(1.0 / 1024)));
  EXPECT_THAT(equalization_factors(statistics({-4, -1}, {0, 0}), {}, {}),
              ElementsAre(DoubleEq(1), DoubleNear(0.25, 1e-12)));
}

}  // namespace
}  // namespace tvmq::quant
