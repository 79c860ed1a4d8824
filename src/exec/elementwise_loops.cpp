#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "exec/elementwise_code.h"

// Every loop below is vectorised by the compiler, once per instruction set; registers that overlap
// are the same register, which is what ivdep tells it.

namespace tvmq::exec {
namespace {

using std::int32_t;
using std::int64_t;
using std::uint32_t;
using std::uint64_t;

template <class F>
[[gnu::always_inline]] inline void each(int64_t count, F f) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) f(i);
}

[[gnu::always_inline]] inline int32_t wrap32(uint32_t value) { return static_cast<int32_t>(value); }
[[gnu::always_inline]] inline int64_t wrap64(uint64_t value) { return static_cast<int64_t>(value); }

/// 2^(x log2 e): 2^n by the exponent bits, the rest by a polynomial of degree 6 (relative error
/// below 1e-7).
[[gnu::always_inline]] inline float exp_float(float x) {
  const float bounded = x > 88.7F ? 88.7F : (x > -87.3F ? x : -87.3F);
  const float n = std::floor(bounded * 1.44269504F + 0.5F);
  const float r = (bounded - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float mantissa = (p * r * r + r) + 1.0F;
  const auto bits = static_cast<int32_t>(n) << 22;  // two halves: n + 127 alone can reach 255
  const auto half =
      std::bit_cast<float>(wrap32((uint32_t{127} << 23) + static_cast<uint32_t>(bits & ~0x7FFFFF)));
  const auto rest = std::bit_cast<float>(
      wrap32((uint32_t{127} << 23) + (static_cast<uint32_t>(static_cast<int32_t>(n)) << 23) -
             static_cast<uint32_t>(bits & ~0x7FFFFF)));
  return x > 88.7228F ? std::numeric_limits<float>::infinity() : mantissa * half * rest;
}

[[gnu::always_inline]] inline float tanh_float(float x) {
  const float magnitude = std::abs(x);
  const float square = x * x;
  float p = -5.70498872745e-3F;
  p = p * square + 2.06390887954e-2F;
  p = p * square - 5.37397155531e-2F;
  p = p * square + 1.33314422036e-1F;
  p = p * square - 3.33332819422e-1F;
  const float small = p * square * x + x;
  const float large = 1.0F - 2.0F / (exp_float(2.0F * magnitude) + 1.0F);
  return magnitude < 0.625F ? small : std::copysign(large, x);
}

/// Half away from zero: the largest float below 0.5 never carries over.
[[gnu::always_inline]] inline float round_float(float x) {
  return std::trunc(x + std::copysign(0.49999997F, x));
}

/// cvttps2dq: the smallest value for NaN and whatever does not fit.
[[gnu::always_inline]] inline int32_t to_int(float x) {
  const bool fits = x >= -2147483648.0F && x < 2147483648.0F;
  const int32_t value = static_cast<int32_t>(fits ? x : 0.0F);
  return fits ? value : std::numeric_limits<int32_t>::min();
}
[[gnu::always_inline]] inline int64_t to_long(float x) {
  const bool fits = x >= -9223372036854775808.0F && x < 9223372036854775808.0F;
  const int64_t value = static_cast<int64_t>(fits ? x : 0.0F);
  return fits ? value : std::numeric_limits<int64_t>::min();
}

[[gnu::always_inline]] inline int32_t left_shift(int32_t a, int32_t by, int64_t bits) {
  const bool inside = static_cast<uint32_t>(by) < static_cast<uint32_t>(bits);
  return inside ? wrap32(static_cast<uint32_t>(a) << (static_cast<uint32_t>(by) & 31U)) : 0;
}
[[gnu::always_inline]] inline int32_t right_shift(int32_t a, int32_t by, int64_t bits) {
  const bool inside = static_cast<uint32_t>(by) < static_cast<uint32_t>(bits);
  return a >> (inside ? by : 31);
}

struct Slots {
  const Instruction& instruction;
  std::byte* const* at;
  template <class T>
  [[gnu::always_inline]] T* out() const {
    return reinterpret_cast<T*>(at[instruction.out]);
  }
  template <class T>
  [[gnu::always_inline]] const T* a() const {
    return reinterpret_cast<const T*>(at[instruction.a]);
  }
  template <class T>
  [[gnu::always_inline]] const T* b() const {
    return reinterpret_cast<const T*>(at[instruction.b]);
  }
};

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_float(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<float>();
  const auto* b = slots.b<float>();
  auto* out = slots.out<float>();
  const float f0 = in.f0;
  const float f1 = in.f1;
  switch (in.code) {
    case Code::kAddFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] + b[i]; });
      break;
    case Code::kSubtractFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] - b[i]; });
      break;
    case Code::kMultiplyFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] * b[i]; });
      break;
    case Code::kDivideFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] / b[i]; });
      break;
    case Code::kMaximumFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] > b[i] ? a[i] : b[i]; });
      break;
    case Code::kMinimumFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] < b[i] ? a[i] : b[i]; });
      break;
    case Code::kPrelu:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = a[i] > 0.0F ? a[i] : a[i] * b[i]; });
      break;
    case Code::kRelu:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] > 0.0F ? a[i] : 0.0F; });
      break;
    case Code::kLeakyRelu:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = a[i] > 0.0F ? a[i] : a[i] * f0; });
      break;
    case Code::kClipFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const float low = a[i] < f1 ? a[i] : f1;
            out[i] = low > f0 ? low : f0;
          });
      break;
    case Code::kSqrt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::sqrt(a[i]); });
      break;
    case Code::kRsqrt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = 1.0F / std::sqrt(a[i]); });
      break;
    case Code::kAbsFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::abs(a[i]); });
      break;
    case Code::kNegateFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = -a[i]; });
      break;
    case Code::kRound:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = round_float(a[i]); });
      break;
    case Code::kFloor:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::floor(a[i]); });
      break;
    case Code::kCeil:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::ceil(a[i]); });
      break;
    case Code::kTrunc:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::trunc(a[i]); });
      break;
    default:
      break;
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
run_transcendental(const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<float>();
  auto* out = slots.out<float>();
  switch (in.code) {
    case Code::kSigmoid:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = 1.0F / (1.0F + exp_float(-a[i])); });
      break;
    case Code::kTanh:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = tanh_float(a[i]); });
      break;
    case Code::kExp:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = exp_float(a[i]); });
      break;
    case Code::kLog:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::log(a[i]); });
      break;
    case Code::kErf:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::erf(a[i]); });
      break;
    default:
      break;
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_int(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<int32_t>();
  const auto* b = slots.b<int32_t>();
  auto* out = slots.out<int32_t>();
  const int64_t i0 = in.i0;
  const auto low = static_cast<int32_t>(in.i0);
  const auto high = static_cast<int32_t>(in.i1);
  const int64_t i1 = in.i1;
  const int64_t i2 = in.i2;
  switch (in.code) {
    case Code::kAddInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap32(static_cast<uint32_t>(a[i]) + static_cast<uint32_t>(b[i]));
          });
      break;
    case Code::kSubtractInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap32(static_cast<uint32_t>(a[i]) - static_cast<uint32_t>(b[i]));
          });
      break;
    case Code::kMultiplyInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap32(static_cast<uint32_t>(a[i]) * static_cast<uint32_t>(b[i]));
          });
      break;
    case Code::kMaximumInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] > b[i] ? a[i] : b[i]; });
      break;
    case Code::kMinimumInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] < b[i] ? a[i] : b[i]; });
      break;
    case Code::kLeftShiftInt:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = left_shift(a[i], b[i], i0); });
      break;
    case Code::kRightShiftInt:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = right_shift(a[i], b[i], i0); });
      break;
    case Code::kClipInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const int32_t bounded = a[i] < high ? a[i] : high;
            out[i] = bounded > low ? bounded : low;
          });
      break;
    case Code::kWrapInt8:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = static_cast<std::int8_t>(a[i]); });
      break;
    case Code::kWrapUInt8:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] & 0xFF; });
      break;
    case Code::kWrapInt16:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = static_cast<std::int16_t>(a[i]); });
      break;
    case Code::kWrapUInt16:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] & 0xFFFF; });
      break;
    case Code::kIntToBool:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] != 0 ? 1 : 0; });
      break;
    case Code::kRoundShiftInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const uint32_t half = uint32_t{1} << i0 >> 1;
            out[i] = wrap32(static_cast<uint32_t>(a[i]) + half) >> i0;
          });
      break;
    case Code::kRoundShiftWide:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] =
                static_cast<int32_t>((static_cast<int64_t>(a[i]) + (int64_t{1} << i0 >> 1)) >> i0);
          });
      break;
    case Code::kFixedPointInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const uint64_t product = static_cast<uint64_t>(static_cast<int64_t>(a[i])) << i0;
            const uint64_t sum = product * static_cast<uint64_t>(i1) + (uint64_t{1} << i2 >> 1);
            out[i] = static_cast<int32_t>(wrap64(sum) >> i2);
          });
      break;
    default:
      break;
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_long(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<int64_t>();
  const auto* b = slots.b<int64_t>();
  auto* out = slots.out<int64_t>();
  const int64_t i0 = in.i0;
  const int64_t i1 = in.i1;
  const int64_t i2 = in.i2;
  switch (in.code) {
    case Code::kAddLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap64(static_cast<uint64_t>(a[i]) + static_cast<uint64_t>(b[i]));
          });
      break;
    case Code::kSubtractLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap64(static_cast<uint64_t>(a[i]) - static_cast<uint64_t>(b[i]));
          });
      break;
    case Code::kMultiplyLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap64(static_cast<uint64_t>(a[i]) * static_cast<uint64_t>(b[i]));
          });
      break;
    case Code::kMaximumLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] > b[i] ? a[i] : b[i]; });
      break;
    case Code::kMinimumLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] < b[i] ? a[i] : b[i]; });
      break;
    case Code::kLeftShiftLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const auto by = static_cast<uint64_t>(b[i]);
            out[i] = by < 64 ? wrap64(static_cast<uint64_t>(a[i]) << (by & 63U)) : 0;
          });
      break;
    case Code::kRightShiftLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const auto by = static_cast<uint64_t>(b[i]);
            out[i] = a[i] >> (by < 64 ? by : 63U);
          });
      break;
    case Code::kClipLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const int64_t bounded = a[i] < i1 ? a[i] : i1;
            out[i] = bounded > i0 ? bounded : i0;
          });
      break;
    case Code::kRoundShiftLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const uint64_t half = uint64_t{1} << i0 >> 1;
            out[i] = wrap64(static_cast<uint64_t>(a[i]) + half) >> i0;
          });
      break;
    case Code::kFixedPointLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const uint64_t product = static_cast<uint64_t>(a[i]) << i0;
            const uint64_t sum = product * static_cast<uint64_t>(i1) + (uint64_t{1} << i2 >> 1);
            out[i] = static_cast<int32_t>(wrap64(sum) >> i2);
          });
      break;
    default:
      break;
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_cast(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* as_float = slots.a<float>();
  const auto* as_int = slots.a<int32_t>();
  const auto* as_long = slots.a<int64_t>();
  auto* out_float = slots.out<float>();
  auto* out_int = slots.out<int32_t>();
  auto* out_long = slots.out<int64_t>();
  switch (in.code) {
    case Code::kFloatToInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out_int[i] = to_int(as_float[i]); });
      break;
    case Code::kFloatToLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out_long[i] = to_long(as_float[i]); });
      break;
    case Code::kIntToLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out_long[i] = as_int[i]; });
      break;
    case Code::kFloatToBool:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out_int[i] = as_float[i] != 0.0F ? 1 : 0; });
      break;
    case Code::kIntToFloat:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out_float[i] = static_cast<float>(as_int[i]); });
      break;
    case Code::kLongToFloat:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out_float[i] = static_cast<float>(as_long[i]); });
      break;
    case Code::kLongToInt:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out_int[i] = static_cast<int32_t>(as_long[i]); });
      break;
    case Code::kLongToBool:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out_int[i] = as_long[i] != 0 ? 1 : 0; });
      break;
    case Code::kMove32:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out_int[i] = as_int[i]; });
      break;
    case Code::kMove64:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out_long[i] = as_long[i]; });
      break;
    default:
      break;
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_memory(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* table_int = in.table ? reinterpret_cast<const int32_t*>(in.table->data()) : nullptr;
  const auto* table_float = in.table ? reinterpret_cast<const float*>(in.table->data()) : nullptr;
  const auto* a = slots.a<int32_t>();
  const auto* bytes = slots.a<std::int8_t>();
  const auto* ubytes = slots.a<std::uint8_t>();
  const auto* shorts = slots.a<std::int16_t>();
  const auto* ushorts = slots.a<std::uint16_t>();
  auto* out = slots.out<int32_t>();
  auto* out_float = slots.out<float>();
  auto* out_bytes = slots.out<std::int8_t>();
  auto* out_shorts = slots.out<std::int16_t>();
  const auto low = static_cast<int32_t>(in.i0);
  const auto high = static_cast<int32_t>(in.i1);
  switch (in.code) {
    case Code::kLoadInt8:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = bytes[i]; });
      break;
    case Code::kLoadUInt8:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = ubytes[i]; });
      break;
    case Code::kLoadInt16:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = shorts[i]; });
      break;
    case Code::kLoadUInt16:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = ushorts[i]; });
      break;
    case Code::kStoreInt8:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out_bytes[i] = static_cast<std::int8_t>(a[i]); });
      break;
    case Code::kStoreInt16:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out_shorts[i] = static_cast<std::int16_t>(a[i]);
          });
      break;
    case Code::kTableInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = table_int[a[i] < low ? low : (a[i] > high ? high : a[i])];
          });
      break;
    case Code::kTableFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out_float[i] = table_float[a[i] < low ? low : (a[i] > high ? high : a[i])];
          });
      break;
    default:
      break;
  }
}

}  // namespace

