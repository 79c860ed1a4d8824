#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "ir/text.h"
#include "ir/verify.h"
#include "quant/bias_correction.h"
#include "quant/equalize.h"
#include "quant/integer_networks.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {
namespace {

/// Pruned channels hand on their bias, whatever their input.
TEST(IntegerRealize, ABiasBehindWeightsOfZeroIsNotRounded) {
  Network n;
  const NodeId weight = n.graph().add_constant(Tensor::zeros(ir::DType::kFloat32, {4, 4, 1, 1}));
  const NodeId conv =
      n.call(Op::kConv2D, {n.input(), weight},
             ir::Conv2DAttrs{.channels = 4, .kernel_size = ir::IntList{1, 1}, .out_layout = {}});
  const std::vector<float> bias{0.001F, -0.003F, 0.37F, 100};
  n.call(
      Op::kAdd,
      {conv, n.graph().add_constant(Tensor::from<float>({4, 1, 1}, std::span<const float>(bias)))});
  const Graph graph = n.finish();
  const IntegerPlan plan = plan_integer(graph, {});
  const Graph integer = realize_integer(plan, {.ranges = ranges_of(plan)}, {});
  const Tensor found = exec::run_reference(integer, *samples().load(0))[0];
  const auto values = found.data<float>();
  for (std::size_t channel = 0; channel < bias.size(); ++channel) {
    EXPECT_NEAR(values[channel * 64], bias[channel], 2e-6F) << channel;
  }
}

/// Weights of almost nothing have steps so small that the bias is no int32 multiple of them.
TEST(IntegerRealize, ABiasBeyondTheAccumulatorCountsOnce) {
  NullLog log;
  Network n;
  std::vector<float> weights(4 * 4, 0.5F);
  std::fill_n(weights.begin(), 4, 1e-12F);
  const NodeId weight =
      n.graph().add_constant(Tensor::from<float>({4, 4, 1, 1}, std::span<const float>(weights)));
  const NodeId conv =
      n.call(Op::kConv2D, {n.input(), weight},
             ir::Conv2DAttrs{.channels = 4, .kernel_size = ir::IntList{1, 1}, .out_layout = {}});
  const std::vector<float> bias{3, 1, 1, 1};
  n.call(
      Op::kAdd,
      {conv, n.graph().add_constant(Tensor::from<float>({4, 1, 1}, std::span<const float>(bias)))});
  const Graph graph = n.finish();
  const IntegerPlan plan = plan_integer(graph, {});
  const auto ranges = ranges_of(plan);
  const BiasOffsets offsets =
      correct_bias(plan, {.ranges = ranges}, {}, samples(), {.threads = 1}, log);
  const Graph corrected = realize_integer(plan, {.ranges = ranges, .offsets = offsets}, {});
  EXPECT_GT(sqnr(graph, corrected), 30) << ir::to_text(corrected);
}

/// Behind ReLU6 and, as equalization leaves it, a factor for each channel.
TEST(IntegerRealize, TheBoundOfAReLU6BecomesThatOfTheGrid) {
  struct Row {
    std::vector<float> factors;  ///< none: no multiplication
    float range;                 ///< of the stored value
    std::vector<double> clips;   ///< the highest values of clips that start at 0
  };
  const std::vector<Row> rows = {
      {{}, 6, {255}},         {{}, 5, {255}},  // the grid ends before the ReLU6 does
      {{}, 12, {127.5}},                       // 6 of 12 of 255 levels
      {{1, 2}, 6, {255}},                      // bounds are 6 and 12
      {{1, 2}, 12, {6, 255}},                  // 6 binds in the first channel only: the ReLU6 stays
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.factors.size() << " factors, range " << row.range);
    Network n;
    NodeId x = n.convolution(n.input(), 4, 2, 1);
    x = n.call(Op::kMultiply, {x, n.graph().add_constant(Tensor::scalar(8.0F))});
    x = n.call(Op::kClip, {x}, ir::ClipAttrs{.a_min = 0, .a_max = 6});
    if (!row.factors.empty()) {
      const Tensor factors = Tensor::from<float>({2, 1, 1}, std::span<const float>(row.factors));
      x = n.call(Op::kMultiply, {x, n.graph().add_constant(factors)});
    }
    n.convolution(x, 2, 4, 1);
    const Graph graph = n.finish();
    const IntegerPlan plan = plan_integer(graph, {});
    ASSERT_EQ(plan.observed.size(), 2U);
    const Graph integer = realize_integer(plan, {.ranges = {{-1, 1}, {0, row.range}}}, {});
    std::vector<double> clips;
    for (const Node& node : integer.nodes()) {
      if (!node.is_call(Op::kClip)) continue;
      const auto& attrs = node.attrs_as<ir::ClipAttrs>();
      if (attrs.a_min == 0) clips.push_back(attrs.a_max);
    }
    EXPECT_THAT(clips, testing::Pointwise(testing::DoubleNear(1e-4), row.clips))
        << ir::to_text(integer, {});
    const float reached = row.factors.empty() ? 6 : 12;
    EXPECT_EQ(sqnr(graph, integer) > 30, row.range >= reached) << sqnr(graph, integer);
  }
}

