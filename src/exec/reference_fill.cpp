// Operators that make new elements around, or instead of, those of their operands.
#include <algorithm>
#include <string>
#include <utility>

#include "exec/reference_cast.h"
#include "exec/reference_kernel.h"
#include "exec/reference_strided.h"

namespace tvmq::exec {
namespace {

using ir::Op;
using ir::Shape;
using ir::Tensor;

/// A tensor whose elements are all `value`, a scalar of the same dtype.
Tensor filled(const Tensor& value, const Shape& shape) {
  check(value.size() == 1, "one value fills a tensor");
  const StridedView view{
      .start = 0, .sizes = shape, .steps = std::vector<std::int64_t>(shape.size(), 0)};
  return gather_view(value, view, shape);
}

/// result[i, j, ...] = source[table 0[i], table 1[j], ...].
Tensor gather_by_tables(const Tensor& source,
                        const std::vector<std::vector<std::int64_t>>& tables) {
  Tensor current = source;
  for (std::size_t axis = 0; axis < tables.size(); ++axis) {
    Shape shape = current.shape();
    shape[axis] = static_cast<std::int64_t>(tables[axis].size());
    Tensor next(current.dtype(), shape);
    for (std::size_t i = 0; i < tables[axis].size(); ++i) {
      StridedView from = whole(current.shape());
      StridedView to = whole(shape);
      from.start = tables[axis][i] * from.steps[axis];
      to.start = static_cast<std::int64_t>(i) * to.steps[axis];
      from.sizes[axis] = 1;
      to.sizes[axis] = 1;
      copy_view(next, to, current, from);
    }
    current = next;
  }
  return current;
}

enum class Border { kEdge, kReflect, kSymmetric };

/// Which element of a dimension of `size` stands at each position of the padded one.
std::vector<std::int64_t> border_table(const KernelCall& call, Border border, std::int64_t size,
                                       std::int64_t before, std::int64_t after) {
  std::vector<std::int64_t> table;
  for (std::int64_t i = -before; i < size + after; ++i) {
    std::int64_t from = i;
    switch (border) {
      case Border::kEdge:
        from = std::clamp<std::int64_t>(i, 0, size - 1);
        break;
      case Border::kReflect:
        if (i < 0) from = -i;
        if (i >= size) from = 2 * size - 2 - i;
        break;
      case Border::kSymmetric:
        if (i < 0) from = -i - 1;
        if (i >= size) from = 2 * size - 1 - i;
        break;
    }
    if (from < 0 || from >= size) {
      call.refuse("the padding is wider than the tensor that is mirrored in it");
    }
    table.push_back(from);
  }
  return table;
}

Tensor pad_with_border(const KernelCall& call, const ir::IntMatrix& widths, Border border) {
  const Shape& shape = call.operand(0).shape();
  check(widths.size() == shape.size(), "one pair of widths per dimension");
  std::vector<std::vector<std::int64_t>> tables;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    tables.push_back(
        border_table(call, border, shape[axis], widths[axis].at(0), widths[axis].at(1)));
  }
  return gather_by_tables(call.operand(0), tables);
}

Tensor pad_with_value(const KernelCall& call, const ir::IntMatrix& widths) {
  const Tensor& operand = call.operand(0);
  Tensor result =
      filled(cast_tensor(call, call.operand(1), operand.dtype()).reshaped({}), call.result().shape);
  StridedView from = whole(operand.shape());
  StridedView to = whole(result.shape());
  check(widths.size() == from.sizes.size(), "one pair of widths per dimension");
  for (std::size_t axis = 0; axis < widths.size(); ++axis) {
    const std::int64_t before = widths[axis].at(0);
    const std::int64_t after = widths[axis].at(1);
    // A negative width cuts elements off.
    const std::int64_t cut = std::max<std::int64_t>(-before, 0);
    from.start += cut * from.steps[axis];
    to.start += std::max<std::int64_t>(before, 0) * to.steps[axis];
    from.sizes[axis] =
        std::max<std::int64_t>(from.sizes[axis] - cut - std::max<std::int64_t>(-after, 0), 0);
  }
  to.sizes = from.sizes;
  copy_view(result, to, operand, from);
  return result;
}

}  // namespace

Values fill(const KernelCall& call) {
  const auto& [dtype, shape] = call.result();
  switch (call.node.op) {
    case Op::kOnes:
    case Op::kOnesLike:
      return {filled(scalar_of(call, dtype, 1), shape)};
    case Op::kFull:
      return {filled(cast_tensor(call, call.operand(0), dtype), shape)};
    case Op::kFullLike:
      return {filled(cast_tensor(call, call.operand(1), dtype), shape)};
    default:
      return {Tensor::zeros(dtype, shape)};
  }
}

Values one_hot(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::OneHotAttrs>();
  const Tensor indices = cast_tensor(call, call.operand(0), ir::DType::kInt64);
  const auto& [dtype, shape] = call.result();
  const Tensor on = cast_tensor(call, call.operand(1), dtype);
  Tensor result = filled(cast_tensor(call, call.operand(2), dtype), shape);
  const std::size_t axis = real_axis(attrs.axis, result.rank());
  const StridedView to = whole(shape);
  const std::int64_t inner = to.steps[axis];
  for (std::int64_t i = 0; i < indices.size(); ++i) {
    const std::int64_t index = indices.data<std::int64_t>()[static_cast<std::size_t>(i)];
    if (index < 0 || index >= attrs.depth) continue;  // no position is hot
    const std::int64_t at = (i / inner * attrs.depth + index) * inner + i % inner;
    copy_view(result, {.start = at, .sizes = {}, .steps = {}}, on, whole({}));
  }
  return {std::move(result)};
}

Values pad(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::PadAttrs>();
  if (attrs.pad_mode == "constant") return {pad_with_value(call, attrs.pad_width)};
  if (attrs.pad_mode == "edge") return {pad_with_border(call, attrs.pad_width, Border::kEdge)};
  if (attrs.pad_mode == "reflect") {
    return {pad_with_border(call, attrs.pad_width, Border::kReflect)};
  }
  call.refuse("pad_mode '" + attrs.pad_mode + "': constant, edge or reflect expected");
}

Values mirror_pad(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::MirrorPadAttrs>();
  if (attrs.mode == "SYMMETRIC") {
    return {pad_with_border(call, attrs.pad_width, Border::kSymmetric)};
  }
  if (attrs.mode == "REFLECT") return {pad_with_border(call, attrs.pad_width, Border::kReflect)};
  call.refuse("mode '" + attrs.mode + "': SYMMETRIC or REFLECT expected");
}

}  // namespace tvmq::exec
