#include <fmt/format.h>

#include "ir/type_rules.h"
#include "ir/type_rules_window.h"

namespace tvmq::ir {
namespace {

/// Where the spatial dimensions stand in the data; blocked channels are allowed, blocked spatial
/// dimensions are not.
std::vector<std::size_t> spatial_axes(const RuleCall& call, std::string_view layout_text,
                                      std::size_t spatial) {
  const Layout layout = call.layout(layout_text);
  const TensorType& data = call.tensor(0);
  if (layout.rank() != data.shape.size()) {
    call.fail(fmt::format("data is {}, expected {} dimensions for layout {}", to_string(data),
                          layout.rank(), layout_text));
  }
  std::vector<std::size_t> axes;
  for (const char letter : spatial_letters(spatial)) {
    const auto axis = layout.index_of(letter);
    if (!axis || layout.block_of(letter) != 1) {
      call.fail(
          fmt::format("layout {}, expected one with a whole dimension {}", layout_text, letter));
    }
    axes.push_back(*axis);
  }
  return axes;
}

template <class Attrs>
Type pool_type(const RuleCall& call, std::size_t spatial) {
  const Attrs& attrs = call.attrs<Attrs>();
  const auto axes = spatial_axes(call, attrs.layout, spatial);
  call.require_size(attrs.pool_size, spatial, "pool_size");
  call.require_size(attrs.strides, spatial, "strides");
  call.require_size(attrs.dilation, spatial, "dilation");
  TensorType type = call.tensor(0);
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::int64_t padding = total_padding(call, attrs.padding, i, spatial);
    const Wide reach = window_reach(call, attrs.pool_size[i], attrs.dilation[i]);
    std::int64_t& extent = type.shape[axes[i]];
    if (extent == kDynamicDim) continue;
    extent = window_count(call, extent, padding, reach, attrs.strides[i], attrs.ceil_mode);
  }
  return type;
}

/// output_size: the input's if empty, one value for all dimensions, or one value each.
template <class Attrs>
Type adaptive_pool_type(const RuleCall& call, std::size_t spatial) {
  const Attrs& attrs = call.attrs<Attrs>();
  const auto axes = spatial_axes(call, attrs.layout, spatial);
  TensorType type = call.tensor(0);
  if (attrs.output_size.empty()) return type;
  if (attrs.output_size.size() != 1) call.require_size(attrs.output_size, spatial, "output_size");
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::int64_t size = attrs.output_size[attrs.output_size.size() == 1 ? 0 : i];
    type.shape[axes[i]] = call.bounded(size, 1, kMaxExtent, "output_size");
  }
  return type;
}

}  // namespace

Type max_pool1d_type(const RuleCall& call) { return pool_type<MaxPool1DAttrs>(call, 1); }
Type max_pool2d_type(const RuleCall& call) { return pool_type<MaxPool2DAttrs>(call, 2); }
Type max_pool3d_type(const RuleCall& call) { return pool_type<MaxPool3DAttrs>(call, 3); }
Type avg_pool1d_type(const RuleCall& call) { return pool_type<AvgPool1DAttrs>(call, 1); }
Type avg_pool2d_type(const RuleCall& call) { return pool_type<AvgPool2DAttrs>(call, 2); }
Type avg_pool3d_type(const RuleCall& call) { return pool_type<AvgPool3DAttrs>(call, 3); }

Type global_pool2d_type(const RuleCall& call) {
  TensorType type = call.tensor(0);
  for (const std::size_t axis : spatial_axes(call, call.attrs<GlobalPool2DAttrs>().layout, 2)) {
    type.shape[axis] = 1;
  }
  return type;
}

Type adaptive_pool1d_type(const RuleCall& call) {
  return adaptive_pool_type<AdaptivePool1DAttrs>(call, 1);
}
Type adaptive_pool2d_type(const RuleCall& call) {
  return adaptive_pool_type<AdaptivePool2DAttrs>(call, 2);
}
Type adaptive_pool3d_type(const RuleCall& call) {
  return adaptive_pool_type<AdaptivePool3DAttrs>(call, 3);
}

}  // namespace tvmq::ir
