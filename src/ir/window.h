// How TVM writes down the windows of convolutions and poolings.
#pragma once

#include <cstddef>

#include "ir/attr_field.h"

namespace tvmq::ir {

/// Strides, dilations or sizes: TVM stores one value for all axes, or one for each. A list of
/// another length, which no typed graph holds, comes back as it is.
inline IntList per_axis(const IntList& values, std::size_t axes) {
  return values.size() == 1 ? IntList(axes, values[0]) : values;
}

/// Padding before every axis, then behind every axis: top, left, bottom, right. TVM also stores one
/// value for all sides, or one per axis for both of its sides. A list of another length comes back
/// as it is.
inline IntList before_and_behind(const IntList& padding, std::size_t axes) {
  if (padding.size() != axes) return per_axis(padding, 2 * axes);
  IntList sides(2 * axes);
  for (std::size_t i = 0; i < sides.size(); ++i) sides[i] = padding[i % axes];
  return sides;
}

}  // namespace tvmq::ir
