// Operators that join, cut and pick.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

void require_fields(const RuleCall& call, const TupleType& tuple) {
  if (tuple.fields.empty()) call.fail("the tuple is empty, expected at least one tensor");
  const TensorType& first = tuple.fields.front();
  for (const TensorType& each : tuple.fields) {
    if (each.dtype != first.dtype || each.shape.size() != first.shape.size()) {
      call.fail(fmt::format("tensors of {} and {}, expected the same dtype and rank",
                            to_string(first), to_string(each)));
    }
  }
}

/// One dimension of a concatenation that is not the joined one: the fields' common size. Open if
/// one field's is open, unless the joined dimension is open too and so is checked when it runs.
std::int64_t common_dim(const RuleCall& call, const TupleType& tuple, std::size_t axis,
                        bool joined_is_open) {
  std::int64_t known = kDynamicDim;
  bool open = false;
  for (const TensorType& each : tuple.fields) {
    const std::int64_t dim = each.shape[axis];
    if (!fits(dim, known)) {
      call.fail(fmt::format("tensors of {} and {} differ in dimension {}",
                            to_string(tuple.fields.front()), to_string(each), axis));
    }
    if (dim == kDynamicDim) {
      open = true;
    } else {
      known = dim;
    }
  }
  return open && !joined_is_open ? kDynamicDim : known;
}

/// Begin, end and step along one axis, all inside the data.
struct Range {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t step;
};

/// Counts negative positions from the end and cuts off what lies outside.
std::int64_t clamp_position(Wide position, std::int64_t extent, std::int64_t step) {
  if (position < 0) position += extent;
  const Wide low = step < 0 ? -1 : 0;
  const Wide high = step < 0 ? extent - 1 : extent;
  return static_cast<std::int64_t>(std::min(std::max(position, low), high));
}

std::int64_t sliced(const RuleCall& call, std::int64_t extent, const Range& range) {
  const std::int64_t begin = clamp_position(range.begin, extent, range.step);
  const std::int64_t end = clamp_position(range.end, extent, range.step);
  if (range.step < 0 ? end > begin : begin > end) {
    call.fail(fmt::format("begin {}, end {} and stride {} leave nothing of {} elements",
                          range.begin, range.end, range.step, extent));
  }
  const Wide length = range.step < 0 ? Wide{begin} - end : Wide{end} - begin;
  const Wide step = range.step < 0 ? -Wide{range.step} : Wide{range.step};
  return call.dim((length + step - 1) / step, "slice");
}

std::int64_t at_or(const IntList& list, std::size_t index, std::int64_t otherwise) {
  return index < list.size() ? list[index] : otherwise;
}

/// The range of entry `i` of the attributes; lists that are too short go on with the whole axis.
Range slice_range(const RuleCall& call, const StridedSliceAttrs& attrs, std::size_t i) {
  constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();
  const std::int64_t stride = at_or(*attrs.strides, i, 1);
  if (stride == 0) call.fail("a stride is 0");
  const bool by_size = attrs.slice_mode == "size";
  const std::int64_t step = by_size ? 1 : stride;
  const std::int64_t begin = at_or(*attrs.begin, i, stride > 0 ? 0 : kToTheEnd);
  std::int64_t end = at_or(*attrs.end, i, stride > 0 ? kToTheEnd : 0);
  if (by_size && i < attrs.end->size()) {
    // A negative size takes all that follows.
    if (end < 0 || __builtin_add_overflow(begin, end, &end)) end = kToTheEnd;
  }
  return {begin, end, step};
}

}  // namespace

