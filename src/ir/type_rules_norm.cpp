#include <fmt/format.h>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

/// Fails unless operands first..last are vectors along `axis` of the data, of the data's dtype.
void require_vectors(const RuleCall& call, std::size_t axis, std::size_t first, std::size_t last) {
  const TensorType& data = call.tensor(0);
  for (std::size_t operand = first; operand <= last; ++operand) {
    call.require_type(operand, {data.dtype, {data.shape[axis]}},
                      fmt::format("operand {}", operand));
  }
}

template <class Attrs>
Type scaled_norm_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  require_vectors(call, call.axis(call.attrs<Attrs>().axis, data.shape.size()), 1, 2);
  return data;
}

}  // namespace

Type bias_add_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  require_vectors(call, call.axis(call.attrs<BiasAddAttrs>().axis, data.shape.size()), 1, 1);
  return data;
}

Type softmax_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  call.axis(call.attrs<SoftmaxAttrs>().axis, data.shape.size());
  return data;
}

Type prelu_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  // TVM does not count this axis from the end.
  const std::int64_t axis = call.attrs<PReluAttrs>().axis;
  const auto rank = static_cast<std::int64_t>(data.shape.size());
  require_vectors(call, static_cast<std::size_t>(call.bounded(axis, 0, rank - 1, "axis")), 1, 1);
  return data;
}

Type dropout_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  return TupleType{{data, data}};  // the second is the mask
}

Type batch_norm_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  const std::size_t axis = call.axis(call.attrs<BatchNormAttrs>().axis, data.shape.size());
  require_vectors(call, axis, 1, 4);
  const TensorType statistics{data.dtype, {data.shape[axis]}};
  return TupleType{{data, statistics, statistics}};
}

Type instance_norm_type(const RuleCall& call) {
  if (call.tensor(0).shape.size() < 3) {
    call.fail(fmt::format("data is {}, expected at least 3 dimensions", to_string(call.tensor(0))));
  }
  return scaled_norm_type<InstanceNormAttrs>(call);
}

Type layer_norm_type(const RuleCall& call) { return scaled_norm_type<LayerNormAttrs>(call); }

Type group_norm_type(const RuleCall& call) {
  // TVM's rule lets any number pass; its own expansion then cannot be typed.
  const auto& attrs = call.attrs<GroupNormAttrs>();
  const Shape& shape = call.tensor(0).shape;
  const std::int64_t channels = shape[call.axis(attrs.axis, shape.size())];
  call.bounded(attrs.num_groups, 1, kMaxExtent, "num_groups");
  if (channels != kDynamicDim && channels % attrs.num_groups != 0) {
    call.fail(fmt::format("{} channels do not make {} groups", channels, attrs.num_groups));
  }
  return scaled_norm_type<GroupNormAttrs>(call);
}

Type l2_normalize_type(const RuleCall& call) {
  // TVM's rule looks at no axis, and its kernels assume that they are there.
  const TensorType& data = call.tensor(0);
  call.distinct_axes(call.attrs<L2NormalizeAttrs>().axis.value_or(IntList{}), data.shape.size(),
                     "is normalized over twice");
  return data;
}

Type lrn_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  call.axis(call.attrs<LRNAttrs>().axis, data.shape.size());
  return data;
}

Type reverse_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  const OptionalInt axis = call.attrs<ReverseAttrs>().axis;
  if (!axis) call.fail("no axis is given, expected one");
  call.axis(*axis, data.shape.size());
  return data;
}

}  // namespace tvmq::ir
