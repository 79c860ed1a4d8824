#include "exec/integer_pool.h"

#include <algorithm>
#include <array>
#include <limits>

namespace tvmq::exec {
namespace {

/// Per spatial dimension: depth, height, width; 1 (padding: 0) where there is none.
using Dims = std::array<std::int64_t, 3>;

struct Geometry {
  Dims in{1, 1, 1};
  Dims out{1, 1, 1};
  Dims window{1, 1, 1};
  Dims stride{1, 1, 1};
  Dims dilation{1, 1, 1};
  Dims before{0, 0, 0};
  Dims after{0, 0, 0};
};

enum class Fold : std::uint8_t { kSum, kMaximum };

constexpr std::int64_t kLanes = 512;  ///< channels handled at a time

/// Elements of `pixels` pixels, the same lanes of each, `step` elements from one to the next.
struct PixelRow {
  const std::byte* from = nullptr;
  std::int64_t pixels = 0;
  std::int64_t step = 0;
};

/// lanes[i] = max(lanes[i], from[i]), or their sum modulo 2^32, of all pixels.
template <class T>
[[gnu::always_inline]] inline void fold_lanes(Fold fold, const PixelRow& row, std::int32_t* lanes,
                                              std::int64_t count) {
  const T* from = reinterpret_cast<const T*>(row.from);
  for (std::int64_t p = 0; p < row.pixels; ++p, from += row.step) {
    if (fold == Fold::kMaximum) {
      for (std::int64_t i = 0; i < count; ++i) lanes[i] = from[i] > lanes[i] ? from[i] : lanes[i];
    } else {
      for (std::int64_t i = 0; i < count; ++i) {
        lanes[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(lanes[i]) +
                                             static_cast<std::uint32_t>(from[i]));
      }
    }
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void fold_any(
    Fold fold, const PixelRow& row, ir::DType dtype, std::int32_t* lanes, std::int64_t count) {
  switch (dtype) {
    case ir::DType::kInt8:
      return fold_lanes<std::int8_t>(fold, row, lanes, count);
    case ir::DType::kUInt8:
      return fold_lanes<std::uint8_t>(fold, row, lanes, count);
    case ir::DType::kInt16:
      return fold_lanes<std::int16_t>(fold, row, lanes, count);
    default:
      return fold_lanes<std::int32_t>(fold, row, lanes, count);
  }
}

template <class T>
void store(const std::int32_t* lanes, std::int64_t count, std::int64_t divisor, std::byte* to) {
  auto* out = reinterpret_cast<T*>(to);
  const auto by = static_cast<std::int32_t>(divisor);
  for (std::int64_t i = 0; i < count; ++i) {
    const T folded = static_cast<T>(lanes[i]);
    out[i] = by == 1 ? folded : static_cast<T>(folded / by);
  }
}
void store_any(const std::int32_t* lanes, std::int64_t count, std::int64_t divisor, ir::DType dtype,
               std::byte* to) {
  switch (dtype) {
    case ir::DType::kInt8:
      return store<std::int8_t>(lanes, count, divisor, to);
    case ir::DType::kUInt8:
      return store<std::uint8_t>(lanes, count, divisor, to);
    case ir::DType::kInt16:
      return store<std::int16_t>(lanes, count, divisor, to);
    default:
      return store<std::int32_t>(lanes, count, divisor, to);
  }
}

class IntegerPool final : public FastKernel {
 public:
  IntegerPool(const PoolProblem& problem, const Geometry& geometry, LayoutLoops loops)
      : kind_(problem.kind),
        dtype_(problem.data.dtype),
        result_dtype_(problem.result.dtype),
        geometry_(geometry),
        loops_(loops) {}

  void run(const StepBuffers& buffers, KernelState* /*state*/) const override {
    const Geometry& g = geometry_;
    const auto size = static_cast<std::int64_t>(ir::dtype_size(dtype_));
    const auto result_size = static_cast<std::int64_t>(ir::dtype_size(result_dtype_));
    const std::int64_t pixels_in = g.in[0] * g.in[1] * g.in[2];
    const std::int64_t pixels_out = g.out[0] * g.out[1] * g.out[2];
    for (std::int64_t image = 0; image < loops_.outer * loops_.blocks(); ++image) {
      const std::byte* from = buffers.inputs[0] + image * pixels_in * loops_.block * size;
      std::byte* to = buffers.outputs[0] + image * pixels_out * loops_.block * result_size;
      for (std::int64_t pixel = 0; pixel < pixels_out; ++pixel) {
        const Dims at = {pixel / (g.out[1] * g.out[2]), pixel / g.out[2] % g.out[1],
                         pixel % g.out[2]};
        for (std::int64_t lane = 0; lane < loops_.block; lane += kLanes) {
          const std::int64_t count = std::min(kLanes, loops_.block - lane);
          pool(from + lane * size, to + (pixel * loops_.block + lane) * result_size, at, count);
        }
      }
    }
  }
  std::string description() const override { return "integer pool"; }

 private:
  void pool(const std::byte* from, std::byte* to, const Dims& at, std::int64_t count) const {
    const Geometry& g = geometry_;
    const auto size = static_cast<std::int64_t>(ir::dtype_size(dtype_));
    const bool maximum = kind_ == PoolKind::kMaximum;
    std::array<std::int32_t, kLanes> lanes;
    std::fill_n(lanes.begin(), count, maximum ? std::numeric_limits<std::int32_t>::min() : 0);
    Dims first{};
    Dims taken{};
    std::int64_t divisor = 1;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int64_t start = at[i] * g.stride[i] - g.before[i];
      const std::int64_t skipped = start >= 0 ? 0 : (-start + g.dilation[i] - 1) / g.dilation[i];
      const std::int64_t last = start + (g.window[i] - 1) * g.dilation[i];
      first[i] = start + skipped * g.dilation[i];
      taken[i] = first[i] > std::min(last, g.in[i] - 1)
                     ? 0
                     : (std::min(last, g.in[i] - 1) - first[i]) / g.dilation[i] + 1;
      divisor *= kind_ == PoolKind::kAverageWithPadding
                     ? (std::min(last, g.in[i] + g.after[i] - 1) - start) / g.dilation[i] + 1
                     : taken[i];
    }
    for (std::int64_t d = 0; d < taken[0]; ++d) {
      for (std::int64_t h = 0; h < taken[1]; ++h) {
        const std::int64_t row =
            (first[0] + d * g.dilation[0]) * g.in[1] + first[1] + h * g.dilation[1];
        const PixelRow pixels{.from = from + (row * g.in[2] + first[2]) * loops_.block * size,
                              .pixels = taken[2],
                              .step = g.dilation[2] * loops_.block};
        fold_any(maximum ? Fold::kMaximum : Fold::kSum, pixels, dtype_, lanes.data(), count);
      }
    }
    const bool average = !maximum && kind_ != PoolKind::kSum;
    store_any(lanes.data(), count, average ? divisor : 1, result_dtype_, to);
  }

  PoolKind kind_;
  ir::DType dtype_;
  ir::DType result_dtype_;
  Geometry geometry_;
  LayoutLoops loops_;
};

Dims right_aligned(const std::vector<std::int64_t>& values, std::int64_t missing) {
  Dims dims = {missing, missing, missing};
  std::ranges::copy(values, dims.end() - static_cast<std::ptrdiff_t>(values.size()));
  return dims;
}

std::vector<std::int64_t> spatial(const ir::Shape& shape, std::int64_t channel_axis) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t d = 1; d < static_cast<std::int64_t>(shape.size()); ++d) {
    if (d != channel_axis) sizes.push_back(shape[d]);
  }
  return sizes;
}

}  // namespace