Type concatenation(const RuleCall& call, std::int64_t axis_attribute) {
  const TupleType& tuple = call.tuple(0);
  require_fields(call, tuple);
  TensorType type = tuple.fields.front();
  const std::size_t axis = call.axis(axis_attribute, type.shape.size());
  std::int64_t joined = 0;
  for (const TensorType& each : tuple.fields) {
    const std::int64_t dim = each.shape[axis];
    const bool open = joined == kDynamicDim || dim == kDynamicDim;
    joined = open ? kDynamicDim : call.dim(Wide{joined} + dim, "concatenated size");
  }
  for (std::size_t i = 0; i < type.shape.size(); ++i) {
    type.shape[i] = i == axis ? joined : common_dim(call, tuple, i, joined == kDynamicDim);
  }
  return type;
}

Type concatenate_type(const RuleCall& call) {
  return concatenation(call, call.attrs<ConcatenateAttrs>().axis);
}

Type stack_type(const RuleCall& call) {
  const TupleType& tuple = call.tuple(0);
  require_fields(call, tuple);
  const OptionalInt axis_attribute = call.attrs<StackAttrs>().axis;
  if (!axis_attribute) call.fail("no axis is given, expected one");
  TensorType type = tuple.fields.front();
  for (std::size_t i = 0; i < type.shape.size(); ++i) {
    static_cast<void>(common_dim(call, tuple, i, true));
  }
  const std::size_t axis = call.axis(*axis_attribute, type.shape.size() + 1);
  type.shape.insert(type.shape.begin() + static_cast<std::ptrdiff_t>(axis),
                    static_cast<std::int64_t>(tuple.fields.size()));
  return type;
}

Type split_type(const RuleCall& call) {
  const auto& attrs = call.attrs<SplitAttrs>();
  const TensorType& data = call.tensor(0);
  const std::size_t axis = call.axis(attrs.axis, data.shape.size());
  const std::int64_t extent = data.shape[axis];
  TupleType result;
  const auto add = [&](std::int64_t size) {
    result.fields.push_back(data);
    result.fields.back().shape[axis] = size;
  };
  if (const auto* sections = std::get_if<std::int64_t>(&attrs.indices_or_sections)) {
    call.bounded(*sections, 1, kMaxResults, "number of sections");
    if (extent != kDynamicDim && extent % *sections != 0) {
      call.fail(
          fmt::format("{} elements cannot be split into {} equal sections", extent, *sections));
    }
    for (std::int64_t i = 0; i < *sections; ++i) {
      add(extent == kDynamicDim ? kDynamicDim : extent / *sections);
    }
    return result;
  }
  const auto& indices = std::get<IntList>(attrs.indices_or_sections);
  call.bounded(static_cast<std::int64_t>(indices.size()), 0, kMaxResults - 1, "number of indices");
  std::int64_t begin = 0;
  const std::int64_t high = extent == kDynamicDim ? kMaxExtent : extent - 1;
  for (const std::int64_t index : indices) {
    call.bounded(index, begin + 1, high, "an index of the ascending list");
    add(index - begin);
    begin = index;
  }
  add(extent == kDynamicDim ? kDynamicDim : extent - begin);
  return result;
}

Type strided_slice_type(const RuleCall& call) {
  const auto& attrs = call.attrs<StridedSliceAttrs>();
  TensorType type = call.tensor(0);
  const std::size_t rank = type.shape.size();
  if (!attrs.begin || !attrs.end || !attrs.strides) {
    call.fail("begin, end or strides is not given, expected all three");
  }
  if (attrs.slice_mode != "end" && attrs.slice_mode != "size") {
    call.fail(fmt::format("slice_mode is '{}', expected 'end' or 'size'", attrs.slice_mode));
  }
  const auto cut = [&](std::size_t axis, std::size_t entry) {
    const Range range = slice_range(call, attrs, entry);
    std::int64_t& extent = type.shape[axis];
    if (extent != kDynamicDim) extent = sliced(call, extent, range);
  };
  if (!attrs.axes) {
    const std::size_t longest =
        std::max({attrs.begin->size(), attrs.end->size(), attrs.strides->size()});
    if (longest > rank) {
      call.fail(fmt::format("{} slices of data of shape {}", longest, to_string(type.shape)));
    }
    for (std::size_t i = 0; i < rank; ++i) cut(i, i);
    return type;
  }
  const std::size_t count = attrs.axes->size();
  call.require_size(*attrs.begin, count, "begin");
  call.require_size(*attrs.end, count, "end");
  call.require_size(*attrs.strides, count, "strides");
  std::vector<bool> seen(rank, false);
  for (std::size_t i = 0; i < count; ++i) {
    const auto axis = static_cast<std::size_t>(
        call.bounded((*attrs.axes)[i], 0, static_cast<std::int64_t>(rank) - 1, "an axis"));
    if (seen[axis]) call.fail(fmt::format("axis {} is sliced twice", axis));
    seen[axis] = true;
    cut(axis, i);
  }
  return type;
}

