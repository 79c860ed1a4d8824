#include "quant/integer_emit.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tvmq::quant {
namespace {

using ir::NodeId;
using ir::Op;
using ir::Tensor;

template <class T>
Tensor shaped_per_channel(const std::vector<T>& values, std::int64_t rank) {
  ir::Shape shape{static_cast<std::int64_t>(values.size())};
  for (std::int64_t axis = 2; axis < rank; ++axis) shape.push_back(1);
  return Tensor::from<T>(std::move(shape), std::span<const T>(values));
}

Tensor scaled_by(const Tensor& tensor, float factor) {
  Tensor result(ir::DType::kFloat32, tensor.shape());
  const auto from = tensor.data<float>();
  auto to = result.mutable_data<float>();
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i] * factor;
  return result;
}

}  // namespace

Tensor per_channel(const std::vector<float>& values, std::int64_t rank) {
  return shaped_per_channel(values, rank);
}
Tensor per_channel(const std::vector<std::int32_t>& values, std::int64_t rank) {
  return shaped_per_channel(values, rank);
}

NodeId IntegerEmitter::cast(NodeId value, ir::DType dtype) {
  return graph_.add_call(Op::kCast, {value}, ir::CastAttrs{.dtype = dtype});
}

NodeId IntegerEmitter::add(NodeId value, NodeId addend) {
  return graph_.add_call(Op::kAdd, {value, addend});
}

NodeId IntegerEmitter::stop_fusion(NodeId value) {
  return graph_.add_call(Op::kStopFusion, {value});
}

NodeId IntegerEmitter::pad(NodeId image, const ir::IntList& sides, std::uint8_t value) {
  return graph_.add_call(
      Op::kPad, {image, constant(Tensor::scalar(value))},
      ir::PadAttrs{.pad_width = {{0, 0}, {0, 0}, {sides[0], sides[2]}, {sides[1], sides[3]}},
                   .pad_mode = "constant"});
}

NodeId IntegerEmitter::fast_exp(NodeId value) { return graph_.add_call(Op::kFastExp, {value}); }

NodeId IntegerEmitter::sigmoid(NodeId value) {
  const NodeId one = constant(Tensor::scalar(1.0F));
  const NodeId exponential = fast_exp(graph_.add_call(Op::kNegative, {value}));
  return graph_.add_call(Op::kDivide, {one, add(exponential, one)});
}

NodeId IntegerEmitter::materialize(const ScaledValue& value) {
  const auto times = [&](NodeId node, const std::optional<Tensor>& factor) {
    return factor ? graph_.add_call(Op::kMultiply, {node, constant(*factor)}) : node;
  };
  if (value.highest)
    return times(relu6(times(value.node, value.scale), *value.highest), value.factor);
  const NodeId node = value.rectified ? graph_.add_call(Op::kRelu, {value.node}) : value.node;
  return times(node, value.scale);
}

NodeId IntegerEmitter::relu6(NodeId value, float highest) {
  return graph_.add_call(Op::kClip, {value},
                         ir::ClipAttrs{.a_min = 0, .a_max = static_cast<double>(highest)});
}

NodeId IntegerEmitter::levels(const ScaledValue& value, const AffineParameters& to) {
  const float inverse = 1.0F / to.scale;
  float highest = static_cast<float>(to.highest - to.zero_point);
  std::optional<Tensor> scale = value.scale;
  if (value.highest) {
    const Tensor bounds =
        scaled_by(value.factor.value_or(Tensor::scalar(1.0F)), *value.highest * inverse);
    const float least = std::ranges::min(bounds.data<float>());
    // The clip has one bound for all channels.
    if (least < highest && bounds.size() > 1) {
      const ScaledValue bounded{
          .node = value.node, .scale = value.scale, .rectified = true, .highest = value.highest};
      return levels({.node = materialize(bounded), .scale = value.factor, .rectified = true}, to);
    }
    highest = std::min(highest, least);
    if (value.factor) scale = scale ? product(*scale, *value.factor) : value.factor;
  }
  const Tensor factor = scale ? scaled_by(*scale, inverse) : Tensor::scalar(inverse);
  const NodeId scaled = graph_.add_call(Op::kMultiply, {value.node, constant(factor)});
  const double lowest = value.rectified ? 0 : -static_cast<double>(to.zero_point);
  const NodeId clipped = graph_.add_call(
      Op::kClip, {scaled}, ir::ClipAttrs{.a_min = lowest, .a_max = static_cast<double>(highest)});
  return add(clipped, constant(Tensor::scalar(static_cast<float>(to.zero_point) + 0.5F)));
}

NodeId IntegerEmitter::in_wide_steps(NodeId value) {
  return graph_.add_call(Op::kMultiply,
                         {value, constant(Tensor::scalar(1.0F / static_cast<float>(kWideStep)))});
}

NodeId IntegerEmitter::quantize(const ScaledValue& value, const AffineParameters& to) {
  return cast(levels(value, to), ir::DType::kUInt8);
}

IntegerEmitter::Bytes IntegerEmitter::quantize_wide(const ScaledValue& value,
                                                    const AffineParameters& to) {
  const NodeId number = levels(value, to);
  // int32 to uint8 keeps the low byte.
  return {.high = cast(in_wide_steps(number), ir::DType::kUInt8),
          .low = cast(cast(number, ir::DType::kInt32), ir::DType::kUInt8)};
}

ScaledValue IntegerEmitter::dequantize(NodeId stored, const AffineParameters& from) {
  NodeId value = cast(stored, ir::DType::kFloat32);
  if (from.zero_point != 0) {
    value = graph_.add_call(Op::kSubtract,
                            {value, constant(Tensor::scalar(static_cast<float>(from.zero_point)))});
  }
  return {.node = value, .scale = Tensor::scalar(from.scale), .rectified = false};
}

Tensor product(const Tensor& left, const Tensor& right) {
  const Tensor& larger = left.size() >= right.size() ? left : right;
  const auto a = left.data<float>();
  const auto b = right.data<float>();
  Tensor result(ir::DType::kFloat32, larger.shape());
  auto to = result.mutable_data<float>();
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i] = a[a.size() == 1 ? 0 : i] * b[b.size() == 1 ? 0 : i];
  }
  return result;
}

bool broadcasts_per_channel(const Tensor& addend, const ir::Shape& shape) {
  if (addend.size() == 1) return true;
  if (addend.size() != shape[1]) return false;
  const std::int64_t channel_axis = addend.rank() - (static_cast<std::int64_t>(shape.size()) - 1);
  return channel_axis >= 0 && channel_axis < addend.rank() &&
         addend.shape()[static_cast<std::size_t>(channel_axis)] == shape[1];
}

Tensor with_zero_rows(const Tensor& weight, std::int64_t rows) {
  ir::Shape shape = weight.shape();
  shape[0] = rows;
  Tensor result = Tensor::zeros(ir::DType::kInt8, std::move(shape));
  std::copy_n(weight.bytes(), weight.byte_size(), result.mutable_bytes());
  return result;
}

}  // namespace tvmq::quant
