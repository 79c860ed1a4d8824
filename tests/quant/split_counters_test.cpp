#include "quant/split_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace tvmq::quant {
namespace {

using ::testing::ElementsAre;

TEST(SplitCounters, CountEveryIndex) {
  SplitCounters counters(5);
  counters.increment(std::vector<std::uint16_t>{4, 1, 1, 4, 4, 0, 1});
  counters.increment(std::vector<std::uint16_t>{});
  counters.increment(std::vector<std::uint16_t>{4});
  SparseCounts totals(5);
  totals.add(1, 10);
  counters.move_to(totals);
  EXPECT_THAT(totals.to_vector(), ElementsAre(1, 13, 0, 0, 4));
  counters.move_to(totals);
  EXPECT_THAT(totals.to_vector(), ElementsAre(1, 13, 0, 0, 4)) << "handed over once";
}

TEST(SplitCounters, HoldAsManyAsPromisedOfOneKind) {
  // In pieces of odd lengths, so that the two tables have to take turns across calls.
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{1001}}) {
    SplitCounters counters(40);
    const std::vector<std::uint16_t> indices(piece, 33);
    std::size_t count = 0;
    for (; count + piece <= SplitCounters::kMostIncrements; count += piece) {
      counters.increment(indices);
    }
    SparseCounts totals(40);
    counters.move_to(totals);
    EXPECT_EQ(totals[33], count) << piece;
  }
}

TEST(SplitCounters, HandOverEveryCounterOfManyBlocks) {
  constexpr std::size_t kCounters = 5 * 64 + 7;  // whole blocks and a rest
  for (std::size_t index = 0; index < kCounters; ++index) {
    SplitCounters counters(kCounters);
    counters.increment(std::vector<std::uint16_t>{static_cast<std::uint16_t>(index)});
    SparseCounts totals(kCounters);
    counters.move_to(totals);
    EXPECT_EQ(totals.total(), 1U) << index;
    EXPECT_EQ(totals[index], 1U) << index;
  }
}

TEST(SplitCounters, RefuseMore) {
  SplitCounters counters(2);
  const std::vector<std::uint16_t> indices(SplitCounters::kMostIncrements, 1);
  counters.increment(indices);
  EXPECT_THROW(counters.increment(std::vector<std::uint16_t>{0}), InternalError);
}

}  // namespace
}  // namespace tvmq::quant
