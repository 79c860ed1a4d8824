// Which window of its operand an element of a convolution or a pooling sees, from attributes.
#pragma once

#include <array>
#include <string_view>

#include "exec/reference_kernel.h"

namespace tvmq::exec {

/// Per spatial dimension, always depth, height, width; missing ones are 1 (pad: 0).
struct Window {
  std::array<std::int64_t, 3> stride{1, 1, 1};
  std::array<std::int64_t, 3> dilation{1, 1, 1};
  std::array<std::int64_t, 3> pad_before{0, 0, 0};
  std::array<std::int64_t, 3> pad_after{0, 0, 0};
};

/// `padding` is one number for all sides, one per dimension, or all "before" and then all "after".
/// A single stride or dilation holds for every dimension.
Window make_window(std::size_t spatial, const ir::IntList& strides, const ir::IntList& dilation,
                   const ir::IntList& padding);

/// 1 to 3 values to three, ones in front.
std::array<std::int64_t, 3> three_dims(std::span<const std::int64_t> values);

/// For each letter of `wanted`, the dimension of a tensor in `layout` that it names: how to
/// permute the tensor to `wanted`. Refuses layouts with other letters or with blocks (NCHW4c).
std::vector<std::size_t> layout_order(const KernelCall& call, std::string_view layout,
                                      std::string_view wanted);
/// The permutation that undoes `order`.
std::vector<std::size_t> inverse_order(const std::vector<std::size_t>& order);

}  // namespace tvmq::exec
