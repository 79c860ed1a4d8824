// Operators that only rearrange elements: each is one view per operand (reference_strided.h).
#include <algorithm>
#include <string>
#include <utility>

#include "exec/reference_kernel.h"
#include "exec/reference_strided.h"
#include "ir/layout.h"

namespace tvmq::exec {
namespace {

using ir::Shape;
using ir::Tensor;

std::vector<std::size_t> identity_order(std::size_t rank) {
  std::vector<std::size_t> order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = i;
  return order;
}

/// Copies `part` into `result` where dimension `axis` starts at `offset`.
void place(Tensor& result, const Tensor& part, std::size_t axis, std::int64_t offset) {
  StridedView target = whole(result.shape());
  target.start = offset * target.steps.at(axis);
  target.sizes = part.shape();
  copy_view(result, target, part, whole(part.shape()));
}

/// The elements of operand 0 under `view`, as the result's shape.
Values viewed(const KernelCall& call, const StridedView& view) {
  return {gather_view(call.operand(0), view, call.result().shape)};
}

ir::Layout parse_layout(const KernelCall& call, const std::string& text) {
  auto layout = ir::Layout::parse(text);
  if (!layout.has_value()) call.refuse("'" + text + "' is not a layout");
  return *std::move(layout);
}

/// The index of a dimension is the sum of position * weight over its axes: in NCHW4c the axis C has
/// the weight 4 and the axis c the weight 1.
std::int64_t weight_of(const ir::Layout& layout, std::size_t axis) {
  std::int64_t weight = 1;
  for (std::size_t i = axis + 1; i < layout.rank(); ++i) {
    if (layout.axes()[i].dimension == layout.axes()[axis].dimension) {
      weight *= std::max<std::int64_t>(layout.axes()[i].block, 1);
    }
  }
  return weight;
}

}  // namespace

Values same_elements(const KernelCall& call) {
  if (std::holds_alternative<ir::TupleType>(call.type)) return call.operands[0];
  return {call.operand(0).reshaped(call.result().shape)};
}

Values transpose(const KernelCall& call) {
  const auto& axes = call.attrs<ir::TransposeAttrs>().axes;
  const Tensor& operand = call.operand(0);
  std::vector<std::size_t> order = identity_order(operand.shape().size());
  if (axes.has_value() && !axes->empty()) {
    check(axes->size() == order.size(), "one axis per dimension");
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = real_axis((*axes)[i], operand.rank());
  } else {
    std::ranges::reverse(order);
  }
  return {permute(operand, order)};
}

Values broadcast_to(const KernelCall& call) {
  const Shape& from = call.operand(0).shape();
  const Shape& to = call.result().shape;
  check(from.size() <= to.size(), "a broadcast keeps the dimensions");
  StridedView view{.start = 0, .sizes = to, .steps = std::vector<std::int64_t>(to.size(), 0)};
  const std::vector<std::int64_t> steps = row_major_steps(from);
  const std::size_t added = to.size() - from.size();
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (from[axis] == to[added + axis]) view.steps[added + axis] = steps[axis];
  }
  return viewed(call, view);
}

Values concatenate(const KernelCall& call) {
  Tensor result = call.new_result();
  const std::size_t axis = real_axis(call.attrs<ir::ConcatenateAttrs>().axis, result.rank());
  std::int64_t offset = 0;
  for (const Tensor& part : call.operands[0]) {
    place(result, part, axis, offset);
    offset += part.shape().at(axis);
  }
  check(offset == result.shape()[axis], "the parts fill the result");
  return {std::move(result)};
}

Values stack(const KernelCall& call) {
  Tensor result = call.new_result();
  const std::size_t axis = real_axis(call.attrs<ir::StackAttrs>().axis.value_or(0), result.rank());
  std::int64_t offset = 0;
  for (const Tensor& part : call.operands[0]) {
    Shape shape = part.shape();
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    place(result, part.reshaped(std::move(shape)), axis, offset++);
  }
  check(offset == result.shape()[axis], "the parts fill the result");
  return {std::move(result)};
}

