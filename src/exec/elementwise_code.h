// The instructions that element by element operators are compiled to. Internal to exec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ir/dtype.h"

namespace tvmq::exec {

/// Elements handled at a time: a few registers of this size fit into the first-level cache.
inline constexpr std::int64_t kChunk = 1024;

/// What the elements of a register are: all integers of up to 32 bits are kept as int32 (after each
/// operation wrapped to their own width).
enum class RegisterClass : std::uint8_t { kFloat, kInt, kLong };

enum class Code : std::uint8_t {
  // memory -> register and back
  kLoadInt8,
  kLoadUInt8,
  kLoadInt16,
  kLoadUInt16,
  kStoreInt8,  ///< also uint8 and bool: the low byte
  kStoreInt16,
  kMove32,
  kMove64,
  // float
  kAddFloat,
  kSubtractFloat,
  kMultiplyFloat,
  kDivideFloat,
  kMaximumFloat,
  kMinimumFloat,
  kPrelu,  ///< a > 0 ? a : a * b
  kRelu,
  kLeakyRelu,  ///< f0: slope
  kClipFloat,  ///< f0, f1
  kSigmoid,
  kTanh,
  kExp,
  kFastExp,
  kLog,
  kErf,
  kSqrt,
  kRsqrt,
  kAbsFloat,
  kNegateFloat,
  kRound,  ///< half away from zero
  kFloor,
  kCeil,
  kTrunc,
  // int
  kAddInt,
  kSubtractInt,
  kMultiplyInt,
  kMaximumInt,
  kMinimumInt,
  kLeftShiftInt,   ///< i0: bits of the type
  kRightShiftInt,  ///< i0: bits of the type
  kClipInt,        ///< i0, i1
  kWrapInt8,
  kWrapUInt8,
  kWrapInt16,
  kWrapUInt16,
  kTableInt,  ///< table[clip(a, i0, i1)]
  kTableFloat,
  // long
  kAddLong,
  kSubtractLong,
  kMultiplyLong,
  kMaximumLong,
  kMinimumLong,
  kLeftShiftLong,
  kRightShiftLong,
  kClipLong,
  // int -> int, long -> long: (a << i0) * i1 rounded half up to the right by i2, low 32 bits
  kFixedPointInt,
  kFixedPointLong,
  kRoundShiftInt,   ///< (a + (1 << i0 >> 1)) >> i0 in 32 bits
  kRoundShiftWide,  ///< the same in 64 bits, from int to int: the result fits
  kRoundShiftLong,
  // casts
  kFloatToInt,
  kFloatToLong,
  kIntToFloat,
  kLongToFloat,
  kIntToLong,
  kLongToInt,
  kFloatToBool,
  kIntToBool,
  kLongToBool,
  // several at once (elementwise_peephole.h)
  kAddIntToFloat,    ///< float(a + b)
  kMultiplyAdd,      ///< a * b + c
  kMultiplyClip,     ///< a * b clipped to [f0, f1]
  kMultiplyAddClip,  ///< a * b + c clipped to [f0, f1]
  kStoreFloatInt8,   ///< the low byte of int(a), |a| < 2^31
  kFastSigmoid,      ///< 1 / (1 + fast_exp(-a))
  kDequantize,       ///< (float(a) - b) * c
  kDequantizeAdd,    ///< (float(a) - b) * c + d
  kAddScaledInts,    ///< float(a + b) * c + float(d) * e
  // The low byte of int(y + offset clipped to [f0, f1]). What they read as bytes is one of i0: 0:
  // int32 after all, 1: uint8, 2: int8
  kScaleStore,         ///< y = a * b
  kRequantizeClipped,  ///< y = x * e, x = float(a + b) * c + d clipped to [f2, f3]
  kRequantizeSwish,    ///< y = x / (1 + fast_exp(-x)) * e, x = float(a + b) * c
  kRequantizeSum,      ///< y = (float(a + b) * c + (float(bytes d) - zero) * unit) * scale
  kShiftBytes,         ///< y = ((float(bytes a) - zero) * unit + b) * scale
  kGateBytes,          ///< y = (float(bytes a) - zero) * unit * b * scale
  // The low byte of int(float(a + b) * c + offset clipped to [f0, f1]), or rounded down before that
  kRequantize,
  kRequantizeFloor,
};

struct Instruction {
  Code code = Code::kMove32;
  std::uint16_t out = 0;  ///< slots
  std::uint16_t a = 0;
  std::uint16_t b = 0;
  std::uint16_t c = 0;
  std::uint16_t d = 0;
  std::uint16_t e = 0;
  float f0 = 0;
  float f1 = 0;
  float f2 = 0;
  float f3 = 0;
  float scale = 1;
  float offset = 0;
  float unit = 1;
  float zero = 0;
  std::int64_t i0 = 0;
  std::int64_t i1 = 0;
  std::int64_t i2 = 0;
  std::shared_ptr<const std::vector<std::byte>> table{};
};

/// How many of the slots a, b, ... an instruction reads.
int operand_count(Code code);

/// Executes `instruction` on `count` elements; slots[i] is where register i lies. Registers may be
/// the same.
void run_instruction(const Instruction& instruction, std::byte* const* slots, std::int64_t count);

/// target[r * row + i] = source[r * step + i * inner_step], elements of `size` bytes; r < rows, i <
/// row.
void gather_rows(const std::byte* source, std::byte* target, std::int64_t rows, std::int64_t row,
                 std::int64_t step, std::int64_t inner_step, std::size_t size);

}  // namespace tvmq::exec
