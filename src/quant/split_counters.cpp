#include "quant/split_counters.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tvmq::quant {
namespace {

/// Whether one of a block is not zero. Inlined with a known `size` for all but the last block.
__attribute__((always_inline)) inline bool any_in(const std::uint16_t* even,
                                                  const std::uint16_t* odd, std::size_t size) {
  unsigned any = 0;
  for (std::size_t i = 0; i < size; ++i) any |= static_cast<unsigned>(even[i] | odd[i]);
  return any != 0;
}

/// The first block from `block` on with a counter that is not zero, or the number of blocks: most
/// of many counters are usually zero, and are passed over.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) std::size_t
next_block(const std::uint16_t* even, const std::uint16_t* odd, std::size_t block,
           std::size_t count) {
  constexpr std::size_t kBlock = SparseCounts::kBlock;
  for (; (block + 1) * kBlock <= count; ++block) {
    if (any_in(even + block * kBlock, odd + block * kBlock, kBlock)) return block;
  }
  const std::size_t first = block * kBlock;
  const bool rest = first < count && any_in(even + first, odd + first, count - first);
  return first < count && !rest ? block + 1 : block;
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void move_counts(
    std::uint16_t* even, std::uint16_t* odd, std::uint64_t* totals, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) totals[i] += static_cast<unsigned>(even[i]) + odd[i];
  std::fill_n(even, count, std::uint16_t{0});
  std::fill_n(odd, count, std::uint16_t{0});
}

}  // namespace

void SplitCounters::increment(std::span<const std::uint16_t> indices) {
  increments_ += indices.size();
  check(increments_ <= kMostIncrements, "counts fit in 16 bits");
  std::uint16_t* const even = even_.data();
  std::uint16_t* const odd = odd_.data();
  std::size_t i = 0;
  for (; i + 4 <= indices.size(); i += 4) {
    std::uint64_t four = 0;
    std::memcpy(&four, &indices[i], sizeof(four));
    ++even[four & 0xFFFF];
    ++odd[four >> 16 & 0xFFFF];
    ++even[four >> 32 & 0xFFFF];
    ++odd[four >> 48];
  }
  for (; i < indices.size(); ++i) ++(i % 2 == 0 ? even : odd)[indices[i]];
  if (indices.size() % 2 != 0) even_.swap(odd_);  // the turn of the other table
}

void SplitCounters::move_to(SparseCounts& totals) {
  check(totals.size() == even_.size(), "one total per counter");
  constexpr std::size_t kBlock = SparseCounts::kBlock;
  const std::size_t count = even_.size();
  const std::size_t blocks = (count + kBlock - 1) / kBlock;
  for (std::size_t block = 0;; ++block) {
    block = next_block(even_.data(), odd_.data(), block, count);
    if (block == blocks) break;
    const std::size_t first = block * kBlock;
    move_counts(&even_[first], &odd_[first], totals.block(block).data(),
                std::min(kBlock, count - first));
  }
  increments_ = 0;
}

}  // namespace tvmq::quant
