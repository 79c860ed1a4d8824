#include <fmt/format.h>

#include <algorithm>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

/// Which dimensions are reduced: all without a list of axes, else those listed, or those not listed
/// if `exclude`.
std::vector<bool> reduced_axes(const RuleCall& call, const OptionalIntList& axes, bool exclude,
                               std::size_t rank) {
  if (!axes || axes->empty()) return std::vector<bool>(rank, true);
  std::vector<bool> reduced(rank, exclude);
  for (const std::size_t axis : call.distinct_axes(*axes, rank, "is reduced twice")) {
    reduced[axis] = !exclude;
  }
  return reduced;
}

template <class Attrs>
Shape reduced_shape(const RuleCall& call, const Attrs& attrs) {
  const Shape& shape = call.tensor(0).shape;
  const std::vector<bool> reduced = reduced_axes(call, attrs.axis, attrs.exclude, shape.size());
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!reduced[i]) result.push_back(shape[i]);
    if (reduced[i] && attrs.keepdims) result.push_back(1);
  }
  return result;
}

void require_dimensions(const RuleCall& call) {
  if (call.tensor(0).shape.empty()) call.fail("data is a scalar, expected a dimension to reduce");
}

}  // namespace

Type reduce_type(const RuleCall& call) {
  return TensorType{call.tensor(0).dtype, reduced_shape(call, call.attrs<ReduceAttrs>())};
}

Type arg_reduce_type(const RuleCall& call) {
  require_dimensions(call);
  // TVM: the dtype of a dimension of the shape.
  return TensorType{DType::kInt32, reduced_shape(call, call.attrs<ArgReduceAttrs>())};
}

Type variance_type(const RuleCall& call) {
  require_dimensions(call);
  const TensorType& data = call.tensor(0);
  // TVM's rule compares the numbers of dimensions only; its kernel cannot do with less.
  const TensorType& mean = call.tensor(1);
  const auto broadcasts = [](std::int64_t of_mean, std::int64_t of_data) {
    return of_mean == 1 || fits(of_mean, of_data);
  };
  if (mean.dtype != data.dtype || !std::ranges::equal(mean.shape, data.shape, broadcasts)) {
    call.fail(fmt::format("the mean is {}, expected the dtype and sizes of the data, {}, or 1",
                          to_string(mean), to_string(data)));
  }
  return TensorType{data.dtype, reduced_shape(call, call.attrs<VarianceAttrs>())};
}

}  // namespace tvmq::ir
