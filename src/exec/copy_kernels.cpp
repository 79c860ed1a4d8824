#include "exec/copy_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "exec/strided_copy.h"
#include "ir/layout.h"

namespace tvmq::exec {
namespace {

using ir::Node;
using ir::Op;

std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> strides(sizes.size(), 1);
  for (std::size_t d = sizes.size(); d-- > 1;) strides[d - 1] = strides[d] * sizes[d];
  return strides;
}

/// What one number per dimension (a start, a length) becomes in a view.
class ViewMaker {
 public:
  explicit ViewMaker(MemoryLayout layout, bool whole_channels = false)
      : layout_(layout), last_(whole_channels) {}

  /// Nothing if the channels of `shape` are not whole blocks. Channels last is recognised when
  /// `block` equals the number of channels of the largest value, so it is passed as `last`.
  std::optional<View> view(const ir::Shape& shape) const {
    if (layout_.plain()) return View{shape, row_major(shape)};
    const auto axis = static_cast<std::size_t>(layout_.channel_axis);
    if (last_) {
      std::vector<std::int64_t> moved = shape;
      moved.erase(moved.begin() + layout_.channel_axis);
      moved.push_back(shape[axis]);
      std::vector<std::int64_t> strides = row_major(moved);
      const std::int64_t lane = strides.back();
      strides.pop_back();
      strides.insert(strides.begin() + layout_.channel_axis, lane);
      return View{shape, strides};
    }
    if (shape[axis] % layout_.block != 0) return std::nullopt;
    const LayoutLoops loops = layout_loops(shape, layout_);
    View result{shape, std::vector<std::int64_t>(shape.size(), 0)};
    result.sizes[axis] = loops.blocks();
    std::int64_t stride = layout_.block;
    for (std::size_t d = shape.size(); d-- > 1;) {
      if (d == axis) continue;
      result.strides[d] = stride;
      stride *= shape[d];
    }
    result.strides[axis] = stride;
    result.strides[0] = stride * loops.blocks();
    result.sizes.push_back(layout_.block);
    result.strides.push_back(1);
    return result;
  }

  bool blocked() const { return !layout_.plain() && !last_; }
  std::size_t channel_axis() const { return static_cast<std::size_t>(layout_.channel_axis); }
  std::int64_t block() const { return layout_.block; }

 private:
  MemoryLayout layout_;
  bool last_;
};

/// `view` moved by `start` and with steps, along one dimension. False if that cuts a block.
bool move_view(View& view, const ViewMaker& maker, std::size_t dimension, std::int64_t start,
               std::int64_t step, std::int64_t length) {
  if (maker.blocked() && dimension == maker.channel_axis()) {
    if (start % maker.block() != 0 || length % maker.block() != 0 || step != 1) return false;
    start /= maker.block();
    length /= maker.block();
  }
  view.offset += start * view.strides[dimension];
  view.strides[dimension] *= step;
  view.sizes[dimension] = length;
  return true;
}

struct Copies {
  std::vector<Copy> list;
  ir::Tensor fill;
};
using MaybeCopies = std::optional<Copies>;

std::size_t positive_axis(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

MaybeCopies concatenate(const LiveValues& live, const Call& call, std::size_t axis,
                        const ViewMaker& maker) {
  Copies copies;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    const ir::Shape& shape = live.type(call.inputs[i]).shape;
    auto from = maker.view(shape);
    auto to = maker.view(live.type(call.outputs[0]).shape);
    if (!from || !to || !move_view(*to, maker, axis, start, 1, shape[axis])) return std::nullopt;
    to->sizes = from->sizes;
    copies.list.push_back({.input = i, .from = *from, .to = *to});
    start += shape[axis];
  }
  return copies;
}

MaybeCopies split(const LiveValues& live, const Call& call, std::size_t axis,
                  const ViewMaker& maker) {
  Copies copies;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < call.outputs.size(); ++i) {
    const ir::Shape& shape = live.type(call.outputs[i]).shape;
    auto to = maker.view(shape);
    auto from = maker.view(live.type(call.inputs[0]).shape);
    if (!from || !to || !move_view(*from, maker, axis, start, 1, shape[axis])) return std::nullopt;
    copies.list.push_back({.output = i, .from = *from, .to = *to});
    start += shape[axis];
  }
  return copies;
}

