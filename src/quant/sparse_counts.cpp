#include "quant/sparse_counts.h"

#include "base/error.h"

namespace tvmq::quant {

SparseCounts::Block& SparseCounts::block(std::size_t block) {
  if (place_.empty()) place_.resize((size_ + kBlock - 1) / kBlock, kNone);
  std::uint16_t& place = place_.at(block);
  if (place == kNone) {
    place = static_cast<std::uint16_t>(blocks_.size());
    blocks_.emplace_back();
  }
  return blocks_[place];
}

std::uint64_t SparseCounts::operator[](std::size_t index) const {
  const Block* counts = find(index / kBlock);
  return counts == nullptr ? 0 : (*counts)[index % kBlock];
}

void SparseCounts::add(std::size_t index, std::uint64_t count) {
  check(index < size_, "a counter that there is");
  if (count != 0) block(index / kBlock)[index % kBlock] += count;
}

void SparseCounts::add(const SparseCounts& other) {
  check(size_ == other.size_, "as many counters");
  other.for_each([&](std::size_t index, std::uint64_t count) { add(index, count); });
}

std::uint64_t SparseCounts::below(std::size_t index) const {
  std::uint64_t sum = 0;
  for_each([&](std::size_t i, std::uint64_t count) { sum += i < index ? count : 0; });
  return sum;
}

std::size_t SparseCounts::counter_of_rank(std::uint64_t rank) const {
  std::size_t found = size_;
  for_each([&](std::size_t index, std::uint64_t count) {
    if (found != size_) return;
    if (rank < count) {
      found = index;
    } else {
      rank -= count;
    }
  });
  check(found != size_, "a rank below the number of elements");
  return found;
}

std::vector<std::uint64_t> SparseCounts::to_vector() const {
  std::vector<std::uint64_t> result(size_, 0);
  for_each([&](std::size_t i, std::uint64_t count) { result[i] = count; });
  return result;
}

bool SparseCounts::operator==(const SparseCounts& other) const {
  return size_ == other.size_ && to_vector() == other.to_vector();
}

}  // namespace tvmq::quant
