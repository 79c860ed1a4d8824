#include "exec/interleave.h"

namespace tvmq::exec {
namespace {

template <class T, int kChannels>
[[gnu::always_inline]] inline void interleave_image(const std::byte* from, std::byte* to,
                                                    std::int64_t pixels) {
  const auto* source = reinterpret_cast<const T*>(from);
  auto* target = reinterpret_cast<T*>(to);
#ifdef __clang__
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
  for (std::int64_t i = 0; i < pixels; ++i) {
    for (int c = 0; c < kChannels; ++c) target[i * kChannels + c] = source[c * pixels + i];
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void interleave(
    const std::byte* from, std::byte* to, std::int64_t pixels, std::int64_t channels, bool bytes) {
  using std::uint32_t;
  using std::uint8_t;
  if (channels == 2) {
    bytes ? interleave_image<uint8_t, 2>(from, to, pixels)
          : interleave_image<uint32_t, 2>(from, to, pixels);
  } else if (channels == 3) {
    bytes ? interleave_image<uint8_t, 3>(from, to, pixels)
          : interleave_image<uint32_t, 3>(from, to, pixels);
  } else {
    bytes ? interleave_image<uint8_t, 4>(from, to, pixels)
          : interleave_image<uint32_t, 4>(from, to, pixels);
  }
}

class Interleave final : public FastKernel {
 public:
  Interleave(LayoutLoops loops, std::size_t size) : loops_(loops), size_(size) {}

  void run(const StepBuffers& buffers, KernelState* /*state*/) const override {
    const std::int64_t bytes = loops_.channels * loops_.inner * static_cast<std::int64_t>(size_);
    for (std::int64_t n = 0; n < loops_.outer; ++n) {
      interleave(buffers.inputs[0] + n * bytes, buffers.outputs[0] + n * bytes, loops_.inner,
                 loops_.channels, size_ == 1);
    }
  }
  std::string description() const override { return "interleave"; }

 private:
  LayoutLoops loops_;
  std::size_t size_;
};

}  // namespace

FastKernelChoice make_interleave(const ir::TensorType& type, MemoryLayout from, MemoryLayout to) {
  const std::size_t size = ir::dtype_size(type.dtype);
  if (!from.plain() || to.plain() || to.channel_axis != 1 || (size != 1 && size != 4)) {
    return std::string("another layout or dtype");
  }
  const LayoutLoops loops = layout_loops(type.shape, to);
  if (loops.channels != loops.block || loops.channels < 2 || loops.channels > 4) {
    return std::string("another number of channels");
  }
  SelectedKernel selected;
  selected.kernel = std::make_unique<Interleave>(loops, size);
  selected.inputs = {from};
  selected.outputs = {to};
  return selected;
}

}  // namespace tvmq::exec
