// Convolutions of tensors, for nn.conv* and for qnn.conv2d.
#pragma once

#include <string>

#include "exec/reference_window.h"

namespace tvmq::exec {

/// What the attributes of every convolution say.
struct ConvParameters {
  std::size_t spatial = 2;
  Window window;
  std::int64_t groups = 1;
  std::string data_layout;
  std::string kernel_layout;
  std::string out_layout;  ///< data_layout if empty
};

ConvParameters conv_parameters(const ir::Conv2DAttrs& attrs);

/// `data` * `weight` as a tensor of `type`. The operands are converted to the accumulator first:
/// the float type of the result, or 32 bits (64 for 64-bit results) modulo 2^bits, whose low bits
/// are the result.
ir::Tensor convolve_tensors(const KernelCall& call, const ConvParameters& parameters,
                            const ir::Tensor& data, const ir::Tensor& weight,
                            const ir::TensorType& type);

/// rows x inner times inner x columns, `batches` times, in the same arithmetic. Operands of 1 batch
/// repeat. a: (batches or 1, rows, inner), b: (batches or 1, inner, columns).
ir::Tensor multiply_tensors(const KernelCall& call, const ir::Tensor& a, const ir::Tensor& b,
                            const ir::TensorType& type);

}  // namespace tvmq::exec
