// How a value lies in memory while a program runs.
#pragma once

#include <cstdint>

#include "ir/type.h"

namespace tvmq::exec {

/// A value is either plain (row-major in the order of its own dimensions) or has its channels
/// split: [outer][channels / block][inner][block], the last block padded with zeros. Channels last
/// is the case block == channels. NHWC data is plain too; its channels are its last dimension.
struct MemoryLayout {
  std::int64_t block = 0;         ///< 0: plain
  std::int64_t channel_axis = 1;  ///< which dimension is split; 1 or the last one. 1 when plain
  [[nodiscard]] bool plain() const { return block == 0; }
  bool operator==(const MemoryLayout&) const = default;
};

/// The loops of a split layout; {1, 1, elements, 1} for a plain one.
struct LayoutLoops {
  std::int64_t outer = 1;
  std::int64_t channels = 1;
  std::int64_t inner = 1;
  std::int64_t block = 1;
  [[nodiscard]] std::int64_t blocks() const { return (channels + block - 1) / block; }
};

/// REQUIRES: a known shape, of rank 2 or more if the layout is split.
LayoutLoops layout_loops(const ir::Shape& shape, MemoryLayout layout);
/// Plain if the split layout is the same order of the same bytes, else the layout as it is.
MemoryLayout normalized(MemoryLayout layout, const ir::Shape& shape);
/// With the padding of the last block.
std::int64_t stored_elements(const ir::Shape& shape, MemoryLayout layout);

/// `plain` holds the elements of `shape` in plain order; the result holds them in `layout`, padding
/// set to 0.
ir::Tensor to_layout(const ir::Tensor& plain, MemoryLayout layout);

}  // namespace tvmq::exec
