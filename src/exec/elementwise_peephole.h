// Instructions that do the work of several. Internal to exec.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "exec/elementwise_code.h"

namespace tvmq::exec {

/// What joining needs to know of operands, and may do with them.
struct OperandInfo {
  /// The slot of an operand that is zero everywhere.
  std::function<std::uint16_t()> zero_int;
  std::function<std::uint16_t()> zero_float;
  /// The number that a slot holds everywhere, if that is known.
  std::function<std::optional<float>(std::uint16_t slot)> number;
  /// Has a slot hold the bytes that lie in memory instead of the int32 made of them, and says
  /// which ones: i0 of the instructions that read bytes. 0: it does not hold bytes.
  std::function<std::int64_t(std::uint16_t slot)> as_bytes;
};

/// Joins instructions whose results nobody else reads; the arithmetic stays the same to the bit.
/// Slots from `first_result` on are results, each written once.
///
///   r0 = add_int x, bias             requantize x, bias, scale {offset = half}
///   r1 = int_to_float r0
///   r2 = multiply r1, scale     ->
///   r3 = add r2, half
///   r4 = clip r3
///   r5 = float_to_int r4
///   store_int8 r5
std::vector<Instruction> join_instructions(std::vector<Instruction> instructions,
                                           std::uint16_t first_result, const OperandInfo& operands);

}  // namespace tvmq::exec
