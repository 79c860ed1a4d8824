#include "quant/split_counters.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace tvmq::quant {
namespace {

/// Counters that are looked at together.
constexpr std::size_t kBlock = 64;

/// The first block from `block` on with a counter that is not zero, or `blocks`: most of many
/// counters are usually zero, and are passed over.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) std::size_t
next_block(const std::uint16_t* even, const std::uint16_t* odd, std::size_t block,
           std::size_t blocks) {
  for (; block < blocks; ++block) {
    unsigned any = 0;
    for (std::size_t i = block * kBlock; i < (block + 1) * kBlock; ++i) {
      any |= static_cast<unsigned>(even[i] | odd[i]);
    }
    if (any != 0) break;
  }
  return block;
}

}  // namespace

SplitCounters::SplitCounters(std::size_t counters)
    : size_(counters), even_((counters + kBlock - 1) / kBlock * kBlock, 0), odd_(even_.size(), 0) {}

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
  check(totals.size() == size_, "one total per counter");
  const auto take = [&](std::size_t index) {
    return std::uint64_t{std::exchange(even_[index], std::uint16_t{0})} +
           std::exchange(odd_[index], std::uint16_t{0});
  };
  totals.add_to_each(take);
  // What is left was zero until now: little, but for the first time.
  SparseCounts others(size_);
  const std::size_t blocks = even_.size() / kBlock;
  std::size_t block = next_block(even_.data(), odd_.data(), 0, blocks);
  while (block < blocks) {
    const std::size_t end = std::min((block + 1) * kBlock, size_);
    for (std::size_t i = block * kBlock; i < end; ++i) {
      if (const std::uint64_t count = take(i); count != 0) others.add(i, count);
    }
    block = next_block(even_.data(), odd_.data(), block + 1, blocks);
  }
  totals.add(others);
  increments_ = 0;
}

}  // namespace tvmq::quant
