// Which instruction an operator becomes. Internal to exec.
#pragma once

#include <optional>

#include "exec/elementwise_code.h"
#include "ir/op.h"

namespace tvmq::exec {

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
