#include "quant/sparse_counts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"

namespace tvmq::quant {

std::uint64_t SparseCounts::operator[](std::size_t index) const {
  const auto at = std::ranges::lower_bound(indices_, index);
  return at == indices_.end() || *at != index ? 0 : counts_[at - indices_.begin()];
}

void SparseCounts::add(std::size_t index, std::uint64_t count) {
  check(index < size_, "a counter that there is");
  if (count == 0) return;
  const bool is_last = indices_.empty() || indices_.back() < index;
  const auto at = is_last ? indices_.end() : std::ranges::lower_bound(indices_, index);
  const auto counter = counts_.begin() + (at - indices_.begin());
  if (!is_last && *at == index) {
    *counter += count;
  } else {
    indices_.insert(at, static_cast<std::uint16_t>(index));
    counts_.insert(counter, count);
  }
}

void SparseCounts::add(const SparseCounts& other) {
  check(size_ == other.size_, "as many counters");
  if (other.indices_.empty()) return;
  std::vector<std::uint16_t> indices;
  indices.reserve(indices_.size() + other.indices_.size());
  std::ranges::set_union(indices_, other.indices_, std::back_inserter(indices));
  indices.shrink_to_fit();
  std::vector<std::uint64_t> counts(indices.size());
  std::size_t left = 0;
  std::size_t right = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (left < indices_.size() && indices_[left] == indices[i]) counts[i] += counts_[left++];
    if (right < other.indices_.size() && other.indices_[right] == indices[i]) {
      counts[i] += other.counts_[right++];
    }
  }
  indices_ = std::move(indices);
  counts_ = std::move(counts);
}

std::uint64_t SparseCounts::below(std::size_t index) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < indices_.size() && indices_[i] < index; ++i) sum += counts_[i];
  return sum;
}

std::size_t SparseCounts::counter_of_rank(std::uint64_t rank) const {
  std::size_t i = 0;
  while (i < counts_.size() && counts_[i] <= rank) rank -= counts_[i++];
  check(i < counts_.size(), "a rank below the number of elements");
  return indices_[i];
}

std::vector<std::uint64_t> SparseCounts::to_vector() const {
  std::vector<std::uint64_t> result(size_, 0);
  for_each([&](std::size_t i, std::uint64_t count) { result[i] = count; });
  return result;
}

}  // namespace tvmq::quant
