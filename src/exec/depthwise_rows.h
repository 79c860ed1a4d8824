// The inner loops of depthwise convolutions: some rows of the result. Internal to exec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exec/convolution_problem.h"
#include "exec/pixel_sums.h"

namespace tvmq::exec {

/// Rows of the result that depthwise_rows_vnni() computes from the same arranged data: four rows of
/// data go into a register, of which a kernel of three needs three, and the next row of the result
/// the other three. 1 where rows of the result have too little in common.
std::int64_t rows_together(const ImageWindow& shape);

/// Weights in the two forms in which the loops read them.
struct DepthwiseWeights {
  /// `weights`: (channels, kernel height, kernel width).
  DepthwiseWeights(const ImageWindow& shape, const std::int8_t* weights);

  std::vector<std::int16_t> plain;  ///< [kernel height][kernel width][channels]
  /// [rows_together()][64 channels][16 channels][kernel width][4 kernel rows], each 16 channels by
  /// 4 rows: what one instruction multiplies. Of row r of those together the kernel begins r rows
  /// lower. Missing rows and channels are 0.
  std::vector<std::int8_t> packed;
  /// What sums start from, by channel, up to a multiple of 64: data of int8 is taken for uint8 and
  /// is 128 too large then.
  std::vector<std::int32_t> start;
};

/// sums[x][c] of row `y` of the result.
void depthwise_row_plain(const ImageWindow& shape, const DepthwiseWeights& weights,
                         const std::uint8_t* data, std::int64_t y, std::int32_t* sums);

/// The same of `rows` rows from `y` on, by instructions that multiply and add four bytes at a time.
/// With a receiver the sums of a row and of 64 channels are given to it at a time; `sums` has room
/// for those of one row then.
/// REQUIRES: has_avx512_vnni(), 1 <= rows <= rows_together(), and depthwise_scratch_bytes() bytes
/// of `scratch`, aligned to 64.
void depthwise_rows_vnni(const ImageWindow& shape, const DepthwiseWeights& weights,
                         const std::uint8_t* data, std::int64_t y, std::int64_t rows,
                         std::int32_t* sums, const SumsReceiver* receiver, std::byte* scratch);
std::size_t depthwise_scratch_bytes(const ImageWindow& shape);

}  // namespace tvmq::exec
