#include "exec/reference_window.h"

#include <algorithm>
#include <string>

namespace tvmq::exec {

std::array<std::int64_t, 3> three_dims(std::span<const std::int64_t> values) {
  check(values.size() <= 3, "at most three spatial dimensions");
  std::array<std::int64_t, 3> result{1, 1, 1};
  std::ranges::copy(values, result.end() - static_cast<std::ptrdiff_t>(values.size()));
  return result;
}

Window make_window(std::size_t spatial, const ir::IntList& strides, const ir::IntList& dilation,
                   const ir::IntList& padding) {
  const auto value = [](const ir::IntList& list, std::size_t i, std::int64_t otherwise) {
    if (list.empty()) return otherwise;
    return list.size() == 1 ? list.front() : list.at(i);
  };
  Window window;
  const std::size_t first = 3 - spatial;
  for (std::size_t i = 0; i < spatial; ++i) {
    window.stride[first + i] = value(strides, i, 1);
    window.dilation[first + i] = value(dilation, i, 1);
    window.pad_before[first + i] = value(padding, i, 0);
    window.pad_after[first + i] =
        padding.size() == 2 * spatial ? padding[spatial + i] : value(padding, i, 0);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    check(window.stride[i] > 0 && window.dilation[i] > 0, "strides and dilations are positive");
  }
  return window;
}

std::vector<std::size_t> layout_order(const KernelCall& call, std::string_view layout,
                                      std::string_view wanted) {
  std::vector<std::size_t> order;
  for (const char letter : wanted) {
    const std::size_t at = layout.find(letter);
    if (at != std::string_view::npos) order.push_back(at);
  }
  if (order.size() != wanted.size() || layout.size() != wanted.size()) {
    call.refuse("the layout '" + std::string(layout) + "' cannot be run; an order of the letters " +
                std::string(wanted) + " is expected");
  }
  return order;
}

std::vector<std::size_t> inverse_order(const std::vector<std::size_t>& order) {
  std::vector<std::size_t> inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) inverse[order[i]] = i;
  return inverse;
}

}  // namespace tvmq::exec
