#include "quant/sparse_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "base/error.h"

namespace tvmq::quant {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// Neighbours, both ends, one alone in the middle.
SparseCounts some_counts() {
  SparseCounts counts(1000);
  counts.add(999, 4);
  counts.add(0, 1);
  counts.add(500, 2);
  counts.add(1, 3);
  counts.add(500, 5);
  counts.add(700, 0);
  return counts;
}

std::vector<std::pair<std::size_t, std::uint64_t>> nonzeros(const SparseCounts& counts) {
  std::vector<std::pair<std::size_t, std::uint64_t>> result;
  counts.for_each(
      [&](std::size_t index, std::uint64_t count) { result.emplace_back(index, count); });
  return result;
}

TEST(SparseCounts, AreWhatWasAdded) {
  const SparseCounts counts = some_counts();
  EXPECT_THAT(nonzeros(counts), ElementsAre(Pair(0, 1), Pair(1, 3), Pair(500, 7), Pair(999, 4)));
  EXPECT_EQ(counts[500], 7U);
  EXPECT_EQ(counts[501], 0U);
  EXPECT_EQ(counts[700], 0U);
  EXPECT_EQ(counts.total(), 15U);
  EXPECT_EQ(counts.to_vector().size(), 1000U);
  EXPECT_EQ(counts.to_vector()[999], 4U);
}

TEST(SparseCounts, AddToThoseThatAreNotZero) {
  SparseCounts counts = some_counts();
  counts.add_to_each([](std::size_t index) { return index / 100; });
  EXPECT_THAT(nonzeros(counts), ElementsAre(Pair(0, 1), Pair(1, 3), Pair(500, 12), Pair(999, 13)));
}

TEST(SparseCounts, KnowWhatIsBelow) {
  const SparseCounts counts = some_counts();
  EXPECT_EQ(counts.below(0), 0U);
  EXPECT_EQ(counts.below(1), 1U);
  EXPECT_EQ(counts.below(500), 4U);
  EXPECT_EQ(counts.below(999), 11U);
}

TEST(SparseCounts, FindARankAsIfAllWereWalked) {
  const SparseCounts counts = some_counts();
  EXPECT_EQ(counts.counter_of_rank(0), 0U);
  EXPECT_EQ(counts.counter_of_rank(1), 1U);
  EXPECT_EQ(counts.counter_of_rank(3), 1U);
  EXPECT_EQ(counts.counter_of_rank(4), 500U);
  EXPECT_EQ(counts.counter_of_rank(10), 500U);
  EXPECT_EQ(counts.counter_of_rank(14), 999U);
  EXPECT_THROW((void)counts.counter_of_rank(15), InternalError);
}

TEST(SparseCounts, AreEqualWhateverTheOrder) {
  SparseCounts other(1000);
  other.add(1, 3);
  other.add(500, 7);
  SparseCounts rest(1000);
  rest.add(0, 1);
  rest.add(999, 4);
  EXPECT_NE(other, some_counts());
  other.add(rest);
  EXPECT_EQ(other, some_counts());
  EXPECT_NE(SparseCounts(1000), SparseCounts(1001));
}

TEST(SparseCounts, CopiesAreTheirOwn) {
  SparseCounts counts = some_counts();
  const SparseCounts before = counts;
  SparseCounts sum(1000);
  sum.add(counts);
  counts.add(500, 1);
  counts.add(3, 1);
  EXPECT_EQ(before, some_counts());
  EXPECT_EQ(sum, some_counts());
  sum.add_to_each([](std::size_t) { return 1; });
  EXPECT_EQ(before, some_counts());
  EXPECT_EQ(counts[500], 8U);
  EXPECT_EQ(sum[500], 8U);
  EXPECT_EQ(sum[3], 0U);
}

TEST(SparseCounts, RefuseCountersThatThereAreNot) {
  SparseCounts counts(1000);
  EXPECT_THROW(counts.add(1000, 1), InternalError);
  EXPECT_THROW(counts.add(SparseCounts(999)), InternalError);
  EXPECT_TRUE(SparseCounts().empty());
  EXPECT_FALSE(counts.empty());
}

}  // namespace
}  // namespace tvmq::quant
