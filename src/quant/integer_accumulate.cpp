#include "quant/integer_accumulate.h"

#include <algorithm>
#include <utility>

#include "ir/window.h"

namespace tvmq::quant {
namespace {

using ir::DType;
using ir::IntList;
using ir::Node;
using ir::NodeId;
using ir::Op;
using ir::Shape;
using ir::Tensor;

/// TVM's 8-bit matrix product works on blocks of so many output channels (relay_quantize.md S13).
constexpr std::int64_t kOutputBlock = 16;

/// The data of a windowed kernel, padded ahead of it where the padding is not 0: a stored zero is
/// its zero point. `padding` is 0 afterwards.
NodeId with_own_padding(IntegerEmitter& emitter, NodeId data, IntList& padding,
                        std::int32_t zero_point) {
  const IntList sides = ir::before_and_behind(padding, 2);
  const bool padded = std::any_of(sides.begin(), sides.end(), [](auto side) { return side != 0; });
  if (zero_point == 0 || !padded) return data;
  padding = {0, 0, 0, 0};
  return emitter.pad(data, sides, static_cast<std::uint8_t>(zero_point));
}

/// The sums of a layer: its int8 weight as a constant of the new graph, with as many output
/// channels as TVM's kernel likes, by as many values as it is asked for.
class Products {
 public:
  /// `attrs`: the layer's, with the type of the sums.
  Products(IntegerEmitter& emitter, const Node& layer, ir::Attrs attrs, const Tensor& weight,
           bool stop_fusion, bool whole_blocks)
      : emitter_(emitter),
        layer_(layer),
        attrs_(std::move(attrs)),
        channels_(weight.shape()[0]),
        padded_(whole_blocks ? (channels_ + kOutputBlock - 1) / kOutputBlock * kOutputBlock
                             : channels_),
        stop_fusion_(stop_fusion || padded_ != channels_) {
    if (padded_ != channels_) {
      if (auto* conv = std::get_if<ir::Conv2DAttrs>(&attrs_)) conv->channels = padded_;
      if (auto* matrix = std::get_if<ir::DenseAttrs>(&attrs_)) matrix->units = padded_;
    }
    weight_ = emitter.constant(padded_ == channels_ ? weight : with_zero_rows(weight, padded_));
  }

  /// With the values of `data`, whose zeros are stored as `zero_point`. The channels that are too
  /// many are cut off behind it.
  NodeId sum(NodeId data, std::int32_t zero_point) {
    ir::Attrs attrs = attrs_;
    if (auto* conv = std::get_if<ir::Conv2DAttrs>(&attrs)) {
      data = with_own_padding(emitter_, data, conv->padding, zero_point);
    }
    NodeId result =
        emitter_.graph().add_call(layer_.op, {data, weight_}, std::move(attrs), layer_.name);
    if (stop_fusion_) result = emitter_.stop_fusion(result);
    if (padded_ == channels_) return result;
    return emitter_.graph().add_call(Op::kStridedSlice, {result},
                                     ir::StridedSliceAttrs{.begin = IntList{0},
                                                           .end = IntList{channels_},
                                                           .strides = IntList{1},
                                                           .slice_mode = "end",
                                                           .axes = IntList{1}});
  }

