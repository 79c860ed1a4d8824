// Chains and small graphs of element by element operators in one pass over memory: compiled to
// instructions that work on chunks of values small enough to stay in the first-level cache.
//
// Arithmetic is that of the reference kernels to the bit (integers wrap, clip truncates its bounds,
// fixed_point_multiply rounds half up, one IEEE operation at a time), except for exp, sigmoid and
// tanh, which are within 2 units in the last place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "exec/fast_kernel.h"
#include "exec/program_fuse.h"

namespace tvmq::exec {

inline constexpr std::size_t kMaxElementwiseCalls = 48;

/// Whether `call` may be part of an ElementwiseStep.
bool elementwise_supported(const ir::Graph& graph, const LiveValues& live, const Call& call);

/// A result computed some pixels at a time: its channels innermost in memory.
struct PixelBand {
  std::int64_t channel_axis = 1;  ///< 1 or the last one
  std::int64_t pixels = 1;
};

struct Affine {
  std::vector<float> scale;
  std::vector<float> shift;
};
/// nn.batch_norm at inference as x * scale + shift; nothing unless its statistics are constant
/// float32.
std::optional<Affine> batch_norm_affine(const ir::BatchNormAttrs& attrs, const LiveValues& live,
                                        const Call& call);

/// The kernel of `step`. Its inputs are the non-constant operands, in the order of
/// elementwise_operands(); all of the result's shape are taken in one layout, as is the result:
/// split if `preferred` can be had, else plain.
FastKernelChoice make_elementwise(const ir::Graph& graph, const LiveValues& live,
                                  const ElementwiseStep& step, MemoryLayout preferred);
/// The same for some pixels of one image, channels innermost in `layout` (channels last, or plain
/// where they are last anyway): `kernel` reads and writes those pixels only, in one thread.
/// Nothing if it would matter which pixels they are.
struct ElementwiseBand {
  std::vector<bool> input_is_full{};  ///< has a pixel per pixel of the result; else one number, or
                                      ///< one per channel, or per image and channel
  std::unique_ptr<const FastKernel> kernel;
};
std::optional<ElementwiseBand> make_elementwise_band(const ir::Graph& graph, const LiveValues& live,
                                                     const ElementwiseStep& step,
                                                     MemoryLayout layout, const PixelBand& band);
/// The values that `step` reads and does not compute, constants left out, each once.
std::vector<ValueId> elementwise_operands(const LiveValues& live, const ElementwiseStep& step);

}  // namespace tvmq::exec