Values split(const KernelCall& call) {
  const Tensor& operand = call.operand(0);
  const std::size_t axis = real_axis(call.attrs<ir::SplitAttrs>().axis, operand.rank());
  Values parts;
  std::int64_t offset = 0;
  for (const ir::TensorType& type : std::get<ir::TupleType>(call.type).fields) {
    StridedView view = whole(operand.shape());
    view.start = offset * view.steps[axis];
    view.sizes = type.shape;
    parts.push_back(gather_view(operand, view, type.shape));
    offset += type.shape.at(axis);
  }
  return parts;
}

Values strided_slice(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::StridedSliceAttrs>();
  if (!attrs.begin.has_value()) call.refuse("slices with computed bounds are not supported");
  const Tensor& operand = call.operand(0);
  StridedView view = whole(operand.shape());
  // Lists that are too short go on with the whole axis (ir/type_rules_slice.cpp).
  const std::size_t strides = attrs.strides.has_value() ? attrs.strides->size() : 0;
  for (std::size_t i = 0; i < std::max(attrs.begin->size(), strides); ++i) {
    const std::int64_t named =
        attrs.axes.has_value() ? attrs.axes->at(i) : static_cast<std::int64_t>(i);
    const std::size_t axis = real_axis(named, operand.rank());
    const std::int64_t size = operand.shape()[axis];
    const std::int64_t step = attrs.slice_mode == "end" && i < strides ? attrs.strides->at(i) : 1;
    const std::int64_t whole_axis = step < 0 ? size - 1 : 0;
    std::int64_t begin = i < attrs.begin->size() ? (*attrs.begin)[i] : whole_axis;
    if (begin < 0) begin += size;
    begin = step < 0 ? std::clamp<std::int64_t>(begin, -1, size - 1)
                     : std::clamp<std::int64_t>(begin, 0, size);
    view.start += begin * view.steps[axis];
    view.steps[axis] *= step;
  }
  view.sizes = call.result().shape;
  return viewed(call, view);
}

Values reverse(const KernelCall& call) {
  const Tensor& operand = call.operand(0);
  const std::size_t axis =
      real_axis(call.attrs<ir::ReverseAttrs>().axis.value_or(0), operand.rank());
  StridedView view = whole(operand.shape());
  view.start = std::max<std::int64_t>(view.sizes[axis] - 1, 0) * view.steps[axis];
  view.steps[axis] = -view.steps[axis];
  return viewed(call, view);
}

Values repeat(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::RepeatAttrs>();
  const std::size_t axis = real_axis(attrs.axis.value_or(0), call.operand(0).rank());
  StridedView view = whole(call.operand(0).shape());
  const auto behind = static_cast<std::ptrdiff_t>(axis) + 1;
  view.sizes.insert(view.sizes.begin() + behind, attrs.repeats.value_or(1));
  view.steps.insert(view.steps.begin() + behind, 0);
  return viewed(call, view);
}

Values tile(const KernelCall& call) {
  // Each dimension becomes (repetitions, size); the shorter of shape and reps is filled with 1.
  const ir::IntList reps = call.attrs<ir::TileAttrs>().reps.value_or(ir::IntList{});
  const StridedView operand = whole(call.operand(0).shape());
  const std::size_t rank = std::max(reps.size(), operand.sizes.size());
  StridedView view;
  for (std::size_t i = 0; i < rank; ++i) {
    const bool has_rep = i + reps.size() >= rank;
    const bool has_dim = i + operand.sizes.size() >= rank;
    view.sizes.push_back(has_rep ? reps[i + reps.size() - rank] : 1);
    view.steps.push_back(0);
    if (!has_dim) continue;
    view.sizes.push_back(operand.sizes[i + operand.sizes.size() - rank]);
    view.steps.push_back(operand.steps[i + operand.sizes.size() - rank]);
  }
  return viewed(call, view);
}

