// Many counters most of which stay zero: only the neighbourhoods of those that do not take memory.
//
// The patterns of a value's elements fill a few thousand of the hundred thousand counters that
// find its percentile to the last bit; and a file of a few bytes can say that all of them are zero.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tvmq::quant {

class SparseCounts {
 public:
  /// Counters that are stored together.
  static constexpr std::size_t kBlock = 64;
  using Block = std::array<std::uint64_t, kBlock>;

  SparseCounts() = default;  ///< none: not counted
  /// REQUIRES: counters <= 65536.
  explicit SparseCounts(std::size_t counters) : size_(counters) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint64_t operator[](std::size_t index) const;
  /// REQUIRES: index < size().
  void add(std::size_t index, std::uint64_t count);
  /// REQUIRES: as many counters.
  void add(const SparseCounts& other);
  /// The kBlock counters from index `block * kBlock` on, to add something other than zeros to.
  Block& block(std::size_t block);

  /// Calls visit(index, count) for all counters that are not zero, in order.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (std::size_t block = 0; block < place_.size(); ++block) {
      const Block* counts = find(block);
      for (std::size_t i = 0; counts != nullptr && i < kBlock; ++i) {
        if ((*counts)[i] != 0) visit(block * kBlock + i, (*counts)[i]);
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

  bool operator==(const SparseCounts& other) const;

 private:
  static constexpr std::uint16_t kNone = 0xFFFF;

  /// The counters of a block; null if all of them are zero.
  [[nodiscard]] const Block* find(std::size_t block) const {
    const std::uint16_t place = block < place_.size() ? place_[block] : kNone;
    return place == kNone ? nullptr : &blocks_[place];
  }

  std::size_t size_ = 0;
  std::vector<std::uint16_t> place_;  ///< in blocks_, by block; empty: all counters are zero
  std::vector<Block> blocks_;         ///< one piece: many small ones would leave holes in the heap
};

}  // namespace tvmq::quant
