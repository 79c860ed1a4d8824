// Many counters most of which stay zero: only the neighbourhoods of those that do not take memory.
//
// The patterns of a value's elements fill a few thousand of the hundred thousand counters that
// find its percentile to the last bit; and a file of a few bytes can say that all of them are zero.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace tvmq::quant {

class SparseCounts {
 public:
  /// Counters that are stored together.
  static constexpr std::size_t kBlock = 64;
  using Block = std::array<std::uint64_t, kBlock>;

  SparseCounts() = default;  ///< none: not counted
  explicit SparseCounts(std::size_t counters) : size_(counters) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint64_t operator[](std::size_t index) const;
  /// REQUIRES: index < size().
  void add(std::size_t index, std::uint64_t count);
  /// REQUIRES: as many counters.
  void add(const SparseCounts& other);
  /// The kBlock counters from index `block * kBlock` on, to add something other than zeros to.
  Block& block(std::size_t block) { return blocks_[block]; }

  /// Calls visit(index, count) for all counters that are not zero, in order.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const auto& [block, counts] : blocks_) {
      for (std::size_t i = 0; i < kBlock; ++i) {
        if (counts[i] != 0) visit(block * kBlock + i, counts[i]);
      }
    }
  }
  [[nodiscard]] std::uint64_t total() const { return below(size_); }
  /// The sum of the counters before `index`.
  [[nodiscard]] std::uint64_t below(std::size_t index) const;
  /// The index of the counter that holds the element of `rank` (0-based) when the counters are
  /// walked in order. REQUIRES: rank < total().
  [[nodiscard]] std::size_t counter_of_rank(std::uint64_t rank) const;
  [[nodiscard]] std::vector<std::uint64_t> to_vector() const;

  bool operator==(const SparseCounts&) const = default;

 private:
  std::size_t size_ = 0;
  std::map<std::size_t, Block> blocks_;  ///< none of them is all zero
};

}  // namespace tvmq::quant
