#include "exec/reference_rows.h"

#include <algorithm>

namespace tvmq::exec {

Rows as_rows_over(const ir::Tensor& tensor, const std::vector<std::size_t>& axes) {
  Rows rows;
  for (std::size_t axis = 0; axis < tensor.shape().size(); ++axis) {
    if (std::ranges::find(axes, axis) == axes.end()) rows.order.push_back(axis);
  }
  const std::size_t kept = rows.order.size();
  rows.order.insert(rows.order.end(), axes.begin(), axes.end());
  rows.tensor = permute(tensor, rows.order);
  const auto shape = std::span(rows.tensor.shape());
  rows.count = ir::element_count(shape.first(kept)).value_or(0);
  rows.length = ir::element_count(shape.subspan(kept)).value_or(0);
  return rows;
}

AxisView along_axis(const ir::Shape& shape, std::size_t axis) {
  const auto dims = std::span(shape);
  return {.outer = ir::element_count(dims.first(axis)).value_or(0),
          .size = shape.at(axis),
          .inner = ir::element_count(dims.subspan(axis + 1)).value_or(0)};
}

}  // namespace tvmq::exec
