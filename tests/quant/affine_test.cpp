#include "quant/affine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tvmq::quant {
namespace {

TEST(AffineParameters, KnownAnswers) {
  struct Case {
    Interval interval;
    int bits;
    AffineParameters expected;
  };
  const Case cases[] = {
      {{0, 255}, 8, {1.0F, 0, 255}},
      {{-128, 127}, 8, {1.0F, 128, 255}},
      {{-1, 254}, 8, {1.0F, 1, 255}},
      {{0, 6}, 8, {6.0F / 255, 0, 255}},
      {{2, 255}, 8, {1.0F, 0, 255}},      // widened to hold zero
      {{-255, -3}, 8, {1.0F, 255, 255}},  // likewise
      {{0, 0}, 8, {1.0F, 0, 255}},        // nothing but zero
      {{0, 3}, 2, {1.0F, 0, 3}},
      {{0, 1e-45F}, 8, {1.0F, 0, 255}},  // 1 / scale must stay finite
  };
  for (const Case& each : cases) {
    const AffineParameters got = affine_parameters(each.interval, each.bits);
    EXPECT_EQ(got, each.expected) << "[" << each.interval.low << ", " << each.interval.high
                                  << "] gave " << got.scale << " / " << got.zero_point;
  }
}

TEST(WideParameters, CoverTheIntervalWithAZeroPointOfWholeSteps) {
  for (const Interval& interval : {Interval{0, 1},
                                   {-1, 1},
                                   {-0.003F, 6},
                                   {-7, 0.01F},
                                   {-5, -3},
                                   {3, 5},
                                   {0, 0},
                                   {0, 1e-45F},
                                   {-1e30F, 1e30F}}) {
    SCOPED_TRACE(testing::Message() << "[" << interval.low << ", " << interval.high << "]");
    const AffineParameters wide = wide_parameters(interval);
    EXPECT_EQ(wide.highest, 65535);
    EXPECT_EQ(wide.zero_point % 256, 0);
    const double scale = wide.scale;
    EXPECT_LE(-wide.zero_point * scale, std::min(0.0F, interval.low));
    EXPECT_GE((wide.highest - wide.zero_point) * scale, std::max(0.0F, interval.high));
    // No more than a hundredth of the numbers go to waste, unless 1 / scale must stay finite.
    const double range = std::max(0.0F, interval.high) - std::min(0.0F, interval.low);
    EXPECT_TRUE(range < 1e-30 || scale * 65536 <= 1.01 * range) << scale;
  }
}

TEST(WideParameters, TheHighByteCountsInStepsOf256) {
  const AffineParameters high = high_byte({.scale = 0.5F, .zero_point = 512, .highest = 65535});
  EXPECT_EQ(high, (AffineParameters{.scale = 128, .zero_point = 2, .highest = 255}));
}

TEST(AffineParameters, RefusesWhatIsNoInterval) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THROW(affine_parameters({0, infinity}, 8), InternalError);
  EXPECT_THROW(affine_parameters({1, 0}, 8), InternalError);
  EXPECT_THROW(affine_parameters({0, 1}, 9), InternalError);
  EXPECT_THROW(wide_parameters({0, infinity}), InternalError);
  EXPECT_THROW(wide_parameters({1, 0}), InternalError);
}

TEST(QuantizeWeight, OneScalePerOutputChannel) {
  const auto weight = ir::Tensor::from<float>({3, 2}, {127, -63.5F, 0, 0, 0.5F, -1.27F});
  const QuantizedWeight result =
      quantize_weight(weight, WeightScale::kMax, WeightGranularity::kPerChannel, 8);
  EXPECT_EQ(result.scales, (std::vector<float>{1.0F, kZeroChannelScale, 1.27F / 127}));
  const auto values = result.values.data<std::int8_t>();
  EXPECT_EQ(std::vector<std::int8_t>(values.begin(), values.end()),
            (std::vector<std::int8_t>{127, -64, 0, 0, 50, -127}));
  EXPECT_EQ(result.sums, (std::vector<std::int32_t>{63, 0, -77}));
}

TEST(QuantizeWeight, Power2RoundsTheMagnitudeUp) {
  const auto weight = ir::Tensor::from<float>({1, 2}, {3.0F, -1.0F});
  const QuantizedWeight result =
      quantize_weight(weight, WeightScale::kPower2, WeightGranularity::kPerChannel, 8);
  EXPECT_FLOAT_EQ(result.scales[0], 4.0F / 127);
}

TEST(QuantizeWeight, ErrorIsAtMostHalfAStep) {
  std::vector<float> values(256);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<float>(i) * 12.9F);
  }
  const auto weight = ir::Tensor::from<float>({16, 16}, std::span<const float>(values));
  for (const int bits : {4, 8}) {
    const QuantizedWeight result =
        quantize_weight(weight, WeightScale::kMax, WeightGranularity::kPerChannel, bits);
    const auto quantized = result.values.data<std::int8_t>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float scale = result.scales[i / 16];
      EXPECT_NEAR(values[i], scale * static_cast<float>(quantized[i]), scale * 0.50001F);
    }
  }
}

TEST(QuantizeWeight, OneScaleForAllOfIt) {
  const std::vector<float> values = {1.27F, 0.5F, 0.02F, -0.01F};
  const ir::Tensor weight = ir::Tensor::from<float>({2, 2}, std::span<const float>(values));
  const QuantizedWeight result =
      quantize_weight(weight, WeightScale::kMax, WeightGranularity::kPerTensor, 8);
  ASSERT_EQ(result.scales.size(), 2U);
  EXPECT_FLOAT_EQ(result.scales[0], 0.01F);
  EXPECT_FLOAT_EQ(result.scales[1], 0.01F);
  const auto rounded = result.values.data<std::int8_t>();
  EXPECT_EQ(std::vector<int>(rounded.begin(), rounded.end()), (std::vector<int>{127, 50, 2, -1}));
  EXPECT_EQ(result.sums, (std::vector<std::int32_t>{177, 1}));
}

}  // namespace
}  // namespace tvmq::quant
