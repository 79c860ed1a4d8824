#include "quant/split_counters.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tvmq::quant {
namespace {

/// Most of many counters are usually zero, and are passed over. Inlined with a known `size` for all
/// but the last block.
__attribute__((always_inline)) inline void move_block(std::uint16_t* even, std::uint16_t* odd,
                                                      std::uint64_t* totals, std::size_t size) {
  unsigned any = 0;
  for (std::size_t i = 0; i < size; ++i) any |= static_cast<unsigned>(even[i] | odd[i]);
  if (any == 0) return;
  for (std::size_t i = 0; i < size; ++i) totals[i] += static_cast<unsigned>(even[i]) + odd[i];
  std::fill_n(even, size, std::uint16_t{0});
  std::fill_n(odd, size, std::uint16_t{0});
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void move_counts(
    std::uint16_t* even, std::uint16_t* odd, std::uint64_t* totals, std::size_t count) {
  constexpr std::size_t kBlock = 32;
  std::size_t first = 0;
  for (; first + kBlock <= count; first += kBlock) {
    move_block(even + first, odd + first, totals + first, kBlock);
  }
  move_block(even + first, odd + first, totals + first, count - first);
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

void SplitCounters::move_to(std::vector<std::uint64_t>& totals) {
  check(totals.size() == even_.size(), "one total per counter");
  move_counts(even_.data(), odd_.data(), totals.data(), totals.size());
  increments_ = 0;
}

}  // namespace tvmq::quant
