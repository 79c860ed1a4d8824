#include "quant/sparse_counts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"

namespace tvmq::quant {

const SparseCounts::Nonzeros& SparseCounts::nonzeros() const {
  static const Nonzeros none;
  return nonzeros_ == nullptr ? none : *nonzeros_;
}

SparseCounts::Nonzeros& SparseCounts::own_nonzeros() {
  if (nonzeros_ == nullptr) {
    nonzeros_ = std::make_shared<Nonzeros>();
  } else if (nonzeros_.use_count() > 1) {
    nonzeros_ = std::make_shared<Nonzeros>(*nonzeros_);
  }
  return *nonzeros_;
}

std::uint64_t SparseCounts::operator[](std::size_t index) const {
  const auto& [indices, counts] = nonzeros();
  const auto at = std::ranges::lower_bound(indices, index);
  return at == indices.end() || *at != index ? 0 : counts[at - indices.begin()];
}

void SparseCounts::add(std::size_t index, std::uint64_t count) {
  check(index < size_, "a counter that there is");
  if (count == 0) return;
  auto& [indices, counts] = own_nonzeros();
  const bool is_last = indices.empty() || indices.back() < index;
  const auto at = is_last ? indices.end() : std::ranges::lower_bound(indices, index);
  const auto counter = counts.begin() + (at - indices.begin());
  if (!is_last && *at == index) {
    *counter += count;
  } else {
    indices.insert(at, static_cast<std::uint16_t>(index));
    counts.insert(counter, count);
  }
}

void SparseCounts::add(const SparseCounts& other) {
  check(size_ == other.size_, "as many counters");
  const Nonzeros& left = nonzeros();
  const Nonzeros& right = other.nonzeros();
  if (right.indices.empty()) return;
  if (left.indices.empty()) {
    nonzeros_ = other.nonzeros_;
    return;
  }
  auto sum = std::make_shared<Nonzeros>();
  std::vector<std::uint16_t>& indices = sum->indices;
  indices.reserve(left.indices.size() + right.indices.size());
  std::ranges::set_union(left.indices, right.indices, std::back_inserter(indices));
  indices.shrink_to_fit();
  sum->counts.resize(indices.size());
  std::size_t l = 0;
  std::size_t r = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (l < left.indices.size() && left.indices[l] == indices[i]) {
      sum->counts[i] += left.counts[l++];
    }
    if (r < right.indices.size() && right.indices[r] == indices[i]) {
      sum->counts[i] += right.counts[r++];
    }
  }
  nonzeros_ = std::move(sum);
}

std::uint64_t SparseCounts::below(std::size_t index) const {
  std::uint64_t sum = 0;
  for_each([&](std::size_t i, std::uint64_t count) { sum += i < index ? count : 0; });
  return sum;
}

std::size_t SparseCounts::counter_of_rank(std::uint64_t rank) const {
  const auto& [indices, counts] = nonzeros();
  std::size_t i = 0;
  while (i < counts.size() && counts[i] <= rank) rank -= counts[i++];
  check(i < counts.size(), "a rank below the number of elements");
  return indices[i];
}

std::vector<std::uint64_t> SparseCounts::to_vector() const {
  std::vector<std::uint64_t> result(size_, 0);
  for_each([&](std::size_t i, std::uint64_t count) { result[i] = count; });
  return result;
}

}  // namespace tvmq::quant
