#include "quant/sparse_counts.h"

#include "base/error.h"

namespace tvmq::quant {

std::uint64_t SparseCounts::operator[](std::size_t index) const {
  const auto found = blocks_.find(index / kBlock);
  return found == blocks_.end() ? 0 : found->second[index % kBlock];
}

void SparseCounts::add(std::size_t index, std::uint64_t count) {
  check(index < size_, "a counter that there is");
  if (count != 0) blocks_[index / kBlock][index % kBlock] += count;
}

void SparseCounts::add(const SparseCounts& other) {
  check(size_ == other.size_, "as many counters");
  for (const auto& [block, counts] : other.blocks_) {
    Block& mine = blocks_[block];
    for (std::size_t i = 0; i < kBlock; ++i) mine[i] += counts[i];
  }
}

std::uint64_t SparseCounts::below(std::size_t index) const {
  std::uint64_t sum = 0;
  for_each([&](std::size_t i, std::uint64_t count) { sum += i < index ? count : 0; });
  return sum;
}

std::size_t SparseCounts::counter_of_rank(std::uint64_t rank) const {
  for (const auto& [block, counts] : blocks_) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      if (rank < counts[i]) return block * kBlock + i;
      rank -= counts[i];
    }
  }
  throw InternalError("a rank below the number of elements");
}

std::vector<std::uint64_t> SparseCounts::to_vector() const {
  std::vector<std::uint64_t> result(size_, 0);
  for_each([&](std::size_t i, std::uint64_t count) { result[i] = count; });
  return result;
}

}  // namespace tvmq::quant