Values depth_to_space(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::SubPixelAttrs>();
  const Tensor& operand = call.operand(0);
  const std::int64_t block = attrs.block_size;
  const Shape& shape = operand.shape();
  const bool rows_first = attrs.mode == "DCR";
  if (attrs.layout == "NCHW") {
    const std::int64_t channels = shape.at(1) / (block * block);
    const Shape split = rows_first ? Shape{shape[0], block, block, channels, shape[2], shape[3]}
                                   : Shape{shape[0], channels, block, block, shape[2], shape[3]};
    const auto order = rows_first ? std::vector<std::size_t>{0, 3, 4, 1, 5, 2}
                                  : std::vector<std::size_t>{0, 1, 4, 2, 5, 3};
    return viewed(call, permuted(whole(split), order));
  }
  if (attrs.layout != "NHWC") call.refuse("layout '" + attrs.layout + "': NCHW or NHWC expected");
  const std::int64_t channels = shape.at(3) / (block * block);
  const Shape split = rows_first ? Shape{shape[0], shape[1], shape[2], block, block, channels}
                                 : Shape{shape[0], shape[1], shape[2], channels, block, block};
  const auto order = rows_first ? std::vector<std::size_t>{0, 1, 3, 2, 4, 5}
                                : std::vector<std::size_t>{0, 1, 4, 2, 5, 3};
  return viewed(call, permuted(whole(split), order));
}

Values space_to_depth(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::SubPixelAttrs>();
  const Shape& shape = call.operand(0).shape();
  const std::int64_t block = attrs.block_size;
  check(block > 0, "the block size is positive");
  if (attrs.layout == "NCHW") {
    const Shape split{shape.at(0), shape[1], shape[2] / block, block, shape[3] / block, block};
    return viewed(call, permuted(whole(split), {0, 3, 5, 1, 2, 4}));
  }
  if (attrs.layout != "NHWC") call.refuse("layout '" + attrs.layout + "': NCHW or NHWC expected");
  const Shape split{shape.at(0), shape[1] / block, block, shape[2] / block, block, shape[3]};
  return viewed(call, permuted(whole(split), {0, 1, 3, 2, 4, 5}));
}

Values layout_transform(const KernelCall& call) {
  // Every axis of the new layout is walked through axes of the old one of the same dimension. That
  // is possible when one block size divides the other.
  const auto& attrs = call.attrs<ir::LayoutTransformAttrs>();
  const ir::Layout source = parse_layout(call, attrs.src_layout);
  const ir::Layout target = parse_layout(call, attrs.dst_layout);
  const Shape& from = call.operand(0).shape();
  const Shape& to = call.result().shape;
  check(source.rank() == from.size() && target.rank() == to.size(), "one axis per dimension");
  const std::vector<std::int64_t> steps = row_major_steps(from);
  StridedView view;
  for (std::size_t i = 0; i < target.rank(); ++i) {
    std::int64_t size = to[i];
    std::int64_t moves = weight_of(target, i);  // of the dimension's index, per position
    StridedView parts;                          // outermost first, found innermost first
    for (std::size_t j = source.rank(); j > 0 && size > 1; --j) {
      if (source.axes()[j - 1].dimension != target.axes()[i].dimension) continue;
      const std::int64_t weight = weight_of(source, j - 1);
      if (moves >= weight * from[j - 1]) continue;
      const std::int64_t positions =
          moves % weight == 0 ? std::min(size, from[j - 1] / (moves / weight)) : 0;
      if (positions == 0 || size % positions != 0) {
        call.refuse("the layouts '" + attrs.src_layout + "' and '" + attrs.dst_layout +
                    "' split a dimension of " + ir::to_string(from) + " differently");
      }
      parts.sizes.insert(parts.sizes.begin(), positions);
      parts.steps.insert(parts.steps.begin(), moves / weight * steps[j - 1]);
      size /= positions;
      moves *= positions;
    }
    if (size > 1) call.refuse("the new layout has more elements than the old one");
    if (parts.sizes.empty()) parts = {.start = 0, .sizes = {to[i]}, .steps = {0}};
    view.sizes.insert(view.sizes.end(), parts.sizes.begin(), parts.sizes.end());
    view.steps.insert(view.steps.end(), parts.steps.begin(), parts.steps.end());
  }
  return viewed(call, view);
}

}  // namespace tvmq::exec
