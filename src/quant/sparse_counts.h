// Many counters most of which stay zero: only those that do not take memory. Copies share it until
// one of them is changed, which must not be while another thread uses another of them.
//
// The patterns of a value's elements fill a few thousand of the hundred thousand counters that
// find its percentile to the last bit, a few hundred where the value is small; and a file of a few
// bytes can say that all of them are zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tvmq::quant {

class SparseCounts {
 public:
  SparseCounts() = default;  ///< none: not counted
  /// REQUIRES: counters <= 65536.
  explicit SparseCounts(std::size_t counters) : size_(counters) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint64_t operator[](std::size_t index) const;
  /// Fast behind the last counter that is not zero; elsewhere those behind it may have to move.
  /// REQUIRES: index < size().
  void add(std::size_t index, std::uint64_t count);
  /// REQUIRES: as many counters.
  void add(const SparseCounts& other);

  /// Adds add(index) to every counter that is not zero.
  template <class Add>
  void add_to_each(Add&& add) {
    Nonzeros& own = own_nonzeros();
    for (std::size_t i = 0; i < own.indices.size(); ++i) own.counts[i] += add(own.indices[i]);
  }

  /// Calls visit(index, count) for all counters that are not zero, in order.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    const Nonzeros& all = nonzeros();
    for (std::size_t i = 0; i < all.indices.size(); ++i) {
      visit(std::size_t{all.indices[i]}, all.counts[i]);
    }
  }
  [[nodiscard]] std::uint64_t total() const { return below(size_); }
  /// The sum of the counters before `index`.
  [[nodiscard]] std::uint64_t below(std::size_t index) const;
  /// The index of the counter that holds the element of `rank` (0-based) when the counters are
  /// walked in order. REQUIRES: rank < total().
  [[nodiscard]] std::size_t counter_of_rank(std::uint64_t rank) const;
  [[nodiscard]] std::vector<std::uint64_t> to_vector() const;

  bool operator==(const SparseCounts& other) const {
    return size_ == other.size_ && nonzeros() == other.nonzeros();
  }

 private:
  struct Nonzeros {
    std::vector<std::uint16_t> indices;  ///< ascending
    std::vector<std::uint64_t> counts;   ///< of each
    bool operator==(const Nonzeros&) const = default;
  };

  [[nodiscard]] const Nonzeros& nonzeros() const;
  /// For changes, which no other may see.
  Nonzeros& own_nonzeros();

  std::size_t size_ = 0;
  std::shared_ptr<Nonzeros> nonzeros_;  ///< null: all counters are zero
};

}  // namespace tvmq::quant
