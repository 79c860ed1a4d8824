// How the inputs of a layer vary together: what decides which rounding of its weights hurts least.
//
// One output of a layer is the product of a weight row with a patch: the elements of its input that
// the kernel covers. For the error of a rounded row e the outputs err by e^T x, so that
//
//   E[(e^T x)^2]  =  e^T H e  with  H = E[x x^T]        (about the mean: H = Cov[x])
//
// is all there is to know. Patches are taken as the layer will see them, rounded to integers and
// clipped, so that sums are integers: exact, in any order, for any number of threads.
//
// H of a large layer has too many elements; it is kept in blocks along its diagonal, as if patches
// in different blocks were independent. Layers are observed in groups, so that what is kept takes
// no more memory than kMomentBytes, however many layers there are and whatever their shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/log.h"
#include "quant/calibrate.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {

/// What is taken off the stored integers, so that products stay small.
inline constexpr int kPatchCenter = 128;

/// The moments of some elements of a layer's patches, in the order of its weight.
struct PatchBlock {
  std::size_t first = 0;  ///< the first of them, within a row of the weight
  std::size_t size = 0;
  /// A depthwise layer has a block per channel, each for a row of its own; others are for all rows.
  std::size_t row = 0;
  std::vector<std::int64_t> sums;      ///< per element: of q
  std::vector<std::int32_t> products;  ///< lower triangle, row by row: of q_i q_j
};

/// Of one layer. q are the stored integers less kPatchCenter, real = scale * (q + shift).
struct PatchMoments {
  std::int64_t samples = 0;
  double shift = 0;
  bool depthwise = false;
  std::vector<PatchBlock> blocks;
};

struct PatchOptions {
  std::int64_t most_batches = 128;  ///< the first so many of the source
  int threads = 0;                  ///< 0: all cores; does not change the result
};

/// What the moments of a group of layers may take. Enough for all layers of most networks.
inline constexpr std::uint64_t kMomentBytes = 96 << 20;

/// Every integer layer that has moments, in groups to be observed together, ascending.
std::vector<std::vector<ir::NodeId>> patch_groups(const IntegerPlan& plan);

/// The moments of each of `layers`. `stored`: how each value of the plan is stored, at most 8 bits.
/// Runs the network up to the last of them. REQUIRES: a group, which is not empty.
std::vector<PatchMoments> observe_patches(const IntegerPlan& plan,
                                          std::span<const ir::NodeId> layers,
                                          std::span<const AffineParameters> stored,
                                          const BatchSource& source, const PatchOptions& options,
                                          Log& log);

}  // namespace tvmq::quant
