// The arithmetic of one element, as TVM v0.19 compiles it for x86-64, but without undefined
// behaviour. Every formula that more than one kernel uses lives here.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace tvmq::exec {

/// cvttss2si / cvttsd2si: toward zero; the smallest value for NaN and whatever does not fit.
inline std::int32_t truncate_to_int32(double value) {
  const bool fits = value > -2147483649.0 && value < 2147483648.0;
  return fits ? static_cast<std::int32_t>(value) : std::numeric_limits<std::int32_t>::min();
}
inline std::int64_t truncate_to_int64(double value) {
  const bool fits = value >= -9223372036854775808.0 && value < 9223372036854775808.0;
  return fits ? static_cast<std::int64_t>(value) : std::numeric_limits<std::int64_t>::min();
}

/// cast. To bool: not equal 0. Integers to narrower integers keep their low bits. Floats to 8 and
/// 16 bits become int32 first and are then saturated: TVM leaves it to the compiler, whose vector
/// code packs that way (measured: 2.1e9 to int8 gives 127).
template <class To, class From>
To cast_value(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::floating_point<From> && std::integral<To>) {
    if constexpr (std::is_same_v<To, std::uint64_t>) {
      constexpr double kTwo63 = 9223372036854775808.0;
      const auto wide = static_cast<double>(value);
      if (wide >= kTwo63) {
        return static_cast<To>(truncate_to_int64(wide - kTwo63)) ^ (std::uint64_t{1} << 63);
      }
      return static_cast<To>(truncate_to_int64(wide));
    } else if constexpr (sizeof(To) == 8 || std::is_same_v<To, std::uint32_t>) {
      return static_cast<To>(truncate_to_int64(value));
    } else if constexpr (sizeof(To) == 4) {
      return truncate_to_int32(value);
    } else {
      using Limits = std::numeric_limits<To>;
      return static_cast<To>(
          std::clamp<std::int32_t>(truncate_to_int32(value), Limits::min(), Limits::max()));
    }
  } else {
    return static_cast<To>(value);
  }
}

