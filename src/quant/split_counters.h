// Counters that many values are added to one by one.
//
// An increment of a counter in memory waits for the one before it if that was the same counter, and
// the values of a network cluster around few. So neighbouring increments go to two tables in turn;
// and counts are of 16 bits, so that both tables stay in the fastest cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quant/sparse_counts.h"

namespace tvmq::quant {

class SplitCounters {
 public:
  /// Increments between two calls of move_to(); every second one is of the same table.
  static constexpr std::size_t kMostIncrements = 2 * std::size_t{0xFFFF};

  /// REQUIRES: counters <= 65536.
  explicit SplitCounters(std::size_t counters);

  /// REQUIRES: every index is below the number of counters.
  void increment(std::span<const std::uint16_t> indices);

  /// Adds all counts to `totals`, one per counter, and starts again from zero.
  void move_to(SparseCounts& totals);

 private:
  std::size_t size_;
  std::vector<std::uint16_t> even_;  ///< whole blocks, the rest stays zero
  std::vector<std::uint16_t> odd_;
  std::size_t increments_ = 0;
};

}  // namespace tvmq::quant
