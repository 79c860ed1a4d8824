#include "quant/call_builder.h"

namespace tvmq::quant {

using ir::DType;
using ir::NodeId;
using ir::Op;
using ir::Tensor;

NodeId CallBuilder::cast(NodeId data, DType dtype) {
  return graph_.add_call(Op::kCast, {data}, ir::CastAttrs{.dtype = dtype});
}

NodeId CallBuilder::cast_hint(NodeId data, DType dtype) {
  return graph_.add_call(Op::kCastHint, {data}, ir::CastHintAttrs{.dtype = dtype});
}

NodeId CallBuilder::stop_fusion(NodeId data) { return graph_.add_call(Op::kStopFusion, {data}); }

NodeId CallBuilder::clip(NodeId data, double low, double high) {
  return graph_.add_call(Op::kClip, {data}, ir::ClipAttrs{.a_min = low, .a_max = high});
}

NodeId CallBuilder::round(NodeId data) { return graph_.add_call(Op::kRound, {data}); }

NodeId CallBuilder::add(NodeId left, NodeId right) {
  return graph_.add_call(Op::kAdd, {left, right});
}

NodeId CallBuilder::multiply(NodeId left, NodeId right) {
  return graph_.add_call(Op::kMultiply, {left, right});
}

NodeId CallBuilder::left_shift(NodeId data, NodeId bits) {
  return graph_.add_call(Op::kLeftShift, {data, bits});
}

NodeId CallBuilder::right_shift(NodeId data, NodeId bits) {
  return graph_.add_call(Op::kRightShift, {data, bits});
}

NodeId CallBuilder::fixed_point_multiply(NodeId data, std::int32_t multiplier, std::int32_t shift) {
  return graph_.add_call(Op::kFixedPointMultiply, {data},
                         ir::FixedPointMultiplyAttrs{.multiplier = multiplier, .shift = shift});
}

NodeId CallBuilder::integer(DType dtype, std::int64_t value) {
  const auto scalar = [&]() -> Tensor {
    switch (dtype) {
      case DType::kInt8:
        return Tensor::scalar(static_cast<std::int8_t>(value));
      case DType::kInt16:
        return Tensor::scalar(static_cast<std::int16_t>(value));
      case DType::kInt32:
        return Tensor::scalar(static_cast<std::int32_t>(value));
      case DType::kInt64:
        return Tensor::scalar(value);
      case DType::kUInt8:
        return Tensor::scalar(static_cast<std::uint8_t>(value));
      case DType::kUInt16:
        return Tensor::scalar(static_cast<std::uint16_t>(value));
      case DType::kUInt32:
        return Tensor::scalar(static_cast<std::uint32_t>(value));
      case DType::kUInt64:
        return Tensor::scalar(static_cast<std::uint64_t>(value));
      default:
        throw InternalError("an integer constant of a type that is not an integer");
    }
  };
  return graph_.add_constant(scalar());
}

NodeId CallBuilder::float32(float value) { return graph_.add_constant(Tensor::scalar(value)); }

}  // namespace tvmq::quant
