#include "quant/integer_scheme.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "quant/bias_correction.h"
#include "quant/equalize.h"
#include "quant/integer_networks.h"

namespace tvmq::quant {
namespace {

struct NetworkCase {
  const char* name;
  Graph (*make)();
  int integer_convolutions;
};
void PrintTo(const NetworkCase& each, std::ostream* out) { *out << each.name; }

constexpr NetworkCase kNetworks[] = {
    {"chain", chain, 3},
    {"residual", residual_of_two_convolutions, 4},
    {"residual_past", residual_past_convolutions, 4},
    {"depthwise", depthwise_with_relu6_and_swish, 3},
    {"squeeze_excite", squeeze_excite, 3},
    {"concatenation", concatenation_and_pooling, 4},
    {"pooled_swish", pooled_swish_and_dense, 3},
    {"average_pooling", average_pooling, 7},
    {"leaky", leaky_activations, 3},
};

class IntegerScheme : public testing::TestWithParam<NetworkCase> {};

TEST_P(IntegerScheme, ComputesNearlyTheSameOnIntegers) {
  const Graph graph = GetParam().make();
  const IntegerPlan plan = plan_integer(graph, {});
  const Graph integer = realize_integer(plan, {.ranges = ranges_of(plan)}, {});
  EXPECT_GT(sqnr(graph, integer), 30) << ir::to_text(integer, {.elide_large_constants = true});
  EXPECT_EQ(count(integer, Op::kConv2D, ir::DType::kInt32), GetParam().integer_convolutions);
  EXPECT_EQ(count(integer, Op::kConv2D, ir::DType::kFloat32), 0);
}

TEST_P(IntegerScheme, FewerBitsAreWorse) {
  const Graph graph = GetParam().make();
  const IntegerPlan plan = plan_integer(graph, {});
  const auto ranges = ranges_of(plan);
  const double eight = sqnr(graph, realize_integer(plan, {.ranges = ranges}, {}));
  const double four =
      sqnr(graph, realize_integer(plan, {.ranges = ranges}, {.activation_bits = 4}));
  EXPECT_GT(eight, four + 12);
}

TEST_P(IntegerScheme, EqualizationKeepsTheFloatFunction) {
  NullLog log;
  const Graph graph = GetParam().make();
  const IntegerPlan plan = plan_integer(graph, {});
  const auto values = equalizable(plan);
  const auto statistics = observe_channels(plan.graph, values, samples(),
                                           {.title = "test", .most_batches = 4, .threads = 1}, log);
  EXPECT_GT(sqnr(graph, equalize(plan, values, statistics, {})), 100);
}

TEST_P(IntegerScheme, BiasCorrectionRestoresTheMeans) {
  NullLog log;
  const Graph graph = GetParam().make();
  const IntegerPlan plan = plan_integer(graph, {});
  const auto ranges = ranges_of(plan);
  const IntegerOptions coarse{.activation_bits = 4};
  const BiasOffsets one =
      correct_bias(plan, {.ranges = ranges}, coarse, samples(), {.threads = 1}, log);
  const BiasOffsets two =
      correct_bias(plan, {.ranges = ranges}, coarse, samples(), {.threads = 2}, log);
  EXPECT_EQ(one, two) << "does not depend on the number of threads";
  EXPECT_GT(sqnr(graph, realize_integer(plan, {.ranges = ranges, .offsets = one}, coarse)),
            sqnr(graph, realize_integer(plan, {.ranges = ranges}, coarse)) - 0.5);
}

INSTANTIATE_TEST_SUITE_P(Networks, IntegerScheme, testing::ValuesIn(kNetworks),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace tvmq::quant
