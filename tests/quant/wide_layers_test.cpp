#include "quant/wide_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ir/rewrite.h"
#include "ir/text.h"
#include "quant/integer_networks.h"

namespace tvmq::quant {
namespace {

/// A convolution of `side` x `side` pixels, global pooling, a convolution of one pixel.
Graph of_pixels(std::int64_t side) {
  Network n;
  NodeId x = n.convolution(n.input(), 4, 8, 8 / side);
  x = n.call(Op::kGlobalAvgPool2D, {x}, ir::GlobalPool2DAttrs{});
  n.convolution(x, 8, 4, 1);
  return n.finish();
}

TEST(WideLayers, AreThoseWhoseInputWasSeenTooSeldom) {
  const IntegerPlan plan = plan_integer(of_pixels(8), {});
  const std::vector<std::string> both = {"nn.conv2d 'conv1'", "nn.conv2d 'conv2'"};
  const struct {
    std::int64_t batches;
    std::vector<std::string> expected;
  } rows[] = {
      {0, {}},          // no one looked
      {1, both},        // 64 values per channel of the first input
      {63, both},       // 4,032
      {64, {both[1]}},  // 4,096
      {4095, {both[1]}}, {4096, {}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(little_seen_layers(plan, row.batches), row.expected) << row.batches << " batches";
  }
}

TEST(WideLayers, WhatOtherKernelsHandOnIsLeftAsItIs) {
  const IntegerPlan plan = plan_integer(concatenation_and_pooling(), {});
  std::vector<std::string> direct;
  for (NodeId id = 0; id < plan.graph.size(); ++id) {
    if (is_layer(plan.roles[id]) && plan.graph[plan.graph[id].inputs[0]].is_call(Op::kMaxPool2D)) {
      direct.emplace_back(plan.graph[id].name);
    }
  }
  ASSERT_FALSE(direct.empty()) << "a layer behind a pooling of integers";
  for (const std::string& name : direct) {
    EXPECT_THAT(little_seen_layers(plan, 1),
                testing::Not(testing::Contains("nn.conv2d '" + name + "'")));
  }
}

TEST(WideLayers, NoneAtTheEndsWhereOneValueIsHandedOn) {
  for (const bool one_value : {false, true}) {
    const IntegerPlan plan =
        plan_integer(chain(), {.wide_layers = {"*"}, .one_value_at_ends = one_value});
    std::vector<bool> wide;
    for (const auto& layer : plan.layers) wide.push_back(layer.wide);
    EXPECT_THAT(wide, testing::ElementsAre(!one_value, true, !one_value));
  }
}

TEST(WideLayers, CoverFourTimesWhatWasSeenAsFarAsFloat32Goes) {
  const IntegerPlan plan = plan_integer(chain(), {.wide_layers = {"*"}});
  for (const float seen : {1.0F, 1e38F, 3e38F}) {
    const std::vector<Interval> extents(plan.observed.size(), Interval{-seen, seen});
    const auto stored = wide_stored_parameters(plan, {.ranges = extents, .extents = extents});
    const AffineParameters& input = stored[plan.observed[0]];
    EXPECT_TRUE(std::isfinite(input.scale)) << seen;
    EXPECT_GE(static_cast<double>(input.scale) * (input.highest - input.zero_point),
              std::min(4.0 * seen, 3.4e38))
        << seen;
    const std::vector<Interval> negative(plan.observed.size(), Interval{-seen, -seen});
    EXPECT_TRUE(
        std::isfinite(wide_stored_parameters(plan, {.ranges = negative})[plan.observed[0]].scale))
        << seen;
  }
}

/// `weight` on its own 8-bit grid: rounding it again changes nothing.
Tensor on_its_grid(const Tensor& weight) {
  const QuantizedWeight rounded =
      quantize_weight(weight, WeightScale::kMax, WeightGranularity::kPerChannel, 8);
  Tensor result(ir::DType::kFloat32, weight.shape());
  auto values = result.mutable_data<float>();
  const auto integers = rounded.values.data<std::int8_t>();
  const std::size_t row = values.size() / rounded.scales.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(integers[i]) * rounded.scales[i / row];
  }
  return result;
}

/// Only the rounding of inputs is left.
Graph with_exact_weights(const Graph& graph) {
  Graph result = ir::rewrite(graph, [](ir::GraphRewriter& r, NodeId id) {
    const Node& node = r.source()[id];
    const bool is_weight = node.is_constant() && (node.value.rank() == 2 || node.value.rank() == 4);
    return is_weight ? r.target().add_constant(on_its_grid(node.value)) : r.copy(id);
  });
  ir::infer_types(result);
  return result;
}

struct NetworkCase {
  const char* name;
  Graph (*make)();
  std::size_t narrow;  ///< layers that take 8 bits all the same
};
void PrintTo(const NetworkCase& each, std::ostream* out) { *out << each.name; }

class WideNetwork : public testing::TestWithParam<NetworkCase> {};

TEST_P(WideNetwork, LosesAlmostNothingToItsInputs) {
  const Graph graph = with_exact_weights(GetParam().make());
  const IntegerOptions wide{.wide_layers = {"*"}};
  const IntegerPlan plan = plan_integer(graph, wide);
  std::size_t narrow = 0;
  for (const auto& layer : plan.layers) narrow += layer.quantized && !layer.wide ? 1 : 0;
  EXPECT_EQ(narrow, GetParam().narrow);
  const Graph integer = realize_integer(plan, {.ranges = ranges_of(plan)}, wide);
  EXPECT_GT(sqnr(graph, integer), 70) << ir::to_text(integer, {.elide_large_constants = true});
  EXPECT_EQ(count(integer, Op::kConv2D, ir::DType::kFloat32), 0);
  std::size_t weights = 0;
  for (const Node& node : integer.nodes()) {
    weights += node.is_constant() && node.value.dtype() == ir::DType::kInt8 ? 1 : 0;
  }
  EXPECT_EQ(weights, plan.layers.size()) << "both products share the layer's weight";
}

constexpr NetworkCase kNetworks[] = {
    {"chain", chain, 0},
    {"residual", residual_of_two_convolutions, 0},
    {"residual_past", residual_past_convolutions, 0},
    {"depthwise", depthwise_with_relu6_and_swish, 0},
    {"squeeze_excite", squeeze_excite, 0},
    {"concatenation", concatenation_and_pooling, 0},
    {"leaky", leaky_activations, 0},
};

INSTANTIATE_TEST_SUITE_P(WideLayers, WideNetwork, testing::ValuesIn(kNetworks),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace tvmq::quant
