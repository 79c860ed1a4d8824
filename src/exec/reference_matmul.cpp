// Matrix products: nn.dense, nn.matmul, nn.batch_matmul.
#include <utility>

#include "exec/reference_accumulator.h"
#include "exec/reference_conv.h"
#include "exec/reference_loops.h"
#include "exec/reference_strided.h"

namespace tvmq::exec {
namespace {

using ir::Shape;
using ir::Tensor;

/// A matrix or a batch of them as (batches, rows, columns), its last two dimensions swapped or not.
Tensor as_batch(const Tensor& tensor, bool transposed) {
  Shape shape = tensor.shape();
  check(shape.size() >= 2, "a matrix has rows and columns");
  const std::int64_t columns = shape.back();
  const std::int64_t rows = shape[shape.size() - 2];
  const auto batches = ir::element_count(std::span(shape).first(shape.size() - 2));
  const Tensor batch = tensor.reshaped({batches.value_or(0), rows, columns});
  return transposed ? permute(batch, {0, 2, 1}) : batch;
}

/// All dimensions but the last counted as rows of one matrix.
Tensor as_rows(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  check(!shape.empty(), "a matrix has columns");
  const auto rows = ir::element_count(std::span(shape).first(shape.size() - 1));
  return tensor.reshaped({1, rows.value_or(0), shape.back()});
}

}  // namespace

Tensor multiply_tensors(const KernelCall& call, const Tensor& a, const Tensor& b,
                        const ir::TensorType& type) {
  const std::int64_t rows = a.shape().at(1);
  const std::int64_t inner = a.shape().at(2);
  const std::int64_t columns = b.shape().at(2);
  const std::int64_t batches = a.shape()[0] == 1 ? b.shape()[0] : a.shape()[0];
  check(b.shape()[1] == inner && (b.shape()[0] == 1 || b.shape()[0] == batches),
        "matrices that can be multiplied");
  Tensor result;
  visit_accumulator(call, type.dtype, [&]<class S, class T>(Accumulator<S, T> sum) {
    const Tensor left = cast_tensor(call, a, ir::DTypeOf<S>::kValue);
    const Tensor right = cast_tensor(call, b, ir::DTypeOf<S>::kValue);
    Tensor product(ir::DTypeOf<S>::kValue, type.shape);
    check(product.size() == batches * rows * columns, "the product fills the result");
    for (std::int64_t i = 0; i < batches; ++i) {
      const T* x = sum.read(left) + (a.shape()[0] == 1 ? 0 : i * rows * inner);
      const T* y = sum.read(right) + (b.shape()[0] == 1 ? 0 : i * inner * columns);
      multiply_matrices(rows, inner, columns, x, y, sum.write(product) + i * rows * columns);
    }
    result = cast_tensor(call, product, type.dtype);
  });
  return result;
}

Values dense(const KernelCall& call) {
  return {multiply_tensors(call, as_rows(call.operand(0)), as_batch(call.operand(1), true),
                           call.result())};
}

Values matmul(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::MatmulAttrs>();
  const Tensor& data = call.operand(0);
  return {multiply_tensors(call, attrs.transpose_a ? as_batch(data, true) : as_rows(data),
                           as_batch(call.operand(1), attrs.transpose_b), call.result())};
}

Values batch_matmul(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::BatchMatmulAttrs>();
  return {multiply_tensors(call, as_batch(call.operand(0), attrs.transpose_a),
                           as_batch(call.operand(1), attrs.transpose_b), call.result())};
}

}  // namespace tvmq::exec
