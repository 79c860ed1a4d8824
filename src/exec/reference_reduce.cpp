// Reductions. Sums run over the reduced dimensions in row-major order, in the element type.
#include <algorithm>
#include <limits>
#include <utility>

#include "exec/reference_broadcast.h"
#include "exec/reference_cast.h"
#include "exec/reference_dtype.h"
#include "exec/reference_kernel.h"
#include "exec/reference_rows.h"
#include "exec/reference_scalar.h"

namespace tvmq::exec {
namespace {

using ir::Op;
using ir::Tensor;

/// The dimensions to reduce, ascending. No axis at all means every dimension, also with `exclude`.
std::vector<std::size_t> reduced_axes(const ir::OptionalIntList& given, bool exclude,
                                      std::int64_t rank) {
  const auto count = static_cast<std::size_t>(rank);
  std::vector<bool> reduced(count, true);
  if (given.has_value() && !given->empty()) {
    std::fill(reduced.begin(), reduced.end(), exclude);
    for (const std::int64_t axis : *given) reduced[real_axis(axis, rank)] = !exclude;
  }
  std::vector<std::size_t> axes;
  for (std::size_t axis = 0; axis < count; ++axis) {
    if (reduced[axis]) axes.push_back(axis);
  }
  return axes;
}

template <class T>
T fold_row(Op op, const T* row, std::int64_t length) {
  T folded{0};
  switch (op) {
    case Op::kMax:
      folded = std::numeric_limits<T>::lowest();
      for (std::int64_t i = 0; i < length; ++i) folded = max_values(folded, row[i]);
      return folded;
    case Op::kMin:
      folded = std::numeric_limits<T>::max();
      for (std::int64_t i = 0; i < length; ++i) folded = min_values(folded, row[i]);
      return folded;
    case Op::kProd:
      folded = T{1};
      for (std::int64_t i = 0; i < length; ++i) folded = multiply_values(folded, row[i]);
      return folded;
    default:
      for (std::int64_t i = 0; i < length; ++i) folded = add_values(folded, row[i]);
      return folded;
  }
}

/// A sum divided by how many there were, a number of the element type.
template <class T>
T divided(const KernelCall& call, T sum, std::int64_t count) {
  const T divisor = static_cast<T>(count);
  if constexpr (std::integral<T>) {
    if (divisor == 0) call.refuse("the count of averaged elements is 0 in this element type");
  }
  return divide_by_known(sum, divisor);
}

/// The position and value that TVM's argmax reducer holds: it starts at (-1, lowest) and keeps the
/// held one if that is better, or equal and wins by its position.
template <class T>
std::int64_t best_position(const T* row, std::int64_t length, bool is_max, bool last_wins) {
  T held = is_max ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
  std::int64_t position = -1;
  for (std::int64_t i = 0; i < length; ++i) {
    const bool better = is_max ? held > row[i] : held < row[i];
    const bool keeps = better || (held == row[i] && (last_wins ? position > i : position < i));
    if (!keeps) position = i;
    if (!better) held = row[i];
  }
  return position;
}

}  // namespace

Values reduce(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::ReduceAttrs>();
  const Tensor& operand = call.operand(0);
  const Rows rows = as_rows_over(operand, reduced_axes(attrs.axis, attrs.exclude, operand.rank()));
  Tensor result = call.new_result();
  check(result.size() == rows.count, "one result per row");
  visit_number(call, operand.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* in = rows.tensor.data<T>().data();
    T* out = result.mutable_data<T>().data();
    for (std::int64_t i = 0; i < rows.count; ++i) {
      out[i] = fold_row(call.node.op, in + i * rows.length, rows.length);
      if (call.node.op == Op::kMean) out[i] = divided(call, out[i], rows.length);
    }
  });
  return {std::move(result)};
}

Values arg_reduce(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::ArgReduceAttrs>();
  const Tensor& operand = call.operand(0);
  const Rows rows = as_rows_over(operand, reduced_axes(attrs.axis, attrs.exclude, operand.rank()));
  Tensor positions(ir::DType::kInt64, call.result().shape);
  check(positions.size() == rows.count, "one result per row");
  visit_number(call, operand.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* in = rows.tensor.data<T>().data();
    std::int64_t* out = positions.mutable_data<std::int64_t>().data();
    for (std::int64_t i = 0; i < rows.count; ++i) {
      out[i] = best_position(in + i * rows.length, rows.length, call.node.op == Op::kArgmax,
                             attrs.select_last_index);
    }
  });
  return {cast_tensor(call, positions, call.result().dtype)};
}

Values variance(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::VarianceAttrs>();
  const Tensor& data = call.operand(0);
  const Tensor& mean = call.operand(1);
  Tensor squares(data.dtype(), data.shape());
  Tensor result = call.new_result();
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    const auto x = data.data<T>();
    const auto m = mean.data<T>();
    const auto square = squares.mutable_data<T>();
    const std::array<ir::Shape, 2> shapes{data.shape(), mean.shape()};
    for_each_row(data.shape(), shapes, [&](const BroadcastRow& row) {
      for (std::int64_t i = 0; i < row.count; ++i) {
        const auto at = static_cast<std::size_t>(row.result + i);
        const T difference = x[at] - m[static_cast<std::size_t>(row.offset[1] + i * row.step[1])];
        square[at] = difference * difference;
      }
    });
    const Rows rows = as_rows_over(squares, reduced_axes(attrs.axis, attrs.exclude, data.rank()));
    check(result.size() == rows.count, "one result per row");
    const auto count = static_cast<T>(attrs.unbiased ? rows.length - 1 : rows.length);
    for (std::int64_t i = 0; i < rows.count; ++i) {
      const T* row = rows.tensor.data<T>().data() + i * rows.length;
      result.mutable_data<T>()[static_cast<std::size_t>(i)] =
          divide_by_known(fold_row(Op::kSum, row, rows.length), count);
    }
  });
  return {std::move(result)};
}

}  // namespace tvmq::exec
