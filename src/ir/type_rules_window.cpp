#include "ir/type_rules_window.h"

#include <fmt/format.h>

namespace tvmq::ir {

std::int64_t total_padding(const RuleCall& call, const IntList& padding, std::size_t which,
                           std::size_t count) {
  const auto side = [&](std::size_t index) {
    return call.bounded(padding[index], 0, kMaxExtent, "padding");
  };
  if (padding.size() == 1) return 2 * side(0);
  if (padding.size() == 2 * count) return side(which) + side(which + count);
  if (padding.size() == count) return 2 * side(which);
  call.fail(
      fmt::format("padding has {} values, expected 1, {} or {}", padding.size(), count, 2 * count));
}

Wide window_reach(const RuleCall& call, std::int64_t size, std::int64_t dilation) {
  const Wide steps = call.bounded(size, 1, kMaxExtent, "window size") - 1;
  return steps * call.bounded(dilation, 1, kMaxExtent, "dilation") + 1;
}

std::int64_t window_count(const RuleCall& call, std::int64_t extent, std::int64_t padding,
                          Wide reach, std::int64_t stride, bool ceil_mode) {
  call.bounded(stride, 1, kMaxExtent, "stride");
  Wide room = Wide{extent} + padding - reach;
  if (ceil_mode) room += stride - 1;
  if (room < 0) {
    call.fail(
        fmt::format("the (dilated) window is longer than the data: {} elements with {} of "
                    "padding",
                    extent, padding));
  }
  return call.dim(room / stride + 1, "output size");
}

}  // namespace tvmq::ir