FastKernelChoice make_integer_pool(const PoolProblem& problem, MemoryLayout layout) {
  const ir::DType dtype = problem.data.dtype;
  if (dtype != ir::DType::kInt8 && dtype != ir::DType::kUInt8 && dtype != ir::DType::kInt16 &&
      dtype != ir::DType::kInt32) {
    return std::string("pooling of this dtype");
  }
  const ir::Shape& shape = problem.data.shape;
  const std::int64_t channels = shape[problem.channel_axis];
  LayoutLoops loops = layout_loops(
      shape, layout.plain() && problem.channel_axis != 1
                 ? MemoryLayout{.block = channels, .channel_axis = problem.channel_axis}
                 : layout);
  if (layout.plain() && problem.channel_axis == 1) {
    loops = {.outer = shape[0] * channels, .channels = 1, .inner = loops.inner, .block = 1};
  }
  const Geometry geometry{
      .in = right_aligned(spatial(shape, problem.channel_axis), 1),
      .out = right_aligned(spatial(problem.result.shape, problem.channel_axis), 1),
      .window = right_aligned(problem.window, 1),
      .stride = right_aligned(problem.strides, 1),
      .dilation = right_aligned(problem.dilation, 1),
      .before = right_aligned(problem.pad_before, 0),
      .after = right_aligned(problem.pad_after, 0)};
  // The reference multiplies the window's sizes in the element type.
  std::int64_t window = 1;
  for (const std::int64_t each : geometry.window) window *= each;
  const bool narrow = ir::dtype_size(dtype) < 4;
  const bool average =
      problem.kind == PoolKind::kAverage || problem.kind == PoolKind::kAverageWithPadding;
  if (average && narrow && window > 127) {
    return std::string("windows that the element type cannot count");
  }
  SelectedKernel selected;
  selected.inputs = {layout};
  selected.outputs = {normalized(layout, problem.result.shape)};
  selected.kernel = std::make_unique<IntegerPool>(problem, geometry, loops);
  return selected;
}

}  // namespace tvmq::exec
