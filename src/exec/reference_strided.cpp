#include "exec/reference_strided.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace tvmq::exec {
namespace {

/// An element of N bytes whose type does not matter.
template <std::size_t N>
using Cell = std::array<std::byte, N>;

struct Extent {
  std::int64_t low = 0;
  std::int64_t high = 0;
};
/// The smallest and largest element index that a view uses; the view is not empty.
Extent extent_of(const StridedView& view) {
  Extent extent{view.start, view.start};
  for (std::size_t axis = 0; axis < view.sizes.size(); ++axis) {
    const std::int64_t reach = view.steps[axis] * (view.sizes[axis] - 1);
    (reach < 0 ? extent.low : extent.high) += reach;
  }
  return extent;
}

void check_inside(const StridedView& view, std::int64_t size) {
  check(view.sizes.size() == view.steps.size(), "one step per dimension of a view");
  const Extent extent = extent_of(view);
  check(extent.low >= 0 && extent.high < size, "a view stays inside of its tensor");
}

struct Dim {
  std::int64_t size;
  std::int64_t target_step;
  std::int64_t source_step;
};

/// The dimensions without those of size 1, neighbours merged where both sides walk them as one.
std::vector<Dim> merged_dims(const StridedView& target, const StridedView& source) {
  std::vector<Dim> dims;
  for (std::size_t axis = 0; axis < target.sizes.size(); ++axis) {
    const Dim dim{target.sizes[axis], target.steps[axis], source.steps[axis]};
    if (dim.size == 1) continue;
    if (!dims.empty() && dims.back().target_step == dim.target_step * dim.size &&
        dims.back().source_step == dim.source_step * dim.size) {
      dims.back() = {dims.back().size * dim.size, dim.target_step, dim.source_step};
    } else {
      dims.push_back(dim);
    }
  }
  if (dims.empty()) dims.push_back({1, 1, 1});
  return dims;
}

template <std::size_t N>
void copy_row(Cell<N>* target, const Cell<N>* source, const Dim& row) {
  if (row.target_step == 1 && row.source_step == 1) {
    std::memcpy(target, source, static_cast<std::size_t>(row.size) * N);
    return;
  }
  for (std::int64_t i = 0; i < row.size; ++i) {
    target[i * row.target_step] = source[i * row.source_step];
  }
}

template <std::size_t N>
void copy_cells(std::byte* target_bytes, const std::byte* source_bytes, std::vector<Dim> dims) {
  auto* target = reinterpret_cast<Cell<N>*>(target_bytes);
  const auto* source = reinterpret_cast<const Cell<N>*>(source_bytes);
  const Dim row = dims.back();
  dims.pop_back();
  std::vector<std::int64_t> index(dims.size(), 0);
  std::int64_t to = 0;
  std::int64_t from = 0;
  for (;;) {
    copy_row(target + to, source + from, row);
    std::size_t axis = dims.size();
    for (; axis > 0; --axis) {
      const Dim& dim = dims[axis - 1];
      to += dim.target_step;
      from += dim.source_step;
      if (++index[axis - 1] < dim.size) break;
      index[axis - 1] = 0;
      to -= dim.target_step * dim.size;
      from -= dim.source_step * dim.size;
    }
    if (axis == 0) return;
  }
}

}  // namespace

std::vector<std::int64_t> row_major_steps(const ir::Shape& shape) {
  std::vector<std::int64_t> steps(shape.size());
  std::int64_t step = 1;
  for (std::size_t axis = shape.size(); axis > 0; --axis) {
    steps[axis - 1] = step;
    step *= std::max<std::int64_t>(shape[axis - 1], 1);
  }
  return steps;
}

StridedView whole(const ir::Shape& shape) {
  return {.start = 0, .sizes = shape, .steps = row_major_steps(shape)};
}

StridedView permuted(const StridedView& view, const std::vector<std::size_t>& order) {
  StridedView result{.start = view.start, .sizes = {}, .steps = {}};
  for (const std::size_t axis : order) {
    result.sizes.push_back(view.sizes.at(axis));
    result.steps.push_back(view.steps.at(axis));
  }
  return result;
}

void copy_view(ir::Tensor& target, const StridedView& target_view, const ir::Tensor& source,
               const StridedView& source_view) {
  check(target.dtype() == source.dtype(), "elements are copied between tensors of one dtype");
  check(target_view.sizes == source_view.sizes, "views of the same sizes");
  const auto count = ir::element_count(target_view.sizes);
  check(count.has_value(), "a view has a size");
  if (*count == 0) return;
  check_inside(target_view, target.size());
  check_inside(source_view, source.size());
  const std::size_t cell = ir::dtype_size(target.dtype());
  const auto skip = [cell](std::int64_t elements) {
    return static_cast<std::size_t>(elements) * cell;
  };
  std::byte* to = target.mutable_bytes() + skip(target_view.start);
  const std::byte* from = source.bytes() + skip(source_view.start);
  std::vector<Dim> dims = merged_dims(target_view, source_view);
  switch (cell) {
    case 1:
      return copy_cells<1>(to, from, std::move(dims));
    case 2:
      return copy_cells<2>(to, from, std::move(dims));
    case 4:
      return copy_cells<4>(to, from, std::move(dims));
    case 8:
      return copy_cells<8>(to, from, std::move(dims));
    default:
      throw InternalError("an element has 1, 2, 4 or 8 bytes");
  }
}

ir::Tensor gather_view(const ir::Tensor& source, const StridedView& view, ir::Shape shape) {
  ir::Tensor result(source.dtype(), std::move(shape));
  check(ir::element_count(view.sizes) == result.size(), "the view fills the result");
  copy_view(result, whole(view.sizes), source, view);
  return result;
}

ir::Tensor permute(const ir::Tensor& source, const std::vector<std::size_t>& order) {
  const StridedView view = permuted(whole(source.shape()), order);
  return gather_view(source, view, view.sizes);
}

std::size_t real_axis(std::int64_t axis, std::int64_t rank) {
  check(axis >= -rank && axis < rank, "the axis is one of the tensor's");
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

}  // namespace tvmq::exec
