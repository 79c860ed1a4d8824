#include <fmt/format.h>

#include <algorithm>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

/// The number of elements of the dimensions that `skip` does not mark; kDynamicDim if one is open.
std::int64_t product(const RuleCall& call, const Shape& shape, const std::vector<bool>& skip) {
  std::int64_t count = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (skip[i]) continue;
    if (shape[i] == kDynamicDim) return kDynamicDim;
    count = call.dim(Wide{count} * shape[i], "number of elements");
  }
  return count;
}

/// TVM's reshape, whose new shape may hold special values: 0 copies the dimension of the input in
/// its place, -1 is what remains, -2 copies all dimensions that follow, -3 merges two, -4 splits
/// one into the two that follow it. Dimensions taken over one to one do not count for -1.
class Reshape {
 public:
  explicit Reshape(const RuleCall& call)
      : call_(call),
        source_(call.tensor(0).shape),
        used_source_(source_.size(), false),
        attrs_(call.attrs<ReshapeAttrs>()) {}

  Shape result() {
    const IntList& wanted = attrs_.newshape;
    for (next_ = 0; next_ < wanted.size(); ++next_) take(wanted[next_]);
    if (inferred_) infer();
    return std::move(result_);
  }

 private:
  void take(std::int64_t value) {
    switch (value) {
      case 0:
        if (attrs_.allowzero) {
          ++position_;
          return put(0, false);
        }
        return put(take_source(), true);
      case -1:
        if (inferred_) call_.fail("two dimensions of newshape are -1, expected at most one");
        inferred_ = result_.size();
        ++position_;
        return put(1, false);
      case -2:
        while (position_ < source_.size()) put(take_source(), true);
        return;
      case -3: {
        const std::int64_t first = take_source();
        const std::int64_t second = take_source();
        const bool open = first == kDynamicDim || second == kDynamicDim;
        return put(open ? kDynamicDim : call_.dim(Wide{first} * second, "merged dimension"), true);
      }
      case -4:
        return split();
      default:
        ++position_;
        return put(call_.bounded(value, 1, kMaxExtent, "a value of newshape"), false);
    }
  }

  void split() {
    const IntList& wanted = attrs_.newshape;
    if (next_ + 2 >= wanted.size()) call_.fail("-4 in newshape is not followed by two dimensions");
    const std::int64_t source = take_source();
    std::int64_t left = wanted[++next_];
    std::int64_t right = wanted[++next_];
    if (left == -1 && right == -1) call_.fail("both dimensions after -4 are -1, expected one");
    const auto rest_of = [&](std::int64_t known) {
      call_.bounded(known, 1, kMaxExtent, "a dimension after -4");
      return source == kDynamicDim ? kDynamicDim : source / known;
    };
    if (left == -1) {
      left = rest_of(right);
    } else if (right == -1) {
      right = rest_of(left);
    } else {
      call_.bounded(left, 0, kMaxExtent, "a dimension after -4");
      call_.bounded(right, 0, kMaxExtent, "a dimension after -4");
    }
    put(left, true);
    put(right, true);
  }

  std::int64_t take_source() {
    if (position_ >= source_.size()) {
      call_.fail(fmt::format("newshape refers to dimension {} of data of shape {}", position_,
                             to_string(source_)));
    }
    used_source_[position_] = true;
    return source_[position_++];
  }

  void put(std::int64_t dim, bool from_source) {
    result_.push_back(dim);
    used_result_.push_back(from_source);
  }

  void infer() {
    const std::int64_t rest = product(call_, source_, used_source_);
    const std::int64_t known = product(call_, result_, used_result_);
    if (rest == kDynamicDim || known == kDynamicDim) {
      result_[*inferred_] = kDynamicDim;
      return;
    }
    if (known == 0) call_.fail("-1 in newshape cannot be found beside a dimension of 0");
    result_[*inferred_] = rest / known;  // what does not divide is found by the caller
  }

  const RuleCall& call_;
  const Shape& source_;
  std::vector<bool> used_source_;
  const ReshapeAttrs& attrs_;
  std::size_t next_ = 0;      ///< in newshape
  std::size_t position_ = 0;  ///< in the source
  Shape result_;
  std::vector<bool> used_result_;
  std::optional<std::size_t> inferred_;
};

Shape given_shape(const RuleCall& call) {
  const OptionalIntList& shape = call.attrs<InitOpAttrs>().shape;
  if (!shape) call.fail("no shape is given, expected one");
  for (const std::int64_t dim : *shape) call.bounded(dim, 0, kMaxExtent, "a dimension");
  return *shape;
}

}  // namespace

Type reshape_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  const Shape shape = Reshape(call).result();
  const std::int64_t before = product(call, data.shape, std::vector<bool>(data.shape.size()));
  const std::int64_t after = product(call, shape, std::vector<bool>(shape.size()));
  if (!fits(before, after)) {
    call.fail(fmt::format("shape {} cannot become {}: {} elements against {}",
                          to_string(data.shape), to_string(shape), before, after));
  }
  return TensorType{data.dtype, shape};
}

