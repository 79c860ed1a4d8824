// Convolutions. Shapes are brought to a canonical order (N, C, then D, H, W; weights O, I, then
// D, H, W, or I, O for transposed ones), computed there and brought back to the call's layouts.
#include <fmt/format.h>

#include <type_traits>

#include "ir/type_rules.h"
#include "ir/type_rules_window.h"

namespace tvmq::ir {
namespace {

/// The attributes of any of the six operators.
struct ConvFields {
  std::size_t spatial;
  bool transposed;
  const IntList& strides;
  const IntList& padding;
  const IntList& dilation;
  IntList output_padding;
  std::int64_t groups;
  OptionalInt channels;
  OptionalIntList kernel_size;
  std::string_view data_layout;
  std::string_view kernel_layout;
  std::string_view out_layout;
  DType out_dtype;
};

template <class Attrs>
ConvFields conv_fields(const Attrs& attrs, std::size_t spatial) {
  constexpr bool kTransposed = requires { attrs.output_padding; };
  IntList output_padding(spatial, 0);
  if constexpr (kTransposed) output_padding = attrs.output_padding;
  return {.spatial = spatial,
          .transposed = kTransposed,
          .strides = attrs.strides,
          .padding = attrs.padding,
          .dilation = attrs.dilation,
          .output_padding = std::move(output_padding),
          .groups = attrs.groups,
          .channels = attrs.channels,
          .kernel_size = attrs.kernel_size,
          .data_layout = attrs.data_layout,
          .kernel_layout = attrs.kernel_layout,
          .out_layout = attrs.out_layout.empty() ? attrs.data_layout : attrs.out_layout,
          .out_dtype = attrs.out_dtype};
}

/// What the output needs to know about the weight.
struct Kernel {
  std::int64_t channels;  ///< of the output
  Shape size;             ///< of the window
};

std::int64_t divided(const RuleCall& call, std::int64_t channels, std::int64_t groups,
                     std::string_view what) {
  if (channels == kDynamicDim) return kDynamicDim;
  if (channels % groups != 0) {
    call.fail(fmt::format("{} {} cannot be divided into {} groups", channels, what, groups));
  }
  return channels / groups;
}

/// The canonical order of the weight; group convolutions may store the group as a dimension.
std::string kernel_order(const ConvFields& f) {
  const bool grouped = f.groups > 1 && f.kernel_layout.find('G') != std::string_view::npos;
  std::string order = f.transposed ? "IO" : "OI";
  if (grouped) order = "G" + order;
  return order += spatial_letters(f.spatial);
}

/// The weight's shape, in canonical order, that the attributes ask for.
Shape wanted_weight(const RuleCall& call, const ConvFields& f, const Shape& weight,
                    std::int64_t in_channels) {
  const std::int64_t channels = *f.channels;
  const std::int64_t in_per_group = divided(call, in_channels, f.groups, "input channels");
  const std::int64_t out_per_group = divided(call, channels, f.groups, "output channels");
  Shape wanted;
  if (weight.size() == f.spatial + 3) {
    wanted = f.transposed ? Shape{f.groups, in_per_group, out_per_group}
                          : Shape{f.groups, out_per_group, in_per_group};
  } else if (f.transposed || (f.groups > 1 && f.groups == in_channels && f.groups == weight[0])) {
    wanted = {in_channels, out_per_group};  // also depthwise, with channels / groups as multiplier
  } else {
    wanted = {channels, in_per_group};
  }
  wanted.insert(wanted.end(), f.kernel_size->begin(), f.kernel_size->end());
  return wanted;
}

/// What the weight says where the attributes do not; checks what both say.
Kernel kernel_from_weight(const RuleCall& call, const ConvFields& f, const Shape& weight,
                          std::int64_t in_channels) {
  const std::size_t lead = weight.size() - f.spatial;
  Kernel kernel;
  kernel.size.assign(weight.begin() + static_cast<std::ptrdiff_t>(lead), weight.end());
  for (std::size_t i = 0; f.kernel_size && i < f.spatial; ++i) {
    if (!fits((*f.kernel_size)[i], kernel.size[i])) {
      call.fail(fmt::format("kernel_size is {}, but the weight's window is {}",
                            to_string(*f.kernel_size), to_string(kernel.size)));
    }
  }
  const std::int64_t in = weight[lead - (f.transposed ? 2 : 1)];
  const std::int64_t out = weight[lead - (f.transposed ? 1 : 2)];
  const bool per_group_in = !f.transposed || lead == 3;
  const bool per_group_out = f.transposed || lead == 3;
  const std::int64_t wanted_in =
      per_group_in ? divided(call, in_channels, f.groups, "input channels") : in_channels;
  if (!fits(in, wanted_in)) {
    call.fail(
        fmt::format("the weight takes {} input channels, expected {} ({} channels in {} "
                    "groups)",
                    in, wanted_in, in_channels, f.groups));
  }
  if (out == kDynamicDim) {
    kernel.channels = f.channels.value_or(kDynamicDim);
    return kernel;
  }
  kernel.channels = per_group_out ? call.dim(Wide{out} * f.groups, "output channels") : out;
  if (f.channels && *f.channels != kernel.channels) {
    call.fail(fmt::format("channels is {}, but the weight gives {}", *f.channels, kernel.channels));
  }
  return kernel;
}

std::int64_t output_extent(const RuleCall& call, const ConvFields& f, std::size_t i,
                           std::int64_t extent, std::int64_t window) {
  const std::int64_t padding = total_padding(call, f.padding, i, f.spatial);
  if (extent == kDynamicDim || window == kDynamicDim) return kDynamicDim;
  const Wide reach = window_reach(call, window, f.dilation[i]);
  if (!f.transposed) {
    return window_count(call, extent, padding, reach, f.strides[i], false);
  }
  const Wide stride = call.bounded(f.strides[i], 1, kMaxExtent, "stride");
  const std::int64_t more = call.bounded(f.output_padding[i], 0, kMaxExtent, "output_padding");
  return call.dim(stride * (Wide{extent} - 1) + reach - padding + more, "output size");
}

Type conv_type(const RuleCall& call, const ConvFields& f) {
  const TensorType& data = call.tensor(0);
  const TensorType& weight = call.tensor(1);
  call.require_size(f.strides, f.spatial, "strides");
  call.require_size(f.dilation, f.spatial, "dilation");
  call.require_size(f.output_padding, f.spatial, "output_padding");
  if (f.kernel_size) {
    call.require_size(*f.kernel_size, f.spatial, "kernel_size");
    for (const std::int64_t size : *f.kernel_size) call.bounded(size, 1, kMaxExtent, "kernel_size");
  }
  call.bounded(f.groups, 1, kMaxExtent, "groups");
  if (f.channels) call.bounded(*f.channels, 0, kMaxExtent, "channels");

  const Layout canonical_data = call.layout("NC" + std::string(spatial_letters(f.spatial)));
  const Layout canonical_kernel = call.layout(kernel_order(f));
  const Layout kernel_layout = call.layout(f.kernel_layout);
  const Shape in = call.convert(data.shape, call.layout(f.data_layout), canonical_data, "data");
  const Shape kernel_shape = call.convert(weight.shape, kernel_layout, canonical_kernel, "weight");

  Kernel kernel;
  if (f.channels && f.kernel_size) {
    const Shape wanted = wanted_weight(call, f, kernel_shape, in[1]);
    call.require_type(
        1, {weight.dtype, call.convert(wanted, canonical_kernel, kernel_layout, "weight")},
        "weight");
    kernel = {*f.channels, *f.kernel_size};
  } else {
    kernel = kernel_from_weight(call, f, kernel_shape, in[1]);
  }
  Shape out{in[0], kernel.channels};
  for (std::size_t i = 0; i < f.spatial; ++i) {
    out.push_back(output_extent(call, f, i, in[2 + i], kernel.size[i]));
  }
  return TensorType{f.out_dtype == DType::kVoid ? data.dtype : f.out_dtype,
                    call.convert(out, canonical_data, call.layout(f.out_layout), "the result")};
}

}  // namespace

Type conv1d_type(const RuleCall& call) {
  return conv_type(call, conv_fields(call.attrs<Conv1DAttrs>(), 1));
}
Type conv2d_type(const RuleCall& call) {
  return conv_type(call, conv_fields(call.attrs<Conv2DAttrs>(), 2));
}
Type conv3d_type(const RuleCall& call) {
  return conv_type(call, conv_fields(call.attrs<Conv3DAttrs>(), 3));
}
Type conv1d_transpose_type(const RuleCall& call) {
  return conv_type(call, conv_fields(call.attrs<Conv1DTransposeAttrs>(), 1));
}
Type conv2d_transpose_type(const RuleCall& call) {
  return conv_type(call, conv_fields(call.attrs<Conv2DTransposeAttrs>(), 2));
}
Type conv3d_transpose_type(const RuleCall& call) {
  return conv_type(call, conv_fields(call.attrs<Conv3DTransposeAttrs>(), 3));
}

}  // namespace tvmq::ir
