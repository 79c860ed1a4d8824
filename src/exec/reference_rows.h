// A tensor as rows: the elements that a reduction or a normalisation takes together.
#pragma once

#include "exec/reference_strided.h"

namespace tvmq::exec {

/// `tensor` permuted so that the dimensions `axes` come last, in their order: `count` rows of
/// `length` elements.
struct Rows {
  ir::Tensor tensor;
  std::vector<std::size_t> order;
  std::int64_t count = 0;
  std::int64_t length = 0;
};
Rows as_rows_over(const ir::Tensor& tensor, const std::vector<std::size_t>& axes);

/// (outer, size, inner) of one dimension: element (o, i, n) is at (o * size + i) * inner + n.
struct AxisView {
  std::int64_t outer = 1;
  std::int64_t size = 1;
  std::int64_t inner = 1;
};
AxisView along_axis(const ir::Shape& shape, std::size_t axis);

}  // namespace tvmq::exec
