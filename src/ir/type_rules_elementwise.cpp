#include <fmt/format.h>

#include <algorithm>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

void require_same_dtype(const RuleCall& call, const TensorType& left, const TensorType& right) {
  if (left.dtype != right.dtype) {
    call.fail(fmt::format("operands are {} and {}, expected the same dtype", to_string(left),
                          to_string(right)));
  }
}

/// One dimension of a broadcast; nothing if the two do not fit.
std::optional<std::int64_t> broadcast_dim(std::int64_t left, std::int64_t right) {
  if (left == 1) return right;
  if (right == 1) return left;
  if (left == kDynamicDim) return right;
  if (right == kDynamicDim || left == right) return left;
  return std::nullopt;
}

}  // namespace

Shape broadcast(const RuleCall& call, const Shape& left, const Shape& right) {
  const std::size_t rank = std::max(left.size(), right.size());
  const auto from_end = [](const Shape& shape, std::size_t i) {
    return i < shape.size() ? shape[shape.size() - 1 - i] : 1;
  };
  Shape result(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const auto dim = broadcast_dim(from_end(left, i), from_end(right, i));
    if (!dim) {
      call.fail(
          fmt::format("shapes {} and {} cannot be broadcast, dimension {} from the end "
                      "should be equal or 1",
                      to_string(left), to_string(right), i + 1));
    }
    result[rank - 1 - i] = *dim;
  }
  return result;
}

Type identity_type(const RuleCall& call) { return call.tensor(0); }

Type fixed_point_multiply_per_axis_type(const RuleCall& call) {
  // TVM's rule is the identity; what its kernel reads is checked here.
  const auto& attrs = call.attrs<FixedPointMultiplyPerAxisAttrs>();
  const TensorType& data = call.tensor(0);
  Shape expected;
  for (const std::int64_t axis : attrs.axes.value_or(IntList{})) {
    expected.push_back(data.shape[call.axis(axis, data.shape.size())]);
  }
  for (const std::size_t operand : {1, 2, 3}) {
    if (operand == 2 && !attrs.is_lshift_required) continue;
    const TensorType& parameter = call.tensor(operand);
    if (!std::ranges::equal(parameter.shape, expected, fits)) {
      call.fail(fmt::format("operand {} is {}, expected the sizes of data along axes", operand,
                            to_string(parameter)));
    }
  }
  return data;
}

Type broadcast_type(const RuleCall& call) {
  const TensorType& left = call.tensor(0);
  const TensorType& right = call.tensor(1);
  require_same_dtype(call, left, right);
  return TensorType{left.dtype, broadcast(call, left.shape, right.shape)};
}

Type comparison_type(const RuleCall& call) {
  const TensorType& left = call.tensor(0);
  const TensorType& right = call.tensor(1);
  require_same_dtype(call, left, right);
  return TensorType{DType::kBool, broadcast(call, left.shape, right.shape)};
}

Type where_type(const RuleCall& call) {
  const TensorType& chosen = call.tensor(1);
  const TensorType& other = call.tensor(2);
  require_same_dtype(call, chosen, other);
  const Shape values = broadcast(call, chosen.shape, other.shape);
  return TensorType{chosen.dtype, broadcast(call, call.tensor(0).shape, values)};
}

Type cast_type(const RuleCall& call) {
  return TensorType{call.attrs<CastAttrs>().dtype, call.tensor(0).shape};
}

}  // namespace tvmq::ir
