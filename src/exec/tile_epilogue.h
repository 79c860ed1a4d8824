// What follows a convolution, tile by tile of its sums: the epilogues that are one instruction.
// Internal to exec.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "exec/fast_kernel.h"
#include "exec/program_fuse.h"
#include "exec/tile_loops.h"

namespace tvmq::exec {

class TileEpilogue {
 public:
  /// `channel_axis`: as for BandElementwise. Nothing if the epilogue is not one of those that
  /// has_tile_loop(), with constants by channel.
  static std::optional<TileEpilogue> make(const ir::Graph& graph, const LiveValues& live,
                                          const ContractionStep& step, std::int64_t channel_axis);

  /// Computes results from sums[pixel * step + channel] of the pixels from `pixel` and the channels
  /// from `channel` on. `bytes`, if they are read, and `results` are those of pixel 0.
  void run(const std::int32_t* sums, std::int64_t step, std::int64_t pixel, std::int64_t pixels,
           std::int64_t channel, std::int64_t channels, const std::byte* bytes,
           std::byte* results) const;

  /// Of the result, and of the bytes that are added to it.
  [[nodiscard]] MemoryLayout layout() const { return layout_; }
  [[nodiscard]] bool reads_bytes() const { return instruction_.code == Code::kRequantizeSum; }
  [[nodiscard]] std::size_t constant_bytes() const {
    return bias_.byte_size() + factors_.byte_size() + shifts_.byte_size() + scales_.byte_size();
  }

 private:
  Instruction instruction_;
  MemoryLayout layout_;
  std::int64_t channels_ = 1;
  // By channel, as in SumsTile; empty: not an operand of the instruction.
  ir::Tensor bias_;
  ir::Tensor factors_;
  ir::Tensor shifts_;
  ir::Tensor scales_;
};

}  // namespace tvmq::exec
