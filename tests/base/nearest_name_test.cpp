#include "base/nearest_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tvmq {
namespace {

TEST(NearestName, ByEditDistanceInAnyCase) {
  const std::vector<std::string_view> known = {"Mean", "Std", "BatchSize", "Layout"};
  EXPECT_EQ(nearest_name("Batchsize", known), "BatchSize");
  EXPECT_EQ(nearest_name("Meen", known), "Mean");
  EXPECT_EQ(nearest_name("BatchSizes", known), "BatchSize");
  EXPECT_EQ(nearest_name("", known), "Std");
}

TEST(NearestName, LongNamesTakeNoLongTime) {
  const std::string longest(10'000'000, 'B');
  const std::string other(10'000'000, 'M');
  const std::vector<std::string_view> known = {other, "BatchSize", longest};
  EXPECT_EQ(nearest_name(longest + "Mean", known), longest);
}

}  // namespace
}  // namespace tvmq
