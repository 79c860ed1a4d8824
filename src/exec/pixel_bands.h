// Integer convolutions and dense layers on loops of our own, together with what follows them.
// Internal to exec.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "exec/band_elementwise.h"
#include "exec/fast_kernel.h"
#include "exec/pixel_sums.h"
#include "exec/tile_epilogue.h"

namespace tvmq::exec {

/// The result of a convolution: `pixels` per image, `channels` sums per pixel, innermost.
struct PixelBandsShape {
  std::int64_t images = 1;
  std::int64_t pixels = 1;
  std::int64_t channels = 1;
  std::int64_t data_image_bytes = 1;
  std::int64_t made_bytes = 0;  ///< of a pixel of the data, if a prologue makes them
};

/// The pixels that one band computes, and those of the last band if that is shorter: what a
/// BandElementwise is made for.
std::vector<std::int64_t> band_counts(const PixelBandsShape& shape, const PixelSums& sums);

/// What becomes of the sums: they are the result; or they are finished tile by tile; or band by
/// band, while they are in the first-level cache.
using PixelEpilogue = std::variant<std::monostate, TileEpilogue, BandElementwise>;

/// Computes a band of pixels after the other. `prologue` makes the data of a pointwise convolution,
/// a band at a time; then there is an epilogue. A BandElementwise is for band_counts(). Bands are
/// spread over the threads; the result is the same for any number of them.
std::unique_ptr<const FastKernel> make_pixel_bands(const PixelBandsShape& shape,
                                                   std::unique_ptr<const PixelSums> sums,
                                                   PixelEpilogue epilogue,
                                                   std::optional<BandElementwise> prologue = {});

}  // namespace tvmq::exec
