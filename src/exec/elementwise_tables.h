// Which instruction an operator becomes. Internal to exec.
#pragma once

#include <optional>

#include "exec/elementwise_code.h"
#include "ir/op.h"

namespace tvmq::exec {

/// From memory of a narrow dtype into a register; nothing for dtypes that are used as they are.
std::optional<Code> load_code(ir::DType dtype);
/// Back into the range of a narrow dtype; nothing for int32.
std::optional<Code> wrap_code(ir::DType dtype);

/// One operation on floats, ints and longs.
struct BinaryCodes {
  std::optional<Code> of_float;
  std::optional<Code> of_int;
  std::optional<Code> of_long;
  bool wraps = false;  ///< the result of narrow operands may not fit their type
};
std::optional<BinaryCodes> binary_codes(ir::Op op);
/// Operators of one float.
std::optional<Code> float_code(ir::Op op);

}  // namespace tvmq::exec
