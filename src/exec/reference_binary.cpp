// Operators of two operands, element by element, with numpy's broadcasting.
#include <algorithm>
#include <array>
#include <utility>

#include "exec/reference_broadcast.h"
#include "exec/reference_dtype.h"
#include "exec/reference_kernel.h"
#include "exec/reference_scalar.h"

namespace tvmq::exec {
namespace {

using ir::Op;
using ir::Tensor;

/// result[i] = function(a[i], b[i]) for operands of T.
template <class T, class Result, class Function>
Tensor map_pairs(const KernelCall& call, Function function) {
  Tensor result = call.new_result();
  const Tensor& a = call.operand(0);
  const Tensor& b = call.operand(1);
  Result* out = result.mutable_data<Result>().data();
  const T* left = a.data<T>().data();
  const T* right = b.data<T>().data();
  const std::array<ir::Shape, 2> shapes{a.shape(), b.shape()};
  for_each_row(result.shape(), shapes, [&](const BroadcastRow& row) {
    Result* to = out + row.result;
    const T* x = left + row.offset[0];
    const T* y = right + row.offset[1];
    if (row.step[0] == 1 && row.step[1] == 1) {
      for (std::int64_t i = 0; i < row.count; ++i) to[i] = function(x[i], y[i]);
    } else if (row.step[0] == 1) {
      for (std::int64_t i = 0; i < row.count; ++i) to[i] = function(x[i], *y);
    } else {
      for (std::int64_t i = 0; i < row.count; ++i) to[i] = function(*x, y[i * row.step[1]]);
    }
  });
  return result;
}

template <class T>
void require_no_zero_divisor(const KernelCall& call) {
  if constexpr (std::integral<T>) {
    if (std::ranges::find(call.operand(1).data<T>(), T{0}) != call.operand(1).data<T>().end()) {
      call.refuse("an integer is divided by zero; check the constant divisor in the model");
    }
  }
}

template <class T>
Tensor arithmetic_of(const KernelCall& call) {
  switch (call.node.op) {
    case Op::kAdd:
      return map_pairs<T, T>(call, [](T a, T b) { return add_values(a, b); });
    case Op::kSubtract:
      return map_pairs<T, T>(call, [](T a, T b) { return subtract_values(a, b); });
    case Op::kMultiply:
      return map_pairs<T, T>(call, [](T a, T b) { return multiply_values(a, b); });
    case Op::kDivide:
      require_no_zero_divisor<T>(call);
      if (call.is_known_scalar(1)) {
        return map_pairs<T, T>(call, [](T a, T b) { return divide_by_known(a, b); });
      }
      return map_pairs<T, T>(call, [](T a, T b) { return divide_values(a, b); });
    case Op::kFloorDivide:
      require_no_zero_divisor<T>(call);
      return map_pairs<T, T>(call, [](T a, T b) { return floor_divide_values(a, b); });
    case Op::kMod:
      require_no_zero_divisor<T>(call);
      return map_pairs<T, T>(call, [](T a, T b) { return remainder_values(a, b); });
    case Op::kFloorMod:
      require_no_zero_divisor<T>(call);
      return map_pairs<T, T>(call, [](T a, T b) { return floor_remainder_values(a, b); });
    case Op::kMaximum:
      return map_pairs<T, T>(call, [](T a, T b) { return max_values(a, b); });
    case Op::kMinimum:
      return map_pairs<T, T>(call, [](T a, T b) { return min_values(a, b); });
    case Op::kPower:
      if constexpr (std::floating_point<T>) {
        return map_pairs<T, T>(call, [](T a, T b) { return std::pow(a, b); });
      }
      break;
    case Op::kLeftShift:
    case Op::kRightShift:
      if constexpr (std::integral<T>) {
        const bool left = call.node.op == Op::kLeftShift;
        return map_pairs<T, T>(call, [left](T a, T b) {
          return left ? left_shift_value(a, b) : right_shift_value(a, b);
        });
      }
      break;
    default:
      throw InternalError("not an arithmetic operator");
  }
  refuse_dtype(call, call.operand(0).dtype());
}

template <class T>
Tensor comparison_of(const KernelCall& call) {
  switch (call.node.op) {
    case Op::kEqual:
      return map_pairs<T, bool>(call, [](T a, T b) { return a == b; });
    case Op::kNotEqual:
      return map_pairs<T, bool>(call, [](T a, T b) { return a != b; });
    case Op::kLess:
      return map_pairs<T, bool>(call, [](T a, T b) { return a < b; });
    case Op::kLessEqual:
      return map_pairs<T, bool>(call, [](T a, T b) { return a <= b; });
    case Op::kGreater:
      return map_pairs<T, bool>(call, [](T a, T b) { return a > b; });
    case Op::kGreaterEqual:
      return map_pairs<T, bool>(call, [](T a, T b) { return a >= b; });
    default:
      throw InternalError("not a comparison");
  }
}

template <class T>
Tensor where_of(const KernelCall& call, const Tensor& condition) {
  Tensor result = call.new_result();
  const Tensor& yes = call.operand(1);
  const Tensor& no = call.operand(2);
  const std::array<ir::Shape, 3> shapes{condition.shape(), yes.shape(), no.shape()};
  const auto out = result.mutable_data<T>();
  for_each_row(result.shape(), shapes, [&](const BroadcastRow& row) {
    for (std::int64_t i = 0; i < row.count; ++i) {
      const auto at = [&](std::size_t k) {
        return static_cast<std::size_t>(row.offset[k] + i * row.step[k]);
      };
      out[static_cast<std::size_t>(row.result + i)] =
          condition.data<bool>()[at(0)] ? yes.data<T>()[at(1)] : no.data<T>()[at(2)];
    }
  });
  return result;
}

/// Which elements differ from 0.
Tensor as_bool(const KernelCall& call, const Tensor& tensor) {
  Tensor result(ir::DType::kBool, tensor.shape());
  visit_element(call, tensor.dtype(), [&]<class T>(std::type_identity<T>) {
    std::ranges::transform(tensor.data<T>(), result.mutable_data<bool>().begin(),
                           [](T value) { return value != T{0}; });
  });
  return result;
}

}  // namespace

Values arithmetic(const KernelCall& call) {
  Tensor result;
  visit_number(call, call.operand(0).dtype(),
               [&]<class T>(std::type_identity<T>) { result = arithmetic_of<T>(call); });
  return {std::move(result)};
}

Values comparison(const KernelCall& call) {
  Tensor result;
  visit_element(call, call.operand(0).dtype(),
                [&]<class T>(std::type_identity<T>) { result = comparison_of<T>(call); });
  return {std::move(result)};
}

Values logical(const KernelCall& call) {
  if (call.operand(0).dtype() != ir::DType::kBool) refuse_dtype(call, call.operand(0).dtype());
  if (call.node.op == Op::kLogicalAnd) {
    return {map_pairs<bool, bool>(call, [](bool a, bool b) { return a && b; })};
  }
  return {map_pairs<bool, bool>(call, [](bool a, bool b) { return a || b; })};
}

Values where(const KernelCall& call) {
  Tensor result;
  const Tensor condition = as_bool(call, call.operand(0));
  visit_element(call, call.operand(1).dtype(),
                [&]<class T>(std::type_identity<T>) { result = where_of<T>(call, condition); });
  return {std::move(result)};
}

}  // namespace tvmq::exec
