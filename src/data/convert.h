// Elements of one type to another, only if every value survives.
#pragma once

#include <string_view>

#include "ir/tensor.h"

namespace tvmq::data {

/// `tensor` itself if it has the type already. NaN and infinities survive between float types.
/// InputError names the first element whose value `dtype` does not have. float16 is read only.
ir::Tensor convert_exactly(const ir::Tensor& tensor, ir::DType dtype,
                           std::string_view name_for_errors);

}  // namespace tvmq::data