/// strided_slice with constant attributes; the length of every dimension is the result's.
MaybeCopies strided_slice(const LiveValues& live, const Call& call,
                          const ir::StridedSliceAttrs& attrs, const ViewMaker& maker) {
  const ir::Shape& source = live.type(call.inputs[0]).shape;
  const ir::Shape& result = live.type(call.outputs[0]).shape;
  auto from = maker.view(source);
  auto to = maker.view(result);
  if (!from || !to || !attrs.begin || call.inputs.size() != 1) return std::nullopt;
  const std::size_t strides = attrs.strides ? attrs.strides->size() : 0;
  if (strides > attrs.begin->size()) return std::nullopt;
  for (std::size_t i = 0; i < attrs.begin->size(); ++i) {
    const std::size_t axis = attrs.axes ? positive_axis(attrs.axes->at(i), source.size()) : i;
    if (axis >= source.size()) return std::nullopt;
    const std::int64_t step = attrs.slice_mode == "end" && i < strides ? (*attrs.strides)[i] : 1;
    std::int64_t begin = (*attrs.begin)[i];
    if (step < 1) return std::nullopt;
    if (begin < 0) begin += source[axis];
    begin = std::clamp<std::int64_t>(begin, 0, source[axis]);
    if (result[axis] > 0 && begin + (result[axis] - 1) * step >= source[axis]) return std::nullopt;
    if (!move_view(*from, maker, axis, begin, step, result[axis])) return std::nullopt;
  }
  from->sizes = to->sizes;
  return Copies{.list = {{.from = *from, .to = *to}}, .fill = {}};
}

MaybeCopies transpose(const LiveValues& live, const Call& call, const ir::TransposeAttrs& attrs) {
  const ir::Shape& source = live.type(call.inputs[0]).shape;
  const ir::Shape& result = live.type(call.outputs[0]).shape;
  const auto own = row_major(source);
  View from{.sizes = result, .strides = {}};
  for (std::size_t d = 0; d < result.size(); ++d) {
    const bool reversed = !attrs.axes || attrs.axes->empty();
    const std::size_t axis =
        reversed ? result.size() - 1 - d : positive_axis(attrs.axes->at(d), result.size());
    from.strides.push_back(own.at(axis));
  }
  return Copies{.list = {{.from = from, .to = {result, row_major(result)}}}, .fill = {}};
}

MaybeCopies pad(const LiveValues& live, const Call& call, const ir::PadAttrs& attrs,
                const ViewMaker& maker) {
  const Value& value = live[call.inputs[1]];
  const ir::Shape& source = live.type(call.inputs[0]).shape;
  const ir::TensorType& result = live.type(call.outputs[0]);
  auto from = maker.view(source);
  auto to = maker.view(result.shape);
  if (attrs.pad_mode != "constant" || !value.is_constant() || value.constant.size() != 1 || !from ||
      !to) {
    return std::nullopt;
  }
  ir::Tensor fill = value.constant;
  if (fill.dtype() != result.dtype) {  // a zero is a zero in any dtype
    const std::span<const std::byte> bytes(fill.bytes(), fill.byte_size());
    if (std::ranges::any_of(bytes, [](std::byte b) { return b != std::byte{0}; })) return {};
    fill = ir::Tensor::zeros(result.dtype, {});
  }
  for (std::size_t d = 0; d < source.size(); ++d) {
    const ir::IntList& width = attrs.pad_width.at(d);
    if (width.size() != 2 || width[0] < 0 || width[1] < 0) return std::nullopt;
    if (!move_view(*to, maker, d, width[0], 1, source[d])) return std::nullopt;
  }
  return Copies{.list = {{.from = *from, .to = *to}}, .fill = std::move(fill)};
}

/// Every pixel becomes a block of equal ones.
MaybeCopies enlarge(const LiveValues& live, const Call& call, std::string_view layout_text,
                    const ViewMaker& maker) {
  const ir::Shape& source = live.type(call.inputs[0]).shape;
  const ir::Shape& result = live.type(call.outputs[0]).shape;
  const auto layout = ir::Layout::parse(layout_text);
  auto from = maker.view(source);
  auto to = maker.view(result);
  if (!layout || layout->rank() != source.size() || !from || !to) return std::nullopt;
  View wide_from{.sizes = {}, .strides = {}};
  View wide_to{.sizes = {}, .strides = {}};
  for (std::size_t d = 0; d < from->sizes.size(); ++d) {
    const bool has_factor = d < source.size() && result[d] != source[d];
    if (has_factor && (source[d] == 0 || result[d] % source[d] != 0)) return std::nullopt;
    const std::int64_t factor = has_factor ? result[d] / source[d] : 1;
    wide_from.sizes.insert(wide_from.sizes.end(), {from->sizes[d], factor});
    wide_from.strides.insert(wide_from.strides.end(), {from->strides[d], 0});
    wide_to.strides.insert(wide_to.strides.end(), {to->strides[d] * factor, to->strides[d]});
  }
  wide_to.sizes = wide_from.sizes;
  return Copies{.list = {{.from = wide_from, .to = wide_to}}, .fill = {}};
}

/// Whether nearest-neighbour resizing by whole factors copies pixel i to i * factor and the next
/// ones.
bool repeats_pixels(const ir::Resize2DAttrs& attrs) {
  return attrs.method == "nearest_neighbor" &&
         attrs.coordinate_transformation_mode == "asymmetric" && attrs.rounding_method == "floor";
}

