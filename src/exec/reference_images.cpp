#include "exec/reference_images.h"

#include <optional>
#include <string>

namespace tvmq::exec {

/// A block's size (the 4 of NCHW4c) belongs to the letter after it.
ImagesOrder images_order(const KernelCall& call, std::string_view layout, std::size_t rank) {
  ImagesOrder result;
  std::array<std::optional<std::size_t>, 3> named;
  std::size_t axis = 0;
  for (const char letter : layout) {
    if (letter >= '0' && letter <= '9') continue;
    const std::size_t which = std::string_view("DHW").find(letter);
    if (which == std::string_view::npos) {
      result.order.push_back(axis);
    } else {
      named[which] = axis;
    }
    ++axis;
  }
  for (const auto& each : named) {
    if (!each.has_value()) continue;
    result.order.push_back(*each);
    ++result.spatial;
  }
  if (axis != rank || result.order.size() != rank) {
    call.refuse("the layout '" + std::string(layout) + "' does not fit a tensor of " +
                std::to_string(rank) + " dimensions");
  }
  return result;
}

ir::Shape permuted_shape(const ir::Shape& shape, const std::vector<std::size_t>& order) {
  ir::Shape result;
  for (const std::size_t axis : order) result.push_back(shape.at(axis));
  return result;
}

}  // namespace tvmq::exec
