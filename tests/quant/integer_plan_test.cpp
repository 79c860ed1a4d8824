#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "quant/equalize.h"
#include "quant/integer_networks.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {
namespace {

TEST(IntegerPlan, SkippedAndUnsuitableLayersStayFloatAndSayWhy) {
  Network n;
  NodeId x = n.convolution(n.input(), 4, 8, 3);
  x = n.convolution(x, 8, 8, 3, 2);
  n.convolution(x, 8, 4, 1);
  const IntegerPlan plan = plan_integer(n.finish(), {.skip_conv_layers = {0}});
  ASSERT_EQ(plan.layers.size(), 3U);
  EXPECT_NE(plan.layers[0].reason.find("SkipConvLayers"), std::string::npos);
  EXPECT_NE(plan.layers[1].reason.find("grouped"), std::string::npos);
  EXPECT_TRUE(plan.layers[2].quantized);
}

TEST(IntegerPlan, AWeightThatIsNotFiniteIsRefusedUnlessItStaysFloat) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    Network n;
    const NodeId weight = n.graph().add_constant(Tensor::from<float>(
        {1, 4, 1, 1}, std::span<const float>(std::array{1.0F, 2.0F, bad, 4.0F})));
    n.call(Op::kConv2D, {n.input(), weight},
           ir::Conv2DAttrs{.channels = 1, .kernel_size = ir::IntList{1, 1}, .out_layout = {}});
    const Graph graph = n.finish();
    EXPECT_THAT([&] { plan_integer(graph, {}); },
                testing::ThrowsMessage<InputError>(testing::HasSubstr("element 2 of its weight")));
    EXPECT_EQ(plan_integer(graph, {.skip_conv_layers = {0}}).layers.size(), 1U);
  }
}

TEST(IntegerPlan, OnlyWhatIntegerKernelsReadIsStored) {
  // The input, the stem's ReLU, the sum's ReLU; not the branches that meet in the sum.
  EXPECT_EQ(plan_integer(residual_of_two_convolutions(), {}).observed.size(), 3U);
  // The input, what the fc of the gate and the last convolution read; not what the gate opens.
  EXPECT_EQ(plan_integer(squeeze_excite(), {}).observed.size(), 3U);
}

TEST(IntegerPlan, EqualizationReachesThroughPoolingAndFlattening) {
  const IntegerPlan plan = plan_integer(pooled_swish_and_dense(), {});
  // Behind swish (read by a pooling), the gated value, what the mean reads, what dense reads; not
  // the input, and the gate's operand.
  std::vector<std::string> ops;
  for (const NodeId id : equalizable(plan)) ops.emplace_back(plan.graph[id].op_name());
  EXPECT_EQ(ops, (std::vector<std::string>{"multiply", "nn.global_avg_pool2d", "multiply",
                                           "nn.relu", "nn.global_avg_pool2d"}));
}

TEST(IntegerPlan, ADiamondOfElementwiseStepsIsNotStored) {
  const IntegerPlan plan = plan_integer(depthwise_with_relu6_and_swish(), {});
  // The input, behind ReLU6, behind swish: not the operand that swish uses twice.
  EXPECT_EQ(plan.observed.size(), 3U);
}

TEST(IntegerPlan, ConcatenationAndPoolingShareOneScale) {
  const IntegerPlan plan = plan_integer(concatenation_and_pooling(), {});
  NodeId concatenation = 0;
  for (NodeId id = 0; id < plan.graph.size(); ++id) {
    if (plan.graph[id].is_call(Op::kConcatenate)) concatenation = id;
  }
  const Node& tuple = plan.graph[plan.graph[concatenation].inputs[0]];
  EXPECT_EQ(plan.groups[tuple.inputs[0]], plan.groups[tuple.inputs[1]]);
  EXPECT_EQ(plan.groups[tuple.inputs[0]], plan.groups[concatenation]);
}

}  // namespace
}  // namespace tvmq::quant