void run_instruction(const Instruction& instruction, std::byte* const* slots, int64_t count) {
  const Code code = instruction.code;
  if (code <= Code::kStoreInt16 || code == Code::kTableInt || code == Code::kTableFloat) {
    run_memory(instruction, slots, count);
  } else if (code == Code::kMove32 || code == Code::kMove64 || code == Code::kFloatToInt ||
             code == Code::kFloatToLong || code == Code::kIntToFloat ||
             code == Code::kLongToFloat || code == Code::kIntToLong || code == Code::kLongToInt ||
             code == Code::kFloatToBool || code == Code::kLongToBool) {
    run_cast(instruction, slots, count);
  } else if (code >= Code::kSigmoid && code <= Code::kErf) {
    run_transcendental(instruction, slots, count);
  } else if (code >= Code::kAddFloat && code <= Code::kTrunc) {
    run_float(instruction, slots, count);
  } else if (code >= Code::kAddLong && code <= Code::kClipLong) {
    run_long(instruction, slots, count);
  } else if (code == Code::kFixedPointLong || code == Code::kRoundShiftLong) {
    run_long(instruction, slots, count);
  } else {
    run_int(instruction, slots, count);
  }
}

void gather_rows(const std::byte* source, std::byte* target, int64_t rows, int64_t row,
                 int64_t step, int64_t inner_step, std::size_t size) {
  const auto bytes = static_cast<int64_t>(size);
  for (int64_t r = 0; r < rows; ++r) {
    const std::byte* from = source + r * step * bytes;
    std::byte* to = target + r * row * bytes;
    if (inner_step == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(row * bytes));
    } else if (size == 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, from, 4);
      std::fill_n(reinterpret_cast<std::uint32_t*>(to), row, word);
    } else {
      for (int64_t i = 0; i < row; ++i) std::memcpy(to + i * bytes, from, size);
    }
  }
}

}  // namespace tvmq::exec
