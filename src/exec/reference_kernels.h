// Plain loops for every operator of ir/op.h: the oracle that faster code is compared with, the
// fallback where there is no faster code, and what fold_constant evaluates with.
//
// The numbers are those of TVM v0.19 compiled for plain `llvm` on x86-64
// (relay_quantize.md 2.3, 3.4, 5.2, 6.2):
//   * one IEEE operation at a time, rounded to the operands' type; nothing is fused or reordered;
//   * sums start at 0 and ascend, in the order of TVM's code (reference_conv.cpp says which): float
//     networks come out with TVM's bits in all but a few operators;
//   * integers wrap; `/` and integer averages truncate; right_shift is arithmetic;
//   * `round` goes half away from zero, clip truncates its bounds toward zero for integers;
//   * float -> int truncates and gives the smallest int32/int64 where x86 does (out of range, NaN);
//     for 8 and 16 bits that int32 is saturated; int -> narrower int keeps the low bits.
// Where TVM's own result is undefined (a shift by the width or more, INT_MIN / -1) these are
// defined: the shift gives 0 or the sign, the quotient wraps. Integer division by zero is an
// InputError.
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"

namespace tvmq::exec {

/// False for kOpaque only.
bool has_reference_kernel(ir::Op op);

/// The value of a kCall node on the given operands: one tensor, or one per field if the node's type
/// is a tuple. `operands[i]` belongs to input i of the node: one tensor, or one per field.
///
/// The result's type is inferred from these operands, so that untyped graphs and dynamic dimensions
/// can be run. REQUIRES: has_reference_kernel(op).
///
/// Throws InputError, naming the layer, for what no result exists for: an integer division by zero,
/// a dtype the operator is not defined for (float16 is carried, never computed in), operands that
/// do not fit each other, a node type that is not what the operands give.
std::vector<ir::Tensor> evaluate(const ir::Graph& graph, ir::NodeId id,
                                 std::span<const std::vector<ir::Tensor>> operands);

}  // namespace tvmq::exec
