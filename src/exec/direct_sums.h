// The inner loops of convolutions and dense layers of bytes: int32 sums of some pixels of a row.
// Internal to exec.
#pragma once

#include <cstdint>
#include <span>

#include "exec/pixel_sums.h"
#include "ir/tensor.h"

namespace tvmq::exec {

/// What all pixels have in common. The bytes that a kernel row covers are `runs` times `run_bytes`
/// neighbours; channels lie innermost, so that one run is all of a row that is not dilated.
struct DirectShape {
  std::int64_t channels = 1;    ///< of the result
  std::int64_t rows = 1;        ///< of the kernel
  std::int64_t runs = 1;        ///< in a kernel row
  std::int64_t run_bytes = 1;   ///< at least 1
  std::int64_t run_step = 0;    ///< bytes from one run of a row to the next
  std::int64_t row_step = 0;    ///< bytes from one kernel row's to the next one's
  std::int64_t pixel_step = 1;  ///< bytes from what one pixel of the result reads to the next one's
  std::int64_t sums_step = 1;   ///< sums from one pixel to the next
  bool is_signed = false;       ///< data is int8, not uint8
};

/// Weights in the order in which one of the two loops below reads them.
class DirectWeights {
 public:
  /// `weights`: (channels, rows, runs, run_bytes).
  DirectWeights(const DirectShape& shape, std::span<const std::int8_t> weights, bool for_vnni);

  /// For the plain loop: (rows, runs, run_bytes, channels). For the other: by 32 channels, then by
  /// row, run and four bytes, 16 channels by 4 bytes each: what one instruction multiplies. The
  /// last four bytes of a run overlap those before them, whose weights are 0 there.
  ir::Tensor order;
  /// What sums start from, by channel, up to a multiple of 16: data of int8 is taken for uint8 and
  /// is 128 too large then.
  ir::Tensor start;
  /// int64, for VNNI: where the four bytes lie, by row, run and four bytes, seen from the first
  /// byte that a pixel of the result reads.
  ir::Tensor offsets;
};

/// Pixels of the result: `rows` rows of `columns` neighbours each, one row's sums behind the
/// other's.
struct DirectPixels {
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  std::int64_t row_step = 0;  ///< bytes from what one row of the result reads to the next one's
};

/// Where sums go: to memory, or else to a receiver, which knows the first pixel and channel by
/// these numbers.
struct DirectTarget {
  std::int32_t* sums = nullptr;
  const SumsReceiver* receiver = nullptr;
  std::int64_t pixel = 0;
  std::int64_t channel = 0;
};

/// target.sums[pixel][channel]; `data` is the first byte that the first pixel reads.
void direct_sums_plain(const DirectShape& shape, const DirectWeights& weights,
                       const std::uint8_t* data, const DirectPixels& pixels,
                       const DirectTarget& target);

/// The same by instructions that multiply and add four bytes at a time.
/// REQUIRES: has_avx512_vnni(), run_bytes >= 4.
void direct_sums_vnni(const DirectShape& shape, const DirectWeights& weights,
                      const std::uint8_t* data, const DirectPixels& pixels,
                      const DirectTarget& target);

/// Pixels that direct_sums_vnni() computes at a time, with 32 channels.
inline constexpr std::int64_t kDirectPixels = 14;

}  // namespace tvmq::exec
