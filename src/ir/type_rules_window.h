// What convolution and pooling rules share: windows that slide over the spatial dimensions.
#pragma once

#include "ir/type_rules.h"

namespace tvmq::ir {

/// The letters of one, two or three spatial dimensions, outermost first.
inline constexpr std::string_view spatial_letters(std::size_t count) {
  return std::string_view("DHW").substr(3 - count);
}

/// Padding of both sides of spatial dimension `which` of `count`, from TVM's one value for all
/// sides, one value per dimension, or begin values followed by end values.
std::int64_t total_padding(const RuleCall& call, const IntList& padding, std::size_t which,
                           std::size_t count);

/// How far a window of `size` with `dilation` reaches.
Wide window_reach(const RuleCall& call, std::int64_t size, std::int64_t dilation);

/// How often a window fits: (extent + padding - reach) / stride + 1, rounded down, or up in
/// `ceil_mode`. Fails if it does not fit once.
std::int64_t window_count(const RuleCall& call, std::int64_t extent, std::int64_t padding,
                          Wide reach, std::int64_t stride, bool ceil_mode);

}  // namespace tvmq::ir
