// Operators whose operand says which elements are taken.
#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include "exec/reference_cast.h"
#include "exec/reference_kernel.h"
#include "exec/reference_strided.h"

namespace tvmq::exec {
namespace {

using ir::Shape;
using ir::Tensor;

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(begin),
                         shape.begin() + static_cast<std::ptrdiff_t>(end), std::int64_t{1},
                         std::multiplies<>());
}

/// Index operands have any integer type; TVM's frontends also use int32 and int64.
Tensor as_int64(const KernelCall& call, const Tensor& indices) {
  return cast_tensor(call, indices, ir::DType::kInt64);
}

}  // namespace

Values take(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::TakeAttrs>();
  const Tensor& given = call.operand(0);
  const Tensor data = attrs.axis.has_value() ? given : given.reshaped({given.size()});
  const Tensor indices = as_int64(call, call.operand(1));
  const std::size_t axis = real_axis(attrs.axis.value_or(0), data.rank());
  // Counted from the end of the indices' dimensions if negative; unused without an axis.
  std::int64_t shared = attrs.axis.has_value() ? attrs.batch_dims.value_or(0) : 0;
  if (shared < 0) shared += indices.rank();
  const auto batch_dims = static_cast<std::size_t>(shared);
  check(batch_dims <= axis && batch_dims <= indices.shape().size(), "batch dimensions come first");
  const std::int64_t batches = product(data.shape(), 0, batch_dims);
  const std::int64_t outer = product(data.shape(), batch_dims, axis);
  const std::int64_t size = data.shape()[axis];
  const std::int64_t inner = product(data.shape(), axis + 1, data.shape().size());
  const std::int64_t picks = product(indices.shape(), batch_dims, indices.shape().size());
  if (size == 0 && picks > 0) call.refuse("nothing can be taken from an empty axis");

  Tensor result = call.new_result();
  check(result.size() == batches * outer * picks * inner, "the picks fill the result");
  check(indices.size() == batches * picks, "indices for every batch");
  const std::size_t row = static_cast<std::size_t>(inner) * ir::dtype_size(data.dtype());
  std::byte* to = result.mutable_bytes();
  for (std::int64_t b = 0; b < batches; ++b) {
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t p = 0; p < picks; ++p) {
        std::int64_t index = indices.data<std::int64_t>()[static_cast<std::size_t>(b * picks + p)];
        // "fast" promises TVM that every index is inside; "clip" is what it then equals.
        index = attrs.mode == "wrap" ? (index % size + size) % size
                                     : std::clamp<std::int64_t>(index, 0, size - 1);
        std::memcpy(
            to, data.bytes() + static_cast<std::size_t>((b * outer + o) * size + index) * row, row);
        to += row;
      }
    }
  }
  return {std::move(result)};
}

Values gather(const KernelCall& call) {
  const Tensor& data = call.operand(0);
  const Tensor indices = as_int64(call, call.operand(1));
  const std::size_t axis = real_axis(call.attrs<ir::GatherAttrs>().axis.value_or(0), data.rank());
  Tensor result = call.new_result();
  const Shape& shape = indices.shape();
  check(shape == result.shape() && shape.size() == data.shape().size(), "one index per result");
  const std::vector<std::int64_t> data_steps = row_major_steps(data.shape());
  const std::vector<std::int64_t> index_steps = row_major_steps(shape);
  const std::size_t cell = ir::dtype_size(data.dtype());
  for (std::int64_t i = 0; i < indices.size(); ++i) {
    const std::int64_t index = indices.data<std::int64_t>()[static_cast<std::size_t>(i)];
    if (index < 0 || index >= data.shape()[axis]) {
      call.refuse("index " + std::to_string(index) + " is outside of an axis of " +
                  std::to_string(data.shape()[axis]));
    }
    std::int64_t from = index * data_steps[axis];
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const std::int64_t position = i / index_steps[d] % std::max<std::int64_t>(shape[d], 1);
      if (d != axis) from += position * data_steps[d];
    }
    check(from < data.size(), "gather keeps the other dimensions");
    std::memcpy(result.mutable_bytes() + static_cast<std::size_t>(i) * cell,
                data.bytes() + static_cast<std::size_t>(from) * cell, cell);
  }
  return {std::move(result)};
}

}  // namespace tvmq::exec
