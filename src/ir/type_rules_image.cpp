// Operators that change the spatial size or the axis order.
#include <fmt/format.h>

#include <cmath>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

/// data + before + after for every dimension.
TensorType padded(const RuleCall& call, const IntMatrix& pad_width, std::int64_t least) {
  TensorType type = call.tensor(0);
  if (pad_width.size() != type.shape.size()) {
    call.fail(fmt::format("pad_width has {} pairs, expected one for each of {} dimensions",
                          pad_width.size(), type.shape.size()));
  }
  for (std::size_t i = 0; i < pad_width.size(); ++i) {
    call.require_size(pad_width[i], 2, fmt::format("pad_width {}", i));
    const std::int64_t before = call.bounded(pad_width[i][0], least, kMaxExtent, "pad_width");
    const std::int64_t after = call.bounded(pad_width[i][1], least, kMaxExtent, "pad_width");
    if (type.shape[i] == kDynamicDim) continue;
    type.shape[i] = call.dim(Wide{type.shape[i]} + before + after, "padded size");
  }
  return type;
}

/// Rounds as TVM's constant folder does: to the nearest, halves to even.
std::int64_t scaled(const RuleCall& call, std::int64_t extent, double scale) {
  if (extent == kDynamicDim) return kDynamicDim;
  const double size = std::nearbyint(static_cast<double>(extent) * scale);
  if (!(size >= 0) || size > static_cast<double>(kMaxExtent)) {
    call.fail(fmt::format("{} elements scaled by {}, expected 0 to {}", extent, scale, kMaxExtent));
  }
  return static_cast<std::int64_t>(size);
}

/// Lets `change` edit the shape in NCHW order.
template <class Change>
Shape in_nchw(const RuleCall& call, std::string_view layout_text, Change&& change) {
  const Layout layout = call.layout(layout_text);
  const Layout nchw = call.layout("NCHW");
  Shape shape = call.convert(call.tensor(0).shape, layout, nchw, "data");
  change(shape);
  return call.convert(shape, nchw, layout, "the result");
}

void multiply_dim(const RuleCall& call, std::int64_t& extent, std::int64_t factor) {
  if (extent != kDynamicDim) extent = call.dim(Wide{extent} * factor, "output size");
}

void divide_dim(const RuleCall& call, std::int64_t& extent, std::int64_t factor) {
  if (extent == kDynamicDim) return;
  if (extent % factor != 0) {
    call.fail(fmt::format("a dimension of {} elements cannot be divided by {}", extent, factor));
  }
  extent /= factor;
}

/// Larger blocks cannot divide anything that fits; their square must fit in int64.
constexpr std::int64_t kMaxBlock = 1 << 20;

}  // namespace

Type pad_type(const RuleCall& call) {
  const TensorType& value = call.tensor(1);
  if (element_count(value.shape) != 1) {
    call.fail(fmt::format("the value to pad with (operand 1) is {}, expected one element",
                          to_string(value)));
  }
  return padded(call, call.attrs<PadAttrs>().pad_width, -kMaxExtent);
}

Type mirror_pad_type(const RuleCall& call) {
  return padded(call, call.attrs<MirrorPadAttrs>().pad_width, 0);
}

Type upsampling_type(const RuleCall& call) {
  const auto& attrs = call.attrs<UpSamplingAttrs>();
  return TensorType{call.tensor(0).dtype, in_nchw(call, attrs.layout, [&](Shape& shape) {
                      shape[2] = scaled(call, shape[2], attrs.scale_h);
                      shape[3] = scaled(call, shape[3], attrs.scale_w);
                    })};
}

Type resize2d_type(const RuleCall& call) {
  const auto& attrs = call.attrs<Resize2DAttrs>();
  if (!attrs.size) call.fail("no size is given, expected a height and a width");
  call.require_size(*attrs.size, 2, "size");
  if (!attrs.roi.empty() && attrs.roi.size() != 4) {
    call.fail(fmt::format("roi has {} values, expected 4", attrs.roi.size()));
  }
  const Shape shape = in_nchw(call, attrs.layout, [&](Shape& nchw) {
    nchw[2] = call.bounded((*attrs.size)[0], 1, kMaxExtent, "height");
    nchw[3] = call.bounded((*attrs.size)[1], 1, kMaxExtent, "width");
  });
  return TensorType{attrs.out_dtype == DType::kVoid ? call.tensor(0).dtype : attrs.out_dtype,
                    shape};
}

Type depth_to_space_type(const RuleCall& call) {
  const auto& attrs = call.attrs<SubPixelAttrs>();
  const std::int64_t block = call.bounded(attrs.block_size, 1, kMaxBlock, "block_size");
  return TensorType{call.tensor(0).dtype, in_nchw(call, attrs.layout, [&](Shape& shape) {
                      divide_dim(call, shape[1], block * block);
                      multiply_dim(call, shape[2], block);
                      multiply_dim(call, shape[3], block);
                    })};
}

Type space_to_depth_type(const RuleCall& call) {
  const auto& attrs = call.attrs<SubPixelAttrs>();
  const std::int64_t block = call.bounded(attrs.block_size, 1, kMaxBlock, "block_size");
  return TensorType{call.tensor(0).dtype, in_nchw(call, attrs.layout, [&](Shape& shape) {
                      multiply_dim(call, shape[1], block * block);
                      divide_dim(call, shape[2], block);
                      divide_dim(call, shape[3], block);
                    })};
}

Type layout_transform_type(const RuleCall& call) {
  const auto& attrs = call.attrs<LayoutTransformAttrs>();
  const TensorType& data = call.tensor(0);
  return TensorType{data.dtype, call.convert(data.shape, call.layout(attrs.src_layout),
                                             call.layout(attrs.dst_layout), "data")};
}

}  // namespace tvmq::ir