TEST(IntegerRealize, ASplitWhoseResultsAreNotAllNeededAsIntegers) {
  Network network;
  const NodeId halves =
      network.call(Op::kSplit, {network.input()}, ir::SplitAttrs{std::int64_t{2}, 1});
  const NodeId first = network.graph().add_tuple_get_item(halves, 0);
  const NodeId second = network.graph().add_tuple_get_item(halves, 1);
  const NodeId convolved = network.convolution(first, 2, 2, 3);
  const NodeId normalized = network.call(Op::kSoftmax, {second}, ir::SoftmaxAttrs{1});
  network.call(Op::kAdd, {convolved, normalized});
  const Graph graph = network.finish();

  const IntegerPlan plan = plan_integer(graph, {});
  const Graph quantized = realize_integer(plan, {.ranges = ranges_of(plan)}, {});
  EXPECT_EQ(ir::first_violation(quantized), std::nullopt);
  EXPECT_GT(sqnr(graph, quantized), 30);
}

TEST(IntegerRealize, PaddingWithAZeroOfAnyTypeIsDoneOnBytes) {
  for (const Tensor& zero : {Tensor::scalar(0.0F), Tensor::scalar(std::int32_t{0})}) {
    Network network;
    NodeId x = network.call(Op::kRelu, {network.convolution(network.input(), 4, 8, 3)});
    x = network.call(Op::kPad, {x, network.graph().add_constant(zero)},
                     ir::PadAttrs{.pad_width = {{0, 0}, {0, 0}, {0, 1}, {0, 1}}});
    network.convolution(x, 8, 8, 3, 8);
    const Graph graph = network.finish();
    const IntegerPlan plan = plan_integer(graph, {});
    const Graph quantized = realize_integer(plan, {.ranges = ranges_of(plan)}, {});
    EXPECT_EQ(count(quantized, Op::kPad, ir::DType::kFloat32), 0);
    EXPECT_GT(sqnr(graph, quantized), 30);
  }
}

TEST(IntegerRealize, WhatGoesPastAConvolutionIsNotRoundedOnItsWay) {
  NullLog log;
  const Graph graph = residual_past_convolutions();
  const IntegerPlan plan = plan_integer(graph, {});
  const auto values = equalizable(plan);
  ASSERT_EQ(values.size(), 3U);
  const auto statistics = observe_channels(plan.graph, values, samples(),
                                           {.title = "test", .most_batches = 4, .threads = 1}, log);
  const Graph equalized = equalize(plan, values, statistics, {});
  EXPECT_GT(count(equalized, Op::kMultiply, ir::DType::kFloat32), 0);
  for (const Graph& each : {graph, equalized}) {
    const IntegerPlan again = plan_integer(each, {});
    const Graph integer = realize_integer(again, {.ranges = ranges_of(again)}, {});
    for (const Node& node : integer.nodes()) {
      if (!node.is_call(Op::kCast)) continue;
      const bool widens = node.tensor_type().dtype == ir::DType::kFloat32 &&
                          integer[node.inputs[0]].tensor_type().dtype == ir::DType::kUInt8;
      EXPECT_FALSE(widens) << ir::to_text(integer, {.elide_large_constants = true});
    }
  }
}

}  // namespace
}  // namespace tvmq::quant