 private:
  IntegerEmitter& emitter_;
  const Node& layer_;
  ir::Attrs attrs_;
  std::int64_t channels_;
  std::int64_t padded_;
  bool stop_fusion_;
  NodeId weight_ = 0;
};

Products products_of(IntegerEmitter& emitter, const Node& layer, const Tensor& weight) {
  if (layer.op == Op::kDense) {
    auto attrs = layer.attrs_as<ir::DenseAttrs>();
    attrs.out_dtype = DType::kInt32;
    return {emitter, layer, attrs, weight, /*stop_fusion=*/false, /*whole_blocks=*/true};
  }
  auto attrs = layer.attrs_as<ir::Conv2DAttrs>();
  attrs.out_dtype = DType::kInt32;
  const bool pointwise = weight.shape()[2] == 1 && weight.shape()[3] == 1;
  const bool stop_fusion = attrs.groups == 1 && !pointwise;
  return {emitter, layer, std::move(attrs), weight, stop_fusion, /*whole_blocks=*/stop_fusion};
}

/// How many elements of the image each window covers, its padding left out: [1, 1, H, W].
Tensor covered(const ir::AvgPool2DAttrs& attrs, const Shape& image, const Shape& result) {
  const IntList size = ir::per_axis(attrs.pool_size, 2);
  const IntList stride = ir::per_axis(attrs.strides, 2);
  const IntList sides = ir::before_and_behind(attrs.padding, 2);
  const auto along = [&](std::size_t axis, std::int64_t position) {
    std::int64_t inside = 0;
    for (std::int64_t k = 0; k < size[axis]; ++k) {
      const std::int64_t at = position * stride[axis] - sides[axis] + k;
      inside += at >= 0 && at < image[2 + axis] ? 1 : 0;
    }
    return std::max<std::int64_t>(inside, 1);
  };
  Tensor counts(DType::kFloat32, {1, 1, result[2], result[3]});
  auto to = counts.mutable_data<float>();
  std::size_t next = 0;
  for (std::int64_t y = 0; y < result[2]; ++y) {
    for (std::int64_t x = 0; x < result[3]; ++x) {
      to[next++] = static_cast<float>(along(0, y) * along(1, x));
    }
  }
  return counts;
}

/// A sum of `count` stored values, less their zero points, as float32.
NodeId without_zero_point(IntegerEmitter& emitter, NodeId sum, std::int64_t count,
                          const AffineParameters& from) {
  if (from.zero_point != 0) {
    const auto zero = static_cast<std::int32_t>(-count * from.zero_point);
    sum = emitter.add(sum, emitter.constant(Tensor::scalar(zero)));
  }
  return emitter.cast(sum, DType::kFloat32);
}

ScaledValue average_of_windows(IntegerEmitter& emitter, const Node& node, const Shape& image,
                               NodeId data, const AffineParameters& from) {
  const auto& pool = node.attrs_as<ir::AvgPool2DAttrs>();
  const IntList size = ir::per_axis(pool.pool_size, 2);
  const std::int64_t channels = image[1];
  const std::int64_t count = size[0] * size[1];
  ir::Conv2DAttrs attrs{.strides = ir::per_axis(pool.strides, 2),
                        .padding = ir::before_and_behind(pool.padding, 2),
                        .groups = channels,
                        .channels = channels,
                        .kernel_size = size,
                        .out_layout = "",
                        .out_dtype = DType::kInt32};
  data = with_own_padding(emitter, data, attrs.padding, from.zero_point);
  Tensor ones(DType::kInt8, {channels, 1, size[0], size[1]});
  std::ranges::fill(ones.mutable_data<std::int8_t>(), std::int8_t{1});
  const NodeId sum = emitter.graph().add_call(
      Op::kConv2D, {data, emitter.constant(std::move(ones))}, std::move(attrs), node.name);
  const NodeId real = without_zero_point(emitter, sum, count, from);
  const auto divided_by = [&](double n) {
    return ScaledValue{
        .node = real,
        .scale = Tensor::scalar(static_cast<float>(static_cast<double>(from.scale) / n))};
  };
  if (pool.count_include_pad) return divided_by(static_cast<double>(count));
  Tensor counts = covered(pool, image, node.tensor_type().shape);
  const auto inside = counts.data<float>();
  if (inside.empty()) return divided_by(static_cast<double>(count));
  if (std::ranges::all_of(inside, [&](float n) { return n == inside[0]; })) {
    return divided_by(static_cast<double>(inside[0]));
  }
  return {
      .node = emitter.graph().add_call(Op::kDivide, {real, emitter.constant(std::move(counts))}),
      .scale = Tensor::scalar(from.scale)};
}

}  // namespace

Accumulator accumulate(IntegerEmitter& emitter, const Node& layer, const LayerOperands& operands) {
  AffineParameters from = operands.from;
  if (operands.low) from = high_byte(from);
  Accumulator result;
  result.scales = operands.weight.scales;
  for (float& scale : result.scales) scale *= from.scale;
  for (const std::int32_t sum : operands.weight.sums) {
    result.correction.push_back(-from.zero_point * sum);
  }
  Products products = products_of(emitter, layer, operands.weight.values);
  result.node = products.sum(operands.data, from.zero_point);
  if (operands.low) result.low = products.sum(*operands.low, 0);
  return result;
}

bool can_average(const ir::AvgPool2DAttrs& attrs, const Shape& image, const Shape& result) {
  if (attrs.layout != "NCHW" || !(attrs.out_layout.empty() || attrs.out_layout == "NCHW")) {
    return false;
  }
  if (ir::per_axis(attrs.dilation, 2) != IntList{1, 1}) return false;
  const IntList size = ir::per_axis(attrs.pool_size, 2);
  const IntList stride = ir::per_axis(attrs.strides, 2);
  const IntList sides = ir::before_and_behind(attrs.padding, 2);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t last = (result[2 + axis] - 1) * stride[axis];
    const std::int64_t reach = last + size[axis];
    if (reach > image[2 + axis] + sides[axis] + sides[axis + 2]) return false;
  }
  return true;
}

ScaledValue average(IntegerEmitter& emitter, const Node& node, const Shape& image, NodeId data,
                    const AffineParameters& from) {
  if (node.op == Op::kAvgPool2D) return average_of_windows(emitter, node, image, data, from);
  const std::int64_t count = image[2] * image[3];
  const bool keep = node.op != Op::kMean || node.attrs_as<ir::ReduceAttrs>().keepdims;
  const NodeId sum = emitter.graph().add_call(
      Op::kSum, {emitter.cast(data, DType::kInt32)},
      ir::ReduceAttrs{.axis = IntList{2, 3}, .keepdims = keep, .exclude = false}, node.name);
  return {.node = without_zero_point(emitter, sum, count, from),
          .scale = Tensor::scalar(
              static_cast<float>(static_cast<double>(from.scale) / static_cast<double>(count)))};
}

}  // namespace tvmq::quant
