// TVM's quantized operators: their scales are float32 and their zero points int32, scalars or
// vectors along a channel axis.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

void require_dtype(const RuleCall& call, DType found, std::initializer_list<DType> allowed,
                   std::string_view what) {
  if (std::find(allowed.begin(), allowed.end(), found) != allowed.end()) return;
  std::string names;
  for (const DType each : allowed) {
    names += names.empty() ? "" : ", ";
    names += dtype_name(each);
  }
  call.fail(fmt::format("{} is of dtype '{}', expected one of {}", what, dtype_name(found), names));
}

/// A scale and the zero point behind it are scalars, ...
void require_scalars(const RuleCall& call, std::size_t scale) {
  call.require_type(scale, {DType::kFloat32, {}}, fmt::format("scale (operand {})", scale));
  call.require_type(scale + 1, {DType::kInt32, {}},
                    fmt::format("zero point (operand {})", scale + 1));
}

/// ... or this one is a scalar or has one element per channel.
void require_parameter(const RuleCall& call, std::size_t operand, DType dtype,
                       std::int64_t channels) {
  const TensorType& found = call.tensor(operand);
  call.require_type(
      operand, {dtype, found.shape.empty() ? Shape{} : Shape{channels}},
      fmt::format("{} (operand {})", dtype == DType::kInt32 ? "zero point" : "scale", operand));
}

bool is_scalar(const TensorType& type) { return type.shape.empty(); }

bool has_one_element(const TensorType& type) {
  return std::all_of(type.shape.begin(), type.shape.end(), [](std::int64_t d) { return d == 1; });
}

/// The number of channels along an axis; scalars have one channel, vectors only axis 0.
std::int64_t channels_along(const RuleCall& call, const TensorType& data, std::int64_t axis) {
  if (data.shape.empty()) return 1;
  return data.shape[call.axis(axis, data.shape.size())];
}

}  // namespace

Type simulated_quantize_type(const RuleCall& call) {
  if (call.tensor(0).shape.empty()) call.fail("data is a scalar, expected a tensor");
  return call.tensor(0);
}

Type qnn_quantize_type(const RuleCall& call) {
  const auto& attrs = call.attrs<QuantizeAttrs>();
  const TensorType& data = call.tensor(0);
  require_dtype(call, data.dtype, {DType::kFloat32}, "data");
  require_dtype(call, attrs.out_dtype,
                {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16, DType::kInt32},
                "the result");
  const bool scalars = is_scalar(call.tensor(1)) && is_scalar(call.tensor(2));
  const std::int64_t channels = scalars ? 1 : channels_along(call, data, attrs.axis);
  require_parameter(call, 1, DType::kFloat32, channels);
  require_parameter(call, 2, DType::kInt32, channels);
  return TensorType{attrs.out_dtype, data.shape};
}

Type qnn_dequantize_type(const RuleCall& call) {
  const auto& attrs = call.attrs<DequantizeAttrs>();
  const TensorType& data = call.tensor(0);
  require_dtype(call, data.dtype,
                {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16, DType::kInt32},
                "data");
  require_dtype(call, attrs.out_dtype, {DType::kFloat16, DType::kFloat32}, "the result");
  const bool whole = has_one_element(call.tensor(1)) && has_one_element(call.tensor(2));
  const std::int64_t channels = whole ? 1 : channels_along(call, data, attrs.axis);
  require_parameter(call, 1, DType::kFloat32, channels);
  require_parameter(call, 2, DType::kInt32, channels);
  return TensorType{attrs.out_dtype, data.shape};
}

Type qnn_requantize_type(const RuleCall& call) {
  const auto& attrs = call.attrs<RequantizeAttrs>();
  const TensorType& data = call.tensor(0);
  require_dtype(call, data.dtype,
                {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32, DType::kInt64}, "data");
  require_dtype(call, attrs.out_dtype, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32},
                "the result");
  const std::int64_t channels = channels_along(call, data, attrs.axis);
  require_parameter(call, 1, DType::kFloat32, channels);
  require_parameter(call, 2, DType::kInt32, channels);
  require_scalars(call, 3);
  return TensorType{attrs.out_dtype, data.shape};
}

