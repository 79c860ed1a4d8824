#include "quant/fixed_point.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tvmq::quant {
namespace {

TEST(ToFixedPoint, SplitsIntoQ31AndExponent) {
  struct Row {
    double factor;
    FixedPoint expected;
  };
  const Row rows[] = {
      {0.0, {0, 0}},
      {1.0, {1 << 30, 1}},
      {0.5, {1 << 30, 0}},
      {0.25, {1 << 30, -1}},
      {-0.5, {-(1 << 30), 0}},
      {3.0, {1610612736, 2}},
      {1.0 / 3, {1431655765, -1}},
      // The significand rounds up to 1, which is 0.5 of the next exponent.
      {1.0 - 1e-12, {1 << 30, 1}},
      // Half of the last place goes away from zero.
      {0.5 + std::ldexp(1.0, -32), {(1 << 30) + 1, 0}},
      {std::ldexp(1.0, -100), {1 << 30, -99}},
      {std::numeric_limits<double>::infinity(), {0, 0}},
      {std::numeric_limits<double>::quiet_NaN(), {0, 0}},
  };
  for (const Row& row : rows) {
    const FixedPoint found = to_fixed_point(row.factor);
    EXPECT_EQ(found, row.expected)
        << row.factor << " -> " << found.multiplier << ", " << found.shift;
  }
}

TEST(ToFixedPoint, IsWithinHalfAPlaceForAnyFactor) {
  for (double factor = 1e-9; factor < 1e9; factor *= 1.37) {
    const FixedPoint number = to_fixed_point(factor);
    const double value = std::ldexp(number.multiplier, number.shift - 31);
    EXPECT_LE(std::abs(value - factor), std::ldexp(1.0, number.shift - 32)) << factor;
    EXPECT_GE(number.multiplier, 1 << 30) << factor;
  }
}

TEST(X86Truncate, GoesTowardZeroAndSaysIntMinForWhatDoesNotFit) {
  constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
  EXPECT_EQ(x86_truncate(2.9F), 2);
  EXPECT_EQ(x86_truncate(-2.9F), -2);
  EXPECT_EQ(x86_truncate(2147483520.0F), 2147483520);
  EXPECT_EQ(x86_truncate(2147483648.0F), kMin);
  EXPECT_EQ(x86_truncate(-2147483648.0F), kMin);
  EXPECT_EQ(x86_truncate(std::numeric_limits<float>::infinity()), kMin);
  EXPECT_EQ(x86_truncate(std::numeric_limits<float>::quiet_NaN()), kMin);
}

TEST(IsIntegralFloat, IsFalseForWhatDoesNotFit) {
  EXPECT_TRUE(is_integral_float(0.0F));
  EXPECT_TRUE(is_integral_float(-7.0F));
  EXPECT_FALSE(is_integral_float(6.9999995F));
  EXPECT_FALSE(is_integral_float(std::numeric_limits<float>::infinity()));
  EXPECT_FALSE(is_integral_float(-std::numeric_limits<float>::infinity()));
  EXPECT_FALSE(is_integral_float(std::numeric_limits<float>::quiet_NaN()));
}

}  // namespace
}  // namespace tvmq::quant
