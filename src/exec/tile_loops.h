// From int32 sums of a few pixels to the bytes that are stored: what the joined instructions of
// elementwise_code.h compute, while a tile of sums is all but in registers. Internal to exec.
#pragma once

#include <cstdint>

#include "exec/elementwise_code.h"

namespace tvmq::exec {

/// Sums of neighbouring pixels and channels, and where their results go.
struct SumsTile {
  const std::int32_t* sums = nullptr;
  std::int64_t sums_step = 0;  ///< from one pixel to the next
  std::int64_t pixels = 0;
  std::int64_t channels = 0;
  // By channel, of the first one: operands b, c, d (if those are not bytes; null: zeros) and e.
  const std::int32_t* bias = nullptr;
  const float* factors = nullptr;
  const float* shifts = nullptr;
  const float* scales = nullptr;
  const std::byte* bytes = nullptr;  ///< kRequantizeSum: the first pixel's, as many as results
  std::byte* results = nullptr;
  std::int64_t results_step = 0;
};

/// Swish of -87 is below 1e-35; times this it is far from what rounding to a byte would notice.
inline constexpr float kLargestSwish = 1e20F;

/// Whether run_tile() knows the instruction: kRequantize, kRequantizeFloor, kRequantizeClipped,
/// kRequantizeSwish or kRequantizeSum of bytes; and the CPU is one with AVX-512 VNNI.
bool has_tile_loop(const Instruction& instruction);

/// Equal to run_instruction() to the bit. REQUIRES: has_tile_loop(instruction), and for
/// kRequantizeSwish that sums times factors times scales are below kLargestSwish.
void run_tile(const Instruction& instruction, const SumsTile& tile);

}  // namespace tvmq::exec
