#include "quant/exact_sum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace tvmq::quant {
namespace {

ExactSum sum_of(const std::vector<double>& terms) {
  ExactSum sum;
  for (const double term : terms) sum.add(term);
  return sum;
}

TEST(ExactSum, LosesNothing) {
  EXPECT_EQ(sum_of({}).value(), 0);
  EXPECT_EQ(sum_of({1e100, 1, -1e100}).value(), 1);
  EXPECT_EQ(sum_of({1, 1e-30, -1}).value(), 1e-30);
  EXPECT_EQ(sum_of(std::vector<double>(10, 0.1)).value(), 1.0);
}

TEST(ExactSum, RoundsOnceAndToEven) {
  const double epsilon = std::numeric_limits<double>::epsilon();
  EXPECT_EQ(sum_of({1, epsilon / 2}).value(), 1);                              // half way: to even
  EXPECT_EQ(sum_of({1, epsilon / 2, 1e-40}).value(), 1 + epsilon);             // a little above
  EXPECT_EQ(sum_of({1 + epsilon, epsilon / 2, -1e-40}).value(), 1 + epsilon);  // a little below
}

TEST(ExactSum, IsTheSameForEveryOrderAndGrouping) {
  std::mt19937 generator(5);
  std::vector<double> terms;
  for (int i = 0; i < 200; ++i) {
    terms.push_back(std::ldexp(static_cast<double>(generator()) - 2e9,
                               static_cast<int>(generator() % 200) - 100));
  }
  const ExactSum expected = sum_of(terms);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(terms.begin(), terms.end(), generator);
    const auto middle = terms.begin() + static_cast<std::ptrdiff_t>(generator() % terms.size());
    ExactSum sum = sum_of({terms.begin(), middle});
    sum.add(sum_of({middle, terms.end()}));
    EXPECT_EQ(sum.terms(), expected.terms());
    EXPECT_EQ(sum.value(), expected.value());
  }
  EXPECT_EQ(sum_of(expected.terms()), expected);
}

TEST(ExactSum, StaysNaNOnceItIs) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(sum_of({infinity, 1}).value()));
  EXPECT_TRUE(std::isnan(sum_of({1e308, 1e308, -1e308}).value()));
  EXPECT_EQ(sum_of({infinity}).terms().size(), 1U);
}

}  // namespace
}  // namespace tvmq::quant
