// Moving elements between row-major tensors: every operator that only rearranges is a view of its
// operand (a start, and a step per dimension) that is copied to a view of its result.
#pragma once

#include "ir/tensor.h"

namespace tvmq::exec {

/// Element (i0, i1, ...) of the view is element `start + i0 * steps[0] + i1 * steps[1] + ...` of a
/// tensor. Steps may be 0 (repeat) or negative (reverse).
struct StridedView {
  std::int64_t start = 0;
  ir::Shape sizes;
  std::vector<std::int64_t> steps;
};

/// The elements between two neighbours of each dimension of a row-major tensor.
std::vector<std::int64_t> row_major_steps(const ir::Shape& shape);
/// All of a tensor of `shape`.
StridedView whole(const ir::Shape& shape);
/// `view` with dimension i taken from dimension order[i].
StridedView permuted(const StridedView& view, const std::vector<std::size_t>& order);

/// target[target_view] = source[source_view], element by element. REQUIRES: the same dtype and view
/// sizes; both views inside of their tensors (checked: a wrong view is an InternalError).
void copy_view(ir::Tensor& target, const StridedView& target_view, const ir::Tensor& source,
               const StridedView& source_view);

/// A new row-major tensor of `shape` with the elements that `view` shows.
/// REQUIRES: shape has as many elements as the view.
ir::Tensor gather_view(const ir::Tensor& source, const StridedView& view, ir::Shape shape);

/// A new tensor with dimension i taken from dimension order[i].
ir::Tensor permute(const ir::Tensor& source, const std::vector<std::size_t>& order);

/// 0 <= result < rank; negative axes count from the end. REQUIRES: -rank <= axis < rank.
std::size_t real_axis(std::int64_t axis, std::int64_t rank);

}  // namespace tvmq::exec
