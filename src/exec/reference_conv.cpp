#include "exec/reference_conv.h"

#include <algorithm>
#include <utility>

#include "exec/reference_accumulator.h"
#include "exec/reference_loops.h"
#include "exec/reference_strided.h"

namespace tvmq::exec {
namespace {

using ir::Shape;
using ir::Tensor;

constexpr std::string_view kSpatialLetters = "DHW";

/// "NC" + "HW" for two spatial dimensions.
std::string layout_of(std::string_view front, std::size_t spatial) {
  return std::string(front) + std::string(kSpatialLetters.substr(3 - spatial));
}

std::array<std::int64_t, 3> spatial_dims(const Shape& shape) {
  return three_dims(std::span(shape).subspan(2));
}

template <class Attrs>
ConvParameters parameters_of(const Attrs& attrs, std::size_t spatial) {
  return {.spatial = spatial,
          .window = make_window(spatial, attrs.strides, attrs.dilation, attrs.padding),
          .groups = attrs.groups,
          .data_layout = attrs.data_layout,
          .kernel_layout = attrs.kernel_layout,
          .out_layout = attrs.out_layout};
}

/// The largest divisor of `count` that is not above `limit`.
std::int64_t divisor_below(std::int64_t count, std::int64_t limit) {
  std::int64_t divisor = std::clamp<std::int64_t>(limit, 1, std::max<std::int64_t>(count, 1));
  while (count % divisor != 0) --divisor;
  return divisor;
}

/// In which order TVM compiled for plain `llvm` sums float products, so that our sums have the same
/// bits (measured on its outputs for 34 networks). In one dimension channel by channel; with the
/// channels last all channels at each kernel position; else in blocks that fit a vector of four.
std::int64_t channel_block_of(const ConvParameters& parameters, std::int64_t in_channels,
                              std::int64_t out_channels) {
  constexpr std::int64_t kVector = 4;
  if (parameters.spatial == 1) return 1;
  if (parameters.data_layout.ends_with('C')) return std::max<std::int64_t>(in_channels, 1);
  return divisor_below(in_channels, divisor_below(out_channels, kVector));
}

ConvGeometry geometry_of(const ConvParameters& parameters, const Shape& data, const Shape& result,
                         const Shape& weight) {
  const Window& window = parameters.window;
  return {.batch = data[0],
          .groups = parameters.groups,
          .in_channels = data[1],
          .out_channels = result[1],
          .channel_block = channel_block_of(parameters, data[1] / parameters.groups, result[1]),
          .in = spatial_dims(data),
          .out = spatial_dims(result),
          .kernel = spatial_dims(weight),
          .stride = window.stride,
          .dilation = window.dilation,
          .pad = window.pad_before};
}

/// The operands and the result with channels in front: batch, channels, depth, height, width.
struct ChannelsFirst {
  Tensor data;
  Tensor weight;
  Shape result;
  std::vector<std::size_t> back;  ///< permutes a result to the layout that was asked for
};

ChannelsFirst channels_first(const KernelCall& call, const ConvParameters& parameters,
                             std::string_view weight_front, const Tensor& data,
                             const Tensor& weight, const ir::TensorType& type) {
  const std::string wanted = layout_of("NC", parameters.spatial);
  const std::string& out_layout =
      parameters.out_layout.empty() ? parameters.data_layout : parameters.out_layout;
  const auto out_order = layout_order(call, out_layout, wanted);
  ChannelsFirst first;
  first.data = permute(data, layout_order(call, parameters.data_layout, wanted));
  first.weight = permute(weight, layout_order(call, parameters.kernel_layout,
                                              layout_of(weight_front, parameters.spatial)));
  for (const std::size_t axis : out_order) first.result.push_back(type.shape.at(axis));
  first.back = inverse_order(out_order);
  const std::int64_t groups = parameters.groups;
  check(groups > 0 && first.data.shape()[1] % groups == 0 && first.result[1] % groups == 0 &&
            first.data.shape()[0] == first.result[0],
        "groups divide the channels");
  return first;
}

Tensor convolve_transposed_tensors(const KernelCall& call, const ConvParameters& parameters) {
  const ir::TensorType& type = call.result();
  ChannelsFirst first =
      channels_first(call, parameters, "IO", call.operand(0), call.operand(1), type);
  const Shape& weight = first.weight.shape();
  check(weight[0] == first.data.shape()[1] && weight[1] * parameters.groups == first.result[1],
        "weights for every pair of channels");
  Tensor result;
  visit_accumulator(call, type.dtype, [&]<class S, class T>(Accumulator<S, T> sum) {
    const Tensor x = cast_tensor(call, first.data, ir::DTypeOf<S>::kValue);
    const Tensor w = cast_tensor(call, first.weight, ir::DTypeOf<S>::kValue);
    Tensor y(ir::DTypeOf<S>::kValue, first.result);
    const ConvGeometry geometry = geometry_of(parameters, x.shape(), y.shape(), w.shape());
    convolve_transposed(geometry, sum.read(x), sum.read(w), sum.write(y));
    result = permute(cast_tensor(call, y, type.dtype), first.back);
  });
  return result;
}

}  // namespace

ConvParameters conv_parameters(const ir::Conv2DAttrs& attrs) { return parameters_of(attrs, 2); }

Tensor convolve_tensors(const KernelCall& call, const ConvParameters& parameters,
                        const Tensor& data, const Tensor& weight, const ir::TensorType& type) {
  ChannelsFirst first = channels_first(call, parameters, "OI", data, weight, type);
  const std::int64_t in_group = first.data.shape()[1] / parameters.groups;
  Shape kernel = first.weight.shape();
  if (kernel[0] != first.result[1] && kernel[0] * kernel[1] == first.result[1] && in_group == 1) {
    // Depthwise weights of TensorFlow: (input channels, multiplier, ...).
    kernel[0] *= kernel[1];
    kernel[1] = 1;
    first.weight = first.weight.reshaped(kernel);
  }
  check(kernel[0] == first.result[1] && kernel[1] == in_group, "weights for every channel");
  Tensor result;
  visit_accumulator(call, type.dtype, [&]<class S, class T>(Accumulator<S, T> sum) {
    const Tensor x = cast_tensor(call, first.data, ir::DTypeOf<S>::kValue);
    const Tensor w = cast_tensor(call, first.weight, ir::DTypeOf<S>::kValue);
    Tensor y(ir::DTypeOf<S>::kValue, first.result);
    const ConvGeometry geometry = geometry_of(parameters, x.shape(), y.shape(), w.shape());
    convolve(geometry, sum.read(x), sum.read(w), sum.write(y));
    result = permute(cast_tensor(call, y, type.dtype), first.back);
  });
  return result;
}

Values convolution(const KernelCall& call) {
  const ConvParameters parameters = [&] {
    switch (call.node.op) {
      case ir::Op::kConv1D:
        return parameters_of(call.attrs<ir::Conv1DAttrs>(), 1);
      case ir::Op::kConv2D:
        return parameters_of(call.attrs<ir::Conv2DAttrs>(), 2);
      default:
        return parameters_of(call.attrs<ir::Conv3DAttrs>(), 3);
    }
  }();
  return {convolve_tensors(call, parameters, call.operand(0), call.operand(1), call.result())};
}

Values transposed_convolution(const KernelCall& call) {
  const ConvParameters parameters = [&] {
    switch (call.node.op) {
      case ir::Op::kConv1DTranspose:
        return parameters_of(call.attrs<ir::Conv1DTransposeAttrs>(), 1);
      case ir::Op::kConv2DTranspose:
        return parameters_of(call.attrs<ir::Conv2DTransposeAttrs>(), 2);
      default:
        return parameters_of(call.attrs<ir::Conv3DTransposeAttrs>(), 3);
    }
  }();
  return {convolve_transposed_tensors(call, parameters)};
}

}  // namespace tvmq::exec
