// A tensor of any layout as a list of images, for pooling and resizing.
#pragma once

#include <array>
#include <string_view>

#include "exec/reference_kernel.h"
#include "exec/reference_window.h"

namespace tvmq::exec {

/// Depth, height, width; 1 where a tensor has fewer dimensions.
using Dims = std::array<std::int64_t, 3>;

/// A shape as images of depth, height and width.
struct Images {
  Dims dims{1, 1, 1};
  std::int64_t count = 1;

  [[nodiscard]] std::int64_t image_size() const { return dims[0] * dims[1] * dims[2]; }
};

/// How to permute a tensor so that depth, height and width come last.
struct ImagesOrder {
  std::vector<std::size_t> order;
  std::size_t spatial = 0;  ///< how many of the three the layout has

  [[nodiscard]] Images images(const ir::Shape& permuted) const {
    const auto shape = std::span(permuted);
    return {.dims = three_dims(shape.last(spatial)),
            .count = ir::element_count(shape.first(shape.size() - spatial)).value_or(0)};
  }
};

/// For a layout such as NCHW, NDHWC or NCHW4c. Refuses one that does not fit the rank.
ImagesOrder images_order(const KernelCall& call, std::string_view layout, std::size_t rank);

ir::Shape permuted_shape(const ir::Shape& shape, const std::vector<std::size_t>& order);

}  // namespace tvmq::exec
