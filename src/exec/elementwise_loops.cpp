#include "exec/elementwise_loops.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace tvmq::exec::loops {
namespace {

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

}  // namespace

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
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = wrap8(ubytes[i]); });
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

}  // namespace tvmq::exec::loops

namespace tvmq::exec {

int operand_count(Code code) {
  const auto between = [code](Code first, Code last) { return code >= first && code <= last; };
  if (code == Code::kPrelu) return 2;
  if (between(Code::kLoadInt8, Code::kMove64) || between(Code::kRelu, Code::kTrunc) ||
      between(Code::kClipInt, Code::kTableFloat) || between(Code::kClipLong, Code::kLongToBool) ||
      code == Code::kStoreFloatInt8 || code == Code::kFastSigmoid) {
    return 1;
  }
  switch (code) {
    case Code::kAddScaledInts:
    case Code::kRequantizeClipped:
    case Code::kRequantizeSwish:
      return 5;
    case Code::kDequantizeAdd:
    case Code::kRequantizeSum:
      return 4;
    case Code::kMultiplyAdd:
    case Code::kMultiplyAddClip:
    case Code::kDequantize:
    case Code::kRequantize:
    case Code::kRequantizeFloor:
      return 3;
    default:
      return 2;
  }
}

void run_instruction(const Instruction& instruction, std::byte* const* slots, std::int64_t count) {
  using Loops = void (*)(const Instruction&, std::byte* const*, std::int64_t);
  const Code code = instruction.code;
  const auto between = [code](Code first, Code last) { return code >= first && code <= last; };
  Loops run = loops::run_int;
  if (between(Code::kLoadInt8, Code::kStoreInt16) || between(Code::kTableInt, Code::kTableFloat)) {
    run = loops::run_memory;
  } else if (between(Code::kMove32, Code::kMove64) ||
             between(Code::kFloatToInt, Code::kFloatToBool) || code == Code::kLongToBool) {
    run = loops::run_cast;
  } else if (between(Code::kSigmoid, Code::kErf)) {
    run = loops::run_transcendental;
  } else if (between(Code::kAddFloat, Code::kTrunc)) {
    run = loops::run_float;
  } else if (between(Code::kAddLong, Code::kClipLong) || code == Code::kFixedPointLong ||
             code == Code::kRoundShiftLong) {
    run = loops::run_long;
  } else if (code >= Code::kAddIntToFloat) {
    run = loops::run_joined;
  }
  run(instruction, slots, count);
}

void gather_rows(const std::byte* source, std::byte* target, std::int64_t rows, std::int64_t row,
                 std::int64_t step, std::int64_t inner_step, std::size_t size) {
  const auto bytes = static_cast<std::int64_t>(size);
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::byte* from = source + r * step * bytes;
    std::byte* to = target + r * row * bytes;
    if (inner_step == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(row * bytes));
    } else if (size == 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, from, 4);
      std::fill_n(reinterpret_cast<std::uint32_t*>(to), row, word);
    } else {
      for (std::int64_t i = 0; i < row; ++i) std::memcpy(to + i * bytes, from, size);
    }
  }
}

}  // namespace tvmq::exec
