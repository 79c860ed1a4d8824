// Operators that compute every element of their result from the elements at its place.
#pragma once

#include "ir/op.h"

namespace tvmq::passes {

/// Of one operand. Not cast, which changes the type.
bool is_unary_elementwise(ir::Op op);

/// Arithmetic on two operands, which broadcast.
bool is_binary_elementwise(ir::Op op);

}  // namespace tvmq::passes
