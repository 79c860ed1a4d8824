#include <cmath>
#include <limits>

#include "exec/elementwise.h"
#include "exec/elementwise_tables.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Node;
using ir::Op;

constexpr std::int64_t kIntMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();

bool is_narrow(DType dtype) {
  return dtype == DType::kInt8 || dtype == DType::kUInt8 || dtype == DType::kInt16 ||
         dtype == DType::kUInt16 || dtype == DType::kInt32 || dtype == DType::kBool;
}
bool has_register(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kInt64 || is_narrow(dtype);
}

/// A prelu slope or a bias must be a vector as long as the dimension it runs along, or one number.
bool vector_fits(const LiveValues& live, const Call& call, std::int64_t axis) {
  const ir::Shape& shape = live.type(call.outputs[0]).shape;
  const ir::TensorType& vector = live.type(call.inputs[1]);
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (axis < 0) axis += rank;
  return axis >= 0 && axis < rank && vector.shape == ir::Shape{shape[axis]} &&
         live[call.inputs[1]].is_constant();
}

bool fixed_point_supported(const ir::FixedPointMultiplyAttrs& attrs) {
  // Shifts of any other size are the reference kernels'.
  if (attrs.multiplier == std::int64_t{1} << 30) return attrs.shift <= 0 && attrs.shift >= -29;
  return attrs.shift >= -31 && attrs.shift <= 31 && attrs.multiplier >= kIntMin &&
         attrs.multiplier <= kIntMax;
}

bool table_supported(const ir::Graph& graph, const LiveValues& live, const Call& call) {
  const auto& attrs = graph[call.node].attrs_as<ir::TakeAttrs>();
  const Value& table = live[call.inputs[0]];
  const DType dtype = table.type.dtype;
  const bool values = dtype == DType::kFloat32 || dtype == DType::kInt32 || dtype == DType::kInt8 ||
                      dtype == DType::kUInt8;
  const bool is_byte = live.type(call.inputs[1]).dtype == DType::kUInt8;
  return table.is_constant() && table.type.shape.size() == 1 && values &&
         table.constant.size() > 0 && attrs.batch_dims.value_or(0) == 0 &&
         attrs.axis.value_or(0) == 0 &&
         (attrs.mode == "clip" || (is_byte && table.constant.size() == 256)) &&
         is_narrow(live.type(call.inputs[1]).dtype);
}

}  // namespace

bool elementwise_supported(const ir::Graph& graph, const LiveValues& live, const Call& call) {
  const Node& node = graph[call.node];
  if (call.outputs.size() != 1) return false;
  const DType dtype = live.type(call.outputs[0]).dtype;
  if (!has_register(dtype)) return false;
  for (const ValueId input : call.inputs) {
    if (!has_register(live.type(input).dtype)) return false;
  }
  switch (node.op) {
    case Op::kCast:
      return true;
    case Op::kTake:
      return table_supported(graph, live, call);
    case Op::kBatchNorm:
      return batch_norm_affine(node.attrs_as<ir::BatchNormAttrs>(), live, call).has_value();
    case Op::kBiasAdd:
      return dtype != DType::kBool &&
             vector_fits(live, call, node.attrs_as<ir::BiasAddAttrs>().axis);
    case Op::kPrelu:
      return dtype == DType::kFloat32 &&
             vector_fits(live, call, node.attrs_as<ir::PReluAttrs>().axis);
    case Op::kFixedPointMultiply:
      return (dtype == DType::kInt32 || dtype == DType::kInt64) &&
             live.type(call.inputs[0]).dtype == dtype &&
             fixed_point_supported(node.attrs_as<ir::FixedPointMultiplyAttrs>());
    case Op::kRelu:
      return dtype != DType::kBool;
    case Op::kClip: {
      const auto& attrs = node.attrs_as<ir::ClipAttrs>();
      return dtype != DType::kBool && attrs.a_min <= attrs.a_max;
    }
    default:
      break;
  }
  if (const auto codes = binary_codes(node.op)) {
    if (dtype == DType::kFloat32) return codes->of_float.has_value();
    return dtype == DType::kInt64 ? codes->of_long.has_value()
                                  : codes->of_int.has_value() && dtype != DType::kBool;
  }
  return dtype == DType::kFloat32 && float_code(node.op).has_value();
}

std::optional<Affine> batch_norm_affine(const ir::BatchNormAttrs& attrs, const LiveValues& live,
                                        const Call& call) {
  for (std::size_t i = 1; i < 5; ++i) {
    const Value& each = live[call.inputs[i]];
    if (!each.is_constant() || each.type.dtype != DType::kFloat32) return std::nullopt;
  }
  const auto gamma = live[call.inputs[1]].constant.data<float>();
  const auto beta = live[call.inputs[2]].constant.data<float>();
  const auto mean = live[call.inputs[3]].constant.data<float>();
  const auto variance = live[call.inputs[4]].constant.data<float>();
  Affine result;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    const float deviation = std::sqrt(variance[c] + static_cast<float>(attrs.epsilon));
    const float scale = (attrs.scale ? gamma[c] : 1.0F) / deviation;
    result.scale.push_back(scale);
    result.shift.push_back((attrs.center ? beta[c] : 0.0F) - mean[c] * scale);
  }
  return result;
}

}  // namespace tvmq::exec