MaybeCopies copies_of(const ir::Graph& graph, const LiveValues& live, const Call& call,
                      const ViewMaker& maker) {
  const Node& node = graph[call.node];
  const std::size_t rank = live.type(call.inputs[0]).shape.size();
  switch (node.op) {
    case Op::kConcatenate:
      return concatenate(live, call,
                         positive_axis(node.attrs_as<ir::ConcatenateAttrs>().axis, rank), maker);
    case Op::kSplit:
      return split(live, call, positive_axis(node.attrs_as<ir::SplitAttrs>().axis, rank), maker);
    case Op::kStridedSlice:
      return strided_slice(live, call, node.attrs_as<ir::StridedSliceAttrs>(), maker);
    case Op::kPad:
      return pad(live, call, node.attrs_as<ir::PadAttrs>(), maker);
    case Op::kTranspose:
      if (maker.blocked()) return std::nullopt;
      return transpose(live, call, node.attrs_as<ir::TransposeAttrs>());
    case Op::kUpsampling: {
      const auto& attrs = node.attrs_as<ir::UpSamplingAttrs>();
      if (attrs.method != "nearest_neighbor" || attrs.align_corners) return std::nullopt;
      return enlarge(live, call, attrs.layout, maker);
    }
    case Op::kResize2D: {
      const auto& attrs = node.attrs_as<ir::Resize2DAttrs>();
      if (!repeats_pixels(attrs)) return std::nullopt;
      return enlarge(live, call, attrs.layout, maker);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

FastKernelChoice make_copy_kernel(const ir::Graph& graph, const LiveValues& live, const Call& call,
                                  MemoryLayout preferred) {
  if (call.inputs.empty()) return std::string("no fast kernel for this operator");
  const ir::TensorType& first = live.type(call.inputs[0]);
  const std::size_t size = ir::dtype_size(first.dtype);
  for (const ValueId output : call.outputs) {
    if (live.type(output).dtype != first.dtype) return std::string("a change of the dtype");
  }
  const bool last =
      !preferred.plain() &&
      preferred.block == first.shape[static_cast<std::size_t>(preferred.channel_axis)];
  MemoryLayout layout = preferred;
  std::optional<Copies> copies;
  const Op op = graph[call.node].op;
  if (!preferred.plain() && op != Op::kTranspose) {
    copies = copies_of(graph, live, call, ViewMaker(preferred, last));
  }
  if (!copies) {
    layout = {};
    copies = copies_of(graph, live, call, ViewMaker({}));
  }
  if (!copies) return std::string("no fast kernel for this operator or this form of it");
  const auto layout_of = [&](ValueId value) {
    MemoryLayout mine = layout;
    const ir::Shape& shape = live.type(value).shape;
    if (!mine.plain() && last) mine.block = shape[static_cast<std::size_t>(mine.channel_axis)];
    return normalized(mine, shape);
  };
  SelectedKernel selected;
  const std::size_t inputs = op == Op::kPad ? 1 : call.inputs.size();
  for (std::size_t i = 0; i < inputs; ++i) selected.inputs.push_back(layout_of(call.inputs[i]));
  for (const ValueId output : call.outputs) selected.outputs.push_back(layout_of(output));
  const std::int64_t filled =
      copies->fill.empty() ? 0
                           : stored_elements(live.type(call.outputs[0]).shape, selected.outputs[0]);
  selected.kernel = make_strided_copy(copies->list, size, copies->fill, filled);
  return selected;
}

FastKernelChoice make_layout_copy(const ir::TensorType& type, MemoryLayout from, MemoryLayout to) {
  // Through the dimensions that both views have: the channels split by the finer layout.
  const auto axis = static_cast<std::size_t>(from.plain() ? to.channel_axis : from.channel_axis);
  const std::int64_t channels = type.shape[axis];
  const auto view = [&](MemoryLayout layout) {
    return ViewMaker(layout, layout.block == channels).view(type.shape);
  };
  auto source = view(from);
  auto target = view(to);
  if (!source || !target) return std::string("channels that do not fill their blocks");
  std::int64_t block = channels;
  for (const View* each : {&*source, &*target}) {
    if (each->sizes.size() > type.shape.size()) block = std::min(block, each->sizes.back());
  }
  for (View* each : {&*source, &*target}) {
    const bool split = each->sizes.size() > type.shape.size();
    if (split && each->sizes.back() != block) return std::string("two different blocks");
    if (split) continue;
    each->sizes[axis] = channels / block;
    each->sizes.push_back(block);
    each->strides.push_back(each->strides[axis]);
    each->strides[axis] *= block;
  }
  SelectedKernel selected;
  selected.inputs = {from};
  selected.outputs = {to};
  selected.kernel =
      make_strided_copy({{.from = *source, .to = *target}}, ir::dtype_size(type.dtype));
  return selected;
}

}  // namespace tvmq::exec
