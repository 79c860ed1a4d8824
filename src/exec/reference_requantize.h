// Changing the scale of quantized values: qnn.requantize, and the step that other qnn operators
// begin with (relay_quantize.md 5.2).
#pragma once

#include <string>

#include "exec/reference_kernel.h"
#include "exec/reference_rows.h"

namespace tvmq::exec {

/// real = scale * (quantized - zero_point); one pair, or one per index of an axis.
struct QuantParams {
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;

  [[nodiscard]] bool is_scalar() const { return scale.size() == 1 && zero_point.size() == 1; }
};

/// From the operands of a qnn operator: a float32 tensor and an int32 one.
QuantParams quant_params(const KernelCall& call, const ir::Tensor& scale,
                         const ir::Tensor& zero_point);

/// The elements that share a scale and a zero point: those of an index of `axis`, which TVM does
/// not look at for scalars and vectors. Refuses parameters that are neither one nor one per index.
AxisView parameter_view(const KernelCall& call, const ir::Tensor& tensor, const QuantParams& params,
                        std::int64_t axis);

struct RequantizeOptions {
  std::int64_t axis = -1;              ///< of the input's parameters
  std::string rounding = "None";       ///< UPWARD (default) or TONEAREST
  std::string compute_dtype = "None";  ///< float32 (default), float64 or int64
};

/// Values of scale `from` as values of the scalar parameters `to`, rounded, zero point added; as
/// int32, not clipped.
ir::Tensor requantize_tensor(const KernelCall& call, const ir::Tensor& tensor,
                             const QuantParams& from, const QuantParams& to,
                             const RequantizeOptions& options);

/// The same, or just a cast to int32 if the parameters are equal scalars.
ir::Tensor requantize_or_upcast(const KernelCall& call, const ir::Tensor& tensor,
                                const QuantParams& from, const QuantParams& to, std::int64_t axis);

/// int32 values clipped to the range of an integer dtype and converted; int32 stays as it is.
ir::Tensor saturate(const KernelCall& call, const ir::Tensor& tensor, ir::DType dtype);

}  // namespace tvmq::exec
