#include "exec/memory_layout.h"

#include <cstring>

namespace tvmq::exec {

LayoutLoops layout_loops(const ir::Shape& shape, MemoryLayout layout) {
  const std::int64_t elements = ir::element_count(shape).value_or(0);
  if (layout.plain()) return {.inner = elements};
  const auto axis = static_cast<std::size_t>(layout.channel_axis);
  check(shape.size() >= 2 && (axis == 1 || axis + 1 == shape.size()), "only channels are split");
  LayoutLoops loops{.outer = shape[0], .channels = shape[axis], .block = layout.block};
  loops.inner = loops.outer * loops.channels == 0 ? 0 : elements / (loops.outer * loops.channels);
  return loops;
}

MemoryLayout normalized(MemoryLayout layout, const ir::Shape& shape) {
  if (layout.plain()) return {};
  const LayoutLoops loops = layout_loops(shape, layout);
  const bool channels_first = layout.channel_axis == 1;
  const bool exact = loops.channels % loops.block == 0;
  const bool same = (channels_first && loops.block == 1) ||
                    (!channels_first && loops.block == loops.channels) ||
                    (exact && loops.inner == 1) || (exact && loops.channels == 1);
  return same ? MemoryLayout{} : layout;
}

std::int64_t stored_elements(const ir::Shape& shape, MemoryLayout layout) {
  const LayoutLoops loops = layout_loops(shape, layout);
  return loops.outer * loops.blocks() * loops.inner * loops.block;
}

ir::Tensor to_layout(const ir::Tensor& plain, MemoryLayout layout) {
  if (layout.plain()) return plain;
  const LayoutLoops loops = layout_loops(plain.shape(), layout);
  ir::Tensor result = ir::Tensor::zeros(plain.dtype(), {stored_elements(plain.shape(), layout)});
  const std::size_t size = ir::dtype_size(plain.dtype());
  const bool channels_first = layout.channel_axis == 1;
  const std::byte* from = plain.bytes();
  for (std::int64_t n = 0; n < loops.outer; ++n) {
    for (std::int64_t c = 0; c < loops.channels; ++c) {
      for (std::int64_t i = 0; i < loops.inner; ++i) {
        const std::int64_t source = channels_first ? (n * loops.channels + c) * loops.inner + i
                                                   : (n * loops.inner + i) * loops.channels + c;
        const std::int64_t block = n * loops.blocks() + c / loops.block;
        const std::int64_t target = (block * loops.inner + i) * loops.block + c % loops.block;
        std::memcpy(result.mutable_bytes() + target * size, from + source * size, size);
      }
    }
  }
  return result;
}

}  // namespace tvmq::exec