/// Sums, differences and products of integers modulo 2^bits; of floats as IEEE says.
template <class T>
T add_values(T a, T b) {
  if constexpr (std::floating_point<T>) {
    return a + b;
  } else {
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
}
template <class T>
T subtract_values(T a, T b) {
  if constexpr (std::floating_point<T>) {
    return a - b;
  } else {
    return static_cast<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  }
}
template <class T>
T multiply_values(T a, T b) {
  if constexpr (std::floating_point<T>) {
    return a * b;
  } else {
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
}

/// Integers: toward zero, the smallest value / -1 wraps. REQUIRES: b != 0 for integers.
template <class T>
T divide_values(T a, T b) {
  if constexpr (std::signed_integral<T>) {
    if (b == T{-1}) return subtract_values(T{0}, a);
  }
  return static_cast<T>(a / b);
}
/// What TVM compiles a / b to where it knows b: floats are multiplied by the rounded reciprocal.
template <class T>
T divide_by_known(T a, T b) {
  if constexpr (std::floating_point<T>) {
    return a * static_cast<T>(1.0 / static_cast<double>(b));
  } else {
    return divide_values(a, b);
  }
}
template <class T>
T remainder_values(T a, T b) {
  if constexpr (std::floating_point<T>) {
    return std::fmod(a, b);
  } else {
    if constexpr (std::signed_integral<T>) {
      if (b == T{-1}) return 0;
    }
    return static_cast<T>(a % b);
  }
}
/// Toward minus infinity.
template <class T>
T floor_divide_values(T a, T b) {
  if constexpr (std::floating_point<T>) {
    return std::floor(a / b);
  } else {
    const T quotient = divide_values(a, b);
    const bool inexact = remainder_values(a, b) != 0;
    return inexact && ((a < 0) != (b < 0)) ? static_cast<T>(quotient - 1) : quotient;
  }
}
/// a - floor(a / b) * b.
template <class T>
T floor_remainder_values(T a, T b) {
  return subtract_values(a, multiply_values(floor_divide_values(a, b), b));
}

/// The compiled code compares and selects, so max(NaN, x) is x and max(x, NaN) is NaN.
template <class T>
T max_values(T a, T b) {
  return a > b ? a : b;
}
template <class T>
T min_values(T a, T b) {
  return a < b ? a : b;
}
template <class T>
T clip_value(T value, T low, T high) {
  return max_values(min_values(value, high), low);
}

/// Modulo 2^bits. An amount that is negative or not below the width (undefined in TVM) gives 0.
template <std::integral T>
T left_shift_value(T value, T amount) {
  constexpr int kBits = std::numeric_limits<std::make_unsigned_t<T>>::digits;
  if (std::cmp_less(amount, 0) || std::cmp_greater_equal(amount, kBits)) return 0;
  return static_cast<T>(static_cast<std::uint64_t>(value) << static_cast<unsigned>(amount));
}
/// Arithmetic for signed types. An amount outside of the width gives 0 or -1, by the sign.
template <std::integral T>
T right_shift_value(T value, T amount) {
  constexpr int kBits = std::numeric_limits<std::make_unsigned_t<T>>::digits;
  if (std::cmp_less(amount, 0) || std::cmp_greater_equal(amount, kBits)) {
    return value < 0 ? static_cast<T>(-1) : T{0};
  }
  return static_cast<T>(value >> static_cast<unsigned>(amount));
}

/// A bound of `clip` in the element type: truncated toward zero and saturated for integers.
template <class T>
T clip_bound(double bound) {
  if constexpr (std::floating_point<T>) {
    return static_cast<T>(bound);
  } else {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(bound)) return 0;
    if (bound >= static_cast<double>(Limits::max())) return Limits::max();
    if (bound <= static_cast<double>(Limits::min())) return Limits::min();
    return static_cast<T>(bound);
  }
}

/// A positive real number as multiplier * 2^(shift - 31), multiplier in [2^30, 2^31).
struct FixedPoint {
  std::int32_t multiplier = 0;
  std::int32_t shift = 0;
};
/// relay_quantize.md 3.4 "FPM": the significand rounds half away from zero; 0 gives {0, 0}.
inline FixedPoint to_fixed_point(double real) {
  if (real == 0 || !std::isfinite(real)) return {};
  int exponent = 0;
  const double significand = std::frexp(real, &exponent);
  auto multiplier = static_cast<std::int64_t>(std::round(significand * 2147483648.0));
  if (multiplier == std::int64_t{1} << 31) {
    multiplier /= 2;
    ++exponent;
  }
  return {static_cast<std::int32_t>(multiplier), exponent};
}

/// value * multiplier * 2^(shift - 31), rounded half up (relay_quantize.md 3.4
/// "fixed_point_multiply lowering"). T is int32 or int64. A multiplier of 2^30 shifts in T; any
/// other one multiplies modulo 2^64 and leaves the low 32 bits, also for int64.
template <class T>
T fixed_point_multiply_value(T value, FixedPoint by) {
  if (by.multiplier == std::int32_t{1} << 30) {
    if (by.shift > 1) return left_shift_value<T>(value, static_cast<T>(by.shift - 1));
    const auto right = static_cast<T>(1 - by.shift);
    const T half = left_shift_value<T>(T{1}, static_cast<T>(right - 1));
    return right_shift_value<T>(add_values(value, half), right);
  }
  const std::int64_t left = by.shift > 0 ? by.shift : 0;
  const std::int64_t right = (by.shift > 0 ? 0 : -std::int64_t{by.shift}) + 31;
  const auto shifted = left_shift_value<std::int64_t>(static_cast<std::int64_t>(value), left);
  const auto product = multiply_values<std::int64_t>(shifted, by.multiplier);
  const auto half = left_shift_value<std::int64_t>(1, right - 1);
  const auto rounded = right_shift_value<std::int64_t>(add_values(product, half), right);
  return static_cast<T>(static_cast<std::int32_t>(rounded));
}

/// The same number rounded half away from zero ("TONEAREST"), in 64 bits, then the low 32.
inline std::int32_t fixed_point_multiply_to_nearest(std::int64_t value, FixedPoint by) {
  const std::int64_t left = by.shift > 0 ? by.shift : 0;
  const std::int64_t right = (by.shift > 0 ? 0 : -std::int64_t{by.shift}) + 31;
  const auto shifted = left_shift_value<std::int64_t>(value, left);
  const auto product = multiply_values<std::int64_t>(shifted, by.multiplier);
  const auto half = left_shift_value<std::int64_t>(1, right - 1);
  const std::int64_t rounder = product >= 0 ? half : half - 1;
  return static_cast<std::int32_t>(
      right_shift_value<std::int64_t>(add_values(product, rounder), right));
}

}  // namespace tvmq::exec