Type take_type(const RuleCall& call) {
  const auto& attrs = call.attrs<TakeAttrs>();
  const TensorType& data = call.tensor(0);
  const TensorType& indices = call.tensor(1);
  if (!is_integer(indices.dtype)) {
    call.fail(fmt::format("indices are {}, expected integers", to_string(indices)));
  }
  if (attrs.mode != "clip" && attrs.mode != "wrap" && attrs.mode != "fast") {
    call.fail(fmt::format("mode is '{}', expected 'clip', 'wrap' or 'fast'", attrs.mode));
  }
  if (!attrs.axis) return TensorType{data.dtype, indices.shape};  // of the flattened data
  const auto axis = static_cast<std::ptrdiff_t>(call.axis(*attrs.axis, data.shape.size()));
  const auto index_rank = static_cast<std::int64_t>(indices.shape.size());
  std::int64_t batch = attrs.batch_dims.value_or(0);
  if (batch < 0) batch = call.bounded(batch, -index_rank, -1, "batch_dims") + index_rank;
  call.bounded(batch, 0, std::min<std::int64_t>(axis, index_rank), "batch_dims");
  // TVM does not compare them, and would read behind the indices.
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch); ++i) {
    if (!fits(indices.shape[i], data.shape[i])) {
      call.fail(fmt::format("indices are {} for data of {}, expected the same {} first dimensions",
                            to_string(indices), to_string(data), batch));
    }
  }
  Shape shape(data.shape.begin(), data.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin() + batch, indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + axis + 1, data.shape.end());
  return TensorType{data.dtype, std::move(shape)};
}

Type gather_type(const RuleCall& call) {
  const OptionalInt axis_attribute = call.attrs<GatherAttrs>().axis;
  const TensorType& data = call.tensor(0);
  const TensorType& indices = call.tensor(1);
  if (!axis_attribute) call.fail("no axis is given, expected one");
  const std::size_t axis = call.axis(*axis_attribute, data.shape.size());
  bool same = is_integer(indices.dtype) && indices.shape.size() == data.shape.size();
  for (std::size_t i = 0; same && i < data.shape.size(); ++i) {
    same = i == axis ? indices.shape[i] != 0 : fits(indices.shape[i], data.shape[i]);
  }
  if (!same) {
    call.fail(
        fmt::format("indices are {} for data of {}, expected integers, not none, and the "
                    "same shape apart from axis {}",
                    to_string(indices), to_string(data), axis));
  }
  return TensorType{data.dtype, indices.shape};
}

Type one_hot_type(const RuleCall& call) {
  const auto& attrs = call.attrs<OneHotAttrs>();
  for (const std::size_t value : {1, 2}) call.require_scalar(value);
  TensorType type = call.tensor(0);
  const auto rank = static_cast<std::int64_t>(type.shape.size());
  const std::int64_t axis = attrs.axis == -1 ? rank : call.bounded(attrs.axis, 0, rank, "axis");
  type.shape.insert(type.shape.begin() + axis, call.bounded(attrs.depth, 1, kMaxExtent, "depth"));
  type.dtype = attrs.dtype;
  return type;
}

}  // namespace tvmq::ir