Type qnn_conv2d_type(const RuleCall& call) {
  const auto& attrs = call.attrs<Conv2DAttrs>();
  const std::initializer_list<DType> operands{DType::kInt8, DType::kUInt8, DType::kInt16};
  require_dtype(call, call.tensor(0).dtype, operands, "data");
  require_dtype(call, call.tensor(1).dtype, operands, "weight");
  require_dtype(call, attrs.out_dtype, {DType::kInt16, DType::kInt32, DType::kInt64}, "the result");
  Type type = conv2d_type(call);
  // The result's channels, which the layout may hold in blocks.
  const Layout out = call.layout(attrs.out_layout.empty() ? attrs.data_layout : attrs.out_layout);
  const Shape nchw =
      call.convert(std::get<TensorType>(type).shape, out, call.layout("NCHW"), "the result");
  call.require_type(2, {DType::kInt32, {}}, "input zero point (operand 2)");
  call.tensor(3);
  call.require_type(4, {DType::kFloat32, {}}, "input scale (operand 4)");
  require_parameter(call, 5, DType::kFloat32, nchw[1]);
  return type;
}

Type qnn_dense_type(const RuleCall& call) {
  const auto& attrs = call.attrs<DenseAttrs>();
  require_dtype(call, call.tensor(0).dtype,
                {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16}, "data");
  require_dtype(call, call.tensor(1).dtype, {DType::kInt8, DType::kUInt8}, "weight");
  require_dtype(call, attrs.out_dtype, {DType::kInt32, DType::kInt64}, "the result");
  Type type = dense_type(call);
  call.require_type(2, {DType::kInt32, {}}, "input zero point (operand 2)");
  call.tensor(3);
  call.require_type(4, {DType::kFloat32, {}}, "input scale (operand 4)");
  require_parameter(call, 5, DType::kFloat32, std::get<TensorType>(type).shape.back());
  return type;
}

Type qnn_broadcast_type(const RuleCall& call) {
  const auto& attrs = call.attrs<BroadcastAttrs>();
  const auto check_side = [&](std::size_t data, std::size_t scale, std::int64_t axis) {
    const TensorType& type = call.tensor(data);
    const bool scalars = is_scalar(call.tensor(scale)) && is_scalar(call.tensor(scale + 1));
    // TVM ignores the axis of vectors.
    const std::int64_t used_axis = type.shape.size() <= 1 ? 0 : axis;
    const std::int64_t channels = scalars ? 1 : channels_along(call, type, used_axis);
    require_parameter(call, scale, DType::kFloat32, channels);
    require_parameter(call, scale + 1, DType::kInt32, channels);
  };
  check_side(0, 2, attrs.lhs_axis);
  check_side(1, 4, attrs.rhs_axis);
  require_scalars(call, 6);
  return broadcast_type(call);
}

Type qnn_concatenate_type(const RuleCall& call) {
  const auto require_each = [&](std::size_t operand, DType dtype) {
    const TupleType& tuple = call.tuple(operand);
    for (const TensorType& each : tuple.fields) {
      if (each != TensorType{dtype, {}}) {
        call.fail(fmt::format("operand {} has a field of {}, expected {}", operand, to_string(each),
                              to_string(TensorType{dtype, {}})));
      }
    }
  };
  require_each(1, DType::kFloat32);
  require_each(2, DType::kInt32);
  require_scalars(call, 3);
  return concatenation(call, call.attrs<ConcatenateAttrs>().axis);
}

Type qnn_avg_pool2d_type(const RuleCall& call) {
  require_dtype(call, call.tensor(0).dtype, {DType::kInt8, DType::kUInt8}, "data");
  require_scalars(call, 1);
  require_scalars(call, 3);
  return avg_pool2d_type(call);
}

Type qnn_leaky_relu_type(const RuleCall& call) {
  require_dtype(call, call.tensor(0).dtype, {DType::kInt8, DType::kUInt8}, "data");
  require_scalars(call, 1);
  require_scalars(call, 3);
  return call.tensor(0);
}

}  // namespace tvmq::ir
