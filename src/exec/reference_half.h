// float16 is carried and converted, never computed in.
#pragma once

#include <vector>

#include "ir/tensor.h"

namespace tvmq::exec {

/// The elements of a float16 tensor as float32 (exact).
std::vector<float> widen_half(const ir::Tensor& half);
/// A float32 tensor in float16: rounded to nearest, ties to even; too large becomes infinite.
ir::Tensor narrow_to_half(const ir::Tensor& single);

}  // namespace tvmq::exec