Type batch_flatten_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  if (data.shape.empty()) return {};
  std::vector<bool> skip(data.shape.size(), false);
  skip[0] = true;
  return TensorType{data.dtype, {data.shape[0], product(call, data.shape, skip)}};
}

Type transpose_type(const RuleCall& call) {
  TensorType type = call.tensor(0);
  const OptionalIntList& axes = call.attrs<TransposeAttrs>().axes;
  if (!axes) {
    std::reverse(type.shape.begin(), type.shape.end());
    return type;
  }
  call.require_size(*axes, type.shape.size(), "axes");
  const Shape source = type.shape;
  const auto order = call.distinct_axes(*axes, source.size(), "occurs twice in axes");
  for (std::size_t i = 0; i < source.size(); ++i) type.shape[i] = source[order[i]];
  return type;
}

Type squeeze_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  const OptionalIntList& axes = call.attrs<SqueezeAttrs>().axis;
  std::vector<bool> removed(data.shape.size(), false);
  if (axes) {
    for (const std::int64_t each : *axes) {
      const std::size_t axis = call.axis(each, data.shape.size());
      if (!fits(data.shape[axis], 1)) {
        call.fail(fmt::format("axis {} of {} has {} elements, only 1 can be squeezed", axis,
                              to_string(data), data.shape[axis]));
      }
      removed[axis] = true;
    }
  }
  Shape shape;
  for (std::size_t i = 0; i < data.shape.size(); ++i) {
    if (!axes && data.shape[i] == kDynamicDim) return {};  // 1 or not: not even the rank is known
    if (axes ? !removed[i] : data.shape[i] != 1) shape.push_back(data.shape[i]);
  }
  return TensorType{data.dtype, std::move(shape)};
}

Type expand_dims_type(const RuleCall& call) {
  const auto& attrs = call.attrs<ExpandDimsAttrs>();
  TensorType type = call.tensor(0);
  const std::size_t axis = call.axis(attrs.axis, type.shape.size() + 1);
  const std::int64_t count =
      call.bounded(attrs.num_newaxis, 0, static_cast<std::int64_t>(kMaxRank), "num_newaxis");
  type.shape.insert(type.shape.begin() + static_cast<std::ptrdiff_t>(axis),
                    static_cast<std::size_t>(count), 1);
  return type;
}

Type repeat_type(const RuleCall& call) {
  const auto& attrs = call.attrs<RepeatAttrs>();
  if (!attrs.repeats || !attrs.axis) call.fail("repeats or axis is not given, expected both");
  TensorType type = call.tensor(0);
  std::int64_t& extent = type.shape[call.axis(*attrs.axis, type.shape.size())];
  const std::int64_t repeats = call.bounded(*attrs.repeats, 1, kMaxExtent, "repeats");
  if (extent != kDynamicDim) extent = call.dim(Wide{extent} * repeats, "repeated size");
  return type;
}

Type tile_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  const OptionalIntList& reps = call.attrs<TileAttrs>().reps;
  if (!reps) call.fail("no reps are given, expected one per dimension");
  const std::size_t rank = std::max(reps->size(), data.shape.size());
  Shape shape(rank, 1);
  std::copy(data.shape.rbegin(), data.shape.rend(), shape.rbegin());
  for (std::size_t i = 0; i < reps->size(); ++i) {
    std::int64_t& extent = shape[rank - reps->size() + i];
    const std::int64_t times = call.bounded((*reps)[i], 1, kMaxExtent, "reps");
    if (extent != kDynamicDim) extent = call.dim(Wide{extent} * times, "tiled size");
  }
  return TensorType{data.dtype, std::move(shape)};
}

Type broadcast_to_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  const Shape shape = given_shape(call);
  if (broadcast(call, data.shape, shape) != shape) {
    call.fail(
        fmt::format("shape {} cannot be broadcast to {}", to_string(data.shape), to_string(shape)));
  }
  return TensorType{data.dtype, shape};
}

Type broadcast_to_like_type(const RuleCall& call) {
  const TensorType& data = call.tensor(0);
  const TensorType& like = call.tensor(1);
  if (data.dtype != like.dtype) {
    call.fail(fmt::format("operands are {} and {}, expected the same dtype", to_string(data),
                          to_string(like)));
  }
  const Shape shape = broadcast(call, data.shape, like.shape);
  const bool grows = shape.size() != like.shape.size() ||
                     !std::equal(shape.begin(), shape.end(), like.shape.begin(), fits);
  if (grows) {
    call.fail(fmt::format("shape {} cannot be broadcast to {}", to_string(data.shape),
                          to_string(like.shape)));
  }
  return like;
}

Type init_type(const RuleCall& call) {
  return TensorType{call.attrs<InitOpAttrs>().dtype, given_shape(call)};
}

Type full_type(const RuleCall& call) {
  call.require_scalar(0);
  const DType dtype = call.attrs<InitOpAttrs>().dtype;
  return TensorType{dtype == DType::kVoid ? call.tensor(0).dtype : dtype, given_shape(call)};
}

Type full_like_type(const RuleCall& call) {
  call.require_scalar(1);
  return call.tensor(0);
}

}  // namespace tvmq::ir
