#include "exec/reference_cast.h"

#include "exec/reference_dtype.h"
#include "exec/reference_half.h"
#include "exec/reference_scalar.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Tensor;

template <class From>
void cast_elements(const KernelCall& call, std::span<const From> in, Tensor& result) {
  visit_element(call, result.dtype(), [&]<class To>(std::type_identity<To>) {
    To* out = result.mutable_data<To>().data();
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = cast_value<To>(in[i]);
  });
}

}  // namespace

Tensor cast_tensor(const KernelCall& call, const Tensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return tensor;
  if (tensor.dtype() == DType::kFloat16) {
    const std::vector<float> wide = widen_half(tensor);
    return cast_tensor(call, Tensor::from<float>(tensor.shape(), wide), dtype);
  }
  if (dtype == DType::kFloat16) {
    return narrow_to_half(cast_tensor(call, tensor, DType::kFloat32));
  }
  Tensor result(dtype, tensor.shape());
  visit_element(call, tensor.dtype(), [&]<class From>(std::type_identity<From>) {
    cast_elements<From>(call, tensor.data<From>(), result);
  });
  return result;
}

Tensor scalar_of(const KernelCall& call, DType dtype, float value) {
  return cast_tensor(call, Tensor::scalar(value), dtype);
}

Values cast(const KernelCall& call) {
  return {cast_tensor(call, call.operand(0), call.result().dtype)};
}

}  // namespace tvmq::exec
