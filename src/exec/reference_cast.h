// Tensors of one dtype as another.
#pragma once

#include "exec/reference_kernel.h"

namespace tvmq::exec {

/// Every element converted as the `cast` operator does (reference_scalar.h: cast_value); float16
/// goes through float32. The same tensor if it has that dtype already.
ir::Tensor cast_tensor(const KernelCall& call, const ir::Tensor& tensor, ir::DType dtype);

/// A scalar of any dtype. REQUIRES: `value` is exact in it.
ir::Tensor scalar_of(const KernelCall& call, ir::DType dtype, float value);

}  // namespace tvmq::exec
