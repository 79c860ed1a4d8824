// Copies between strided views of buffers. Internal to exec.
#pragma once

#include <cstdint>
#include <vector>

#include "exec/fast_kernel.h"

namespace tvmq::exec {

/// Sizes and strides of a value's dimensions; in a split layout the channels count blocks and the
/// lanes of a block come last.
struct View {
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
};

/// One strided copy from an input to an output.
struct Copy {
  std::size_t input = 0;
  std::size_t output = 0;
  View from;
  View to;
};

/// Runs `copies` of elements of `size` bytes. If `fill` is not empty, `elements` elements of output
/// 0 are set to its value first.
std::unique_ptr<const FastKernel> make_strided_copy(const std::vector<Copy>& copies,
                                                    std::size_t size, const ir::Tensor& fill = {},
                                                    std::int64_t elements = 0);

}  // namespace tvmq::exec
