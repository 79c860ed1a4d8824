// The exponential function that TVM's fast_exp computes (topi, elemwise.h): seven digits, and
// nothing but operations that vector instructions have. Written out once: the reference kernel and
// the loops must give the same bits. Compilers vectorise it as it stands: one comparison of floats,
// bounds by the bits of the magnitude, rounding down by way of integers (GCC takes neither chained
// comparisons nor floorf where floating point exceptions count).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace tvmq::exec {

/// 2^n by the exponent bits, the rest by a polynomial. Beyond +-88.376 the argument is bounded,
/// except that the result is never below `x`.
[[gnu::always_inline]] inline float fast_exp(float x) {
  constexpr float kLimit = 88.3762626647950F;
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = std::min(bits & ~kSign, std::bit_cast<std::uint32_t>(kLimit));
  const auto bounded = std::bit_cast<float>((bits & kSign) | magnitude);  // also of a NaN
  const float halves = bounded * 1.44269504088896341F + 0.5F;
  const auto towards_zero = static_cast<float>(static_cast<std::int32_t>(halves));
  const float n = towards_zero - (towards_zero > halves ? 1.0F : 0.0F);
  const float f = bounded - n * 0.6931471805599453F;
  float p = 1.9875691500e-4F;
  p = p * f + 1.3981999507e-3F;
  p = p * f + 8.3334519073e-3F;
  p = p * f + 4.1665795894e-2F;
  p = p * f + 1.6666665459e-1F;
  p = p * f + 5.0000001201e-1F;
  const float mantissa = p * f * f + f + 1.0F;
  const auto power = std::bit_cast<float>(static_cast<std::int32_t>(n + 127.0F) << 23);
  const float result = power * mantissa;
  return result > x ? result : x;
}

}  // namespace tvmq::exec
