// Instructions that do the work of several. Internal to exec.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "exec/elementwise_code.h"

namespace tvmq::exec {

/// Joins instructions whose results nobody else reads; the arithmetic stays the same to the bit.
/// Slots from `first_result` on are results, each written once.
///
///   r0 = add_int x, bias             requantize x, bias, scale, half
///   r1 = int_to_float r0
///   r2 = multiply r1, scale     ->
///   r3 = add r2, half
///   r4 = clip r3
///   r5 = float_to_int r4
///   store_int8 r5
///
/// `zero_int` and `zero_float` give the slot of an operand that is zero everywhere; `is_one` tells
/// which slot holds 1.0.
std::vector<Instruction> join_instructions(std::vector<Instruction> instructions,
                                           std::uint16_t first_result,
                                           const std::function<std::uint16_t()>& zero_int,
                                           const std::function<std::uint16_t()>& zero_float,
                                           const std::function<bool(std::uint16_t)>& is_one);

}  // namespace tvmq::exec
