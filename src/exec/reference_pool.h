// Average pooling of a tensor, for nn.avg_pool* and qnn.avg_pool2d.
#pragma once

#include <string>

#include "exec/reference_window.h"

namespace tvmq::exec {

struct PoolParameters {
  std::string layout;                           ///< any with D, H, W not split into blocks
  std::array<std::int64_t, 3> kernel{1, 1, 1};  ///< depth, height, width
  Window window;
  bool is_max = false;
  bool count_include_pad = false;
  bool count_is_known = false;  ///< every window has as many elements
};

PoolParameters pool_parameters(const ir::AvgPool2DAttrs& attrs);

/// REQUIRES: `type` has the operand's dtype. Integer averages truncate toward zero.
ir::Tensor pool_tensor(const KernelCall& call, const PoolParameters& parameters,
                       const ir::Tensor& operand, const ir::TensorType& type);

}  // namespace tvmq::exec
