// Real factors as integers: q31 * 2^(shift - 31) (relay_quantize.md 3.4, FPM).
#pragma once

#include <cstdint>

namespace tvmq::quant {

struct FixedPoint {
  std::int32_t multiplier = 0;  ///< significand in Q31: 0, or 2^30 <= |multiplier| < 2^31
  std::int32_t shift = 0;       ///< exponent of two
  bool operator==(const FixedPoint&) const = default;
};

/// The nearest fixed point number, halves away from zero. 0, NaN and infinities give {0, 0}, as on
/// TVM's x86 machines.
FixedPoint to_fixed_point(double factor);

/// static_cast<int>(value) as x86 computes it: toward zero, INT32_MIN if it does not fit or is NaN.
std::int32_t x86_truncate(float value);
/// TVM's test for an integer: value == x86_truncate(value).
bool is_integral_float(float value);

}  // namespace tvmq::quant
