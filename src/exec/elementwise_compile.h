// From element by element operators to instructions. Internal to exec.
#pragma once

#include <vector>

#include "exec/elementwise_code.h"
#include "exec/program_fuse.h"

namespace tvmq::exec {

/// Slots 0 .. operands.size() - 1 hold the operands, widened to their register class; then come the
/// results of instructions; the last slot is the result in memory, in its own dtype.
struct ElementwiseCode {
  struct Operand {
    ValueId value = kNoValue;
    ir::Tensor constant{};   ///< what batch_norm multiplies with or adds; empty: `value`
    std::int64_t axis = -1;  ///< of `constant` (one dimension): along which dimension of the result
    ir::DType dtype = ir::DType::kVoid;  ///< in memory
    std::optional<Code> load{};          ///< none: used from memory as it is
  };
  std::vector<Operand> operands;
  std::vector<Instruction> instructions;
  std::size_t slots = 0;
};

ElementwiseCode compile_elementwise(const ir::Graph& graph, const LiveValues& live,
                                    const ElementwiseStep& step);

}  // namespace tvmq::exec
