#include "ir/window.h"

#include <gtest/gtest.h>

namespace tvmq::ir {
namespace {

TEST(Window, OneValueStandsForAllAxes) {
  EXPECT_EQ(per_axis({3}, 2), (IntList{3, 3}));
  EXPECT_EQ(per_axis({1, 2}, 2), (IntList{1, 2}));
  EXPECT_EQ(per_axis({1, 2, 3}, 2), (IntList{1, 2, 3})) << "as it is";
}

TEST(Window, PaddingIsBeforeThenBehind) {
  EXPECT_EQ(before_and_behind({1}, 2), (IntList{1, 1, 1, 1}));
  EXPECT_EQ(before_and_behind({1, 2}, 2), (IntList{1, 2, 1, 2}));
  EXPECT_EQ(before_and_behind({1, 2, 3, 4}, 2), (IntList{1, 2, 3, 4}));
  EXPECT_EQ(before_and_behind({5}, 1), (IntList{5, 5}));
  EXPECT_EQ(before_and_behind({1, 2, 3}, 2), (IntList{1, 2, 3})) << "as it is";
}

}  // namespace
}  // namespace tvmq::ir
