#include "quant/fixed_point.h"

#include <cmath>
#include <limits>

namespace tvmq::quant {

FixedPoint to_fixed_point(double factor) {
  if (factor == 0 || !std::isfinite(factor)) return {};
  int exponent = 0;
  const double significand = std::frexp(factor, &exponent);
  constexpr double kOne = 2147483648.0;
  auto q31 = static_cast<std::int64_t>(std::round(significand * kOne));
  if (q31 == static_cast<std::int64_t>(kOne)) {
    q31 /= 2;
    ++exponent;
  }
  return {.multiplier = static_cast<std::int32_t>(q31), .shift = exponent};
}

std::int32_t x86_truncate(float value) {
  // -2^31 is a float, 2^31 is the first float above the range.
  constexpr float kLimit = 2147483648.0F;
  if (!(value >= -kLimit && value < kLimit)) return std::numeric_limits<std::int32_t>::min();
  return static_cast<std::int32_t>(value);
}

bool is_integral_float(float value) { return static_cast<float>(x86_truncate(value)) == value; }

}  // namespace tvmq::quant
