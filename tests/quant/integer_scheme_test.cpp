#include "quant/integer_scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "exec/reference_executor.h"
#include "ir/infer_types.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "quant/bias_correction.h"
#include "quant/equalize.h"

namespace tvmq::quant {
namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::Op;
using ir::Tensor;

/// Reproducible values in [-1, 1), the same on every machine.
std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 1664525U + 1013904223U;
    value = static_cast<float>(seed >> 8) / static_cast<float>(1 << 23) - 1;
  }
  return values;
}

Tensor random_tensor(const ir::Shape& shape, std::uint32_t seed) {
  const auto values = noise(static_cast<std::size_t>(ir::element_count(shape).value()), seed);
  return Tensor::from<float>(shape, std::span<const float>(values));
}

class Network {
 public:
  Network() {
    last_ = input_ = graph_.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 4, 8, 8}});
  }

  NodeId convolution(NodeId data, std::int64_t in, std::int64_t out, std::int64_t kernel,
                     std::int64_t groups = 1) {
    const NodeId weight =
        graph_.add_constant(random_tensor({out, in / groups, kernel, kernel}, ++seed_));
    const std::int64_t pad = kernel / 2;
    const NodeId conv = graph_.add_call(Op::kConv2D, {data, weight},
                                        ir::Conv2DAttrs{.padding = {pad, pad, pad, pad},
                                                        .groups = groups,
                                                        .channels = out,
                                                        .kernel_size = ir::IntList{kernel, kernel},
                                                        .out_layout = {}},
                                        "conv" + std::to_string(++count_));
    const NodeId bias = graph_.add_constant(random_tensor({out, 1, 1}, ++seed_));
    return call(Op::kAdd, {conv, bias});
  }
  NodeId call(Op op, std::vector<NodeId> inputs, ir::Attrs attrs = {}) {
    return last_ = graph_.add_call(op, std::move(inputs), std::move(attrs));
  }
  NodeId input() const { return input_; }
  Graph& graph() { return graph_; }
  Graph finish() {
    graph_.set_output(last_);
    ir::infer_types(graph_);
    return graph_;
  }

 private:
  Graph graph_;
  NodeId input_ = 0;
  NodeId last_ = 0;
  std::uint32_t seed_ = 0;
  int count_ = 0;
};

BatchSource samples() {
  return {.batches = 4,
          .load =
              [](std::int64_t batch) {
                return std::vector<Tensor>{
                    random_tensor({1, 4, 8, 8}, 100 + static_cast<std::uint32_t>(batch))};
              },
          .describe = [](std::int64_t batch) { return std::to_string(batch); }};
}

std::vector<Interval> ranges_of(const IntegerPlan& plan) {
  NullLog log;
  std::vector<Interval> ranges;
  for (const auto& entry :
       calibrate(plan.graph, plan.observed, samples(), {.mode = CalibMode::kMinMax}, log).entries) {
    ranges.push_back({entry.min, entry.max});
  }
  return ranges;
}

double sqnr(const Graph& wanted, const Graph& found) {
  double signal = 0;
  double error = 0;
  for (std::int64_t batch = 0; batch < samples().batches; ++batch) {
    const auto inputs = *samples().load(batch);
    const Tensor a = exec::run_reference(wanted, inputs)[0];
    const Tensor b = exec::run_reference(found, inputs)[0];
    for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
      const double x = a.data<float>()[i];
      const double y = b.data<float>()[i];
      signal += x * x;
      error += (x - y) * (x - y);
    }
  }
  return 10 * std::log10(signal / error);
}

int count(const Graph& graph, Op op, ir::DType dtype) {
  int result = 0;
  for (const Node& node : graph.nodes()) {
    result += node.is_call(op) && node.tensor_type().dtype == dtype ? 1 : 0;
  }
  return result;
}

struct NetworkCase {
  const char* name;
  Graph (*make)();
  int integer_convolutions;
};

Graph chain() {
  Network n;
  NodeId x = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  x = n.call(Op::kRelu, {n.convolution(x, 8, 8, 1)});
  n.convolution(x, 8, 4, 3);
  return n.finish();
}

Graph residual_of_two_convolutions() {
  Network n;
  const NodeId stem = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  const NodeId left = n.convolution(stem, 8, 8, 3);
  const NodeId right = n.convolution(stem, 8, 8, 1);
  const NodeId sum = n.call(Op::kRelu, {n.call(Op::kAdd, {left, right})});
  n.convolution(sum, 8, 4, 1);
  return n.finish();
}

/// A sum past a convolution, and another sum past that.
Graph residual_past_convolutions() {
  Network n;
  NodeId x = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  x = n.call(Op::kRelu, {n.call(Op::kAdd, {n.convolution(x, 8, 8, 3), x})});
  x = n.call(Op::kAdd, {x, n.convolution(x, 8, 8, 3, 8)});
  n.convolution(x, 8, 4, 1);
  return n.finish();
}

Graph depthwise_with_relu6_and_swish() {
  Network n;
  NodeId x =
      n.call(Op::kClip, {n.convolution(n.input(), 4, 8, 1)}, ir::ClipAttrs{.a_min = 0, .a_max = 6});
  x = n.convolution(x, 8, 8, 3, 8);
  x = n.call(Op::kMultiply, {x, n.call(Op::kSigmoid, {x})});
  n.convolution(x, 8, 4, 1);
  return n.finish();
}

Graph squeeze_excite() {
  Network n;
  const NodeId x = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  NodeId gate = n.call(Op::kGlobalAvgPool2D, {x}, ir::GlobalPool2DAttrs{});
  gate = n.call(Op::kSigmoid, {n.convolution(gate, 8, 8, 1)});
  n.convolution(n.call(Op::kMultiply, {x, gate}), 8, 4, 1);
  return n.finish();
}

Graph concatenation_and_pooling() {
  Network n;
  const NodeId stem = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  const NodeId left = n.call(Op::kRelu, {n.convolution(stem, 8, 4, 1)});
  const NodeId right = n.call(Op::kTanh, {n.convolution(stem, 8, 4, 3)});
  NodeId x = n.graph().add_tuple({left, right});
  x = n.call(Op::kConcatenate, {x}, ir::ConcatenateAttrs{.axis = 1});
  x = n.call(Op::kMaxPool2D, {x},
             ir::MaxPool2DAttrs{.pool_size = {2, 2}, .strides = {2, 2}, .out_layout = {}});
  n.convolution(x, 8, 4, 3);
  return n.finish();
}

/// A swish whose result only a pooling, a gate and, flattened, a dense layer read.
Graph pooled_swish_and_dense() {
  Network n;
  NodeId x = n.convolution(n.input(), 4, 8, 3);
  x = n.call(Op::kMultiply, {x, n.call(Op::kSigmoid, {x})});
  x = n.call(Op::kMaxPool2D, {x},
             ir::MaxPool2DAttrs{.pool_size = {2, 2}, .strides = {2, 2}, .out_layout = {}});
  NodeId gate = n.call(Op::kGlobalAvgPool2D, {x}, ir::GlobalPool2DAttrs{});
  gate = n.call(Op::kSigmoid, {n.convolution(gate, 8, 8, 1)});
  x = n.convolution(n.call(Op::kMultiply, {x, gate}), 8, 8, 1);
  x = n.call(Op::kGlobalAvgPool2D, {n.call(Op::kRelu, {x})}, ir::GlobalPool2DAttrs{});
  x = n.call(Op::kBatchFlatten, {x});
  n.call(Op::kDense, {x, n.graph().add_constant(random_tensor({5, 8}, 77))}, ir::DenseAttrs{});
  return n.finish();
}

/// Windows that the border cuts, behind a swish (its zero point is not 0), and windows side by
/// side.
Graph average_pooling() {
  Network n;
  NodeId x = n.convolution(n.input(), 4, 8, 3);
  x = n.call(Op::kMultiply, {x, n.call(Op::kSigmoid, {x})});
  x = n.call(Op::kAvgPool2D, {x},
             ir::AvgPool2DAttrs{.pool_size = {3, 3}, .padding = {1, 1, 1, 1}, .out_layout = {}});
  x = n.call(Op::kRelu, {n.convolution(x, 8, 8, 1)});
  x = n.call(Op::kAvgPool2D, {x},
             ir::AvgPool2DAttrs{.pool_size = {2, 2}, .strides = {2, 2}, .out_layout = {}});
  x = n.convolution(x, 8, 8, 1);
  x = n.call(Op::kAvgPool2D, {x},
             ir::AvgPool2DAttrs{.pool_size = {2, 3},
                                .padding = {1, 1, 0, 1},
                                .out_layout = {},
                                .count_include_pad = true});
  n.convolution(x, 8, 4, 1);
  return n.finish();
}

Graph leaky_activations() {
  Network n;
  NodeId x =
      n.call(Op::kLeakyRelu, {n.convolution(n.input(), 4, 8, 3)}, ir::LeakyReluAttrs{.alpha = 0.1});
  x = n.convolution(x, 8, 8, 1);
  x = n.call(Op::kPrelu, {x, n.graph().add_constant(random_tensor({8}, 55))},
             ir::PReluAttrs{.axis = 1});
  n.convolution(x, 8, 4, 3);
  return n.finish();
}

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

/// Weights of almost nothing have steps so small that the bias is no int32 multiple of them.
TEST(IntegerSchemeRealize, ABiasBeyondTheAccumulatorCountsOnce) {
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
TEST(IntegerSchemeRealize, TheBoundOfAReLU6BecomesThatOfTheGrid) {
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

TEST(IntegerSchemeRealize, ASplitWhoseResultsAreNotAllNeededAsIntegers) {
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

TEST(IntegerSchemeRealize, PaddingWithAZeroOfAnyTypeIsDoneOnBytes) {
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

TEST(IntegerSchemePlan, SkippedAndUnsuitableLayersStayFloatAndSayWhy) {
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

TEST(IntegerSchemePlan, AWeightThatIsNotFiniteIsRefusedUnlessItStaysFloat) {
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

TEST(IntegerSchemePlan, OnlyWhatIntegerKernelsReadIsStored) {
  // The input, the stem's ReLU, the sum's ReLU; not the branches that meet in the sum.
  EXPECT_EQ(plan_integer(residual_of_two_convolutions(), {}).observed.size(), 3U);
  // The input, what the fc of the gate and the last convolution read; not what the gate opens.
  EXPECT_EQ(plan_integer(squeeze_excite(), {}).observed.size(), 3U);
}

TEST(IntegerSchemeRealize, WhatGoesPastAConvolutionIsNotRoundedOnItsWay) {
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

TEST(IntegerSchemePlan, EqualizationReachesThroughPoolingAndFlattening) {
  const IntegerPlan plan = plan_integer(pooled_swish_and_dense(), {});
  // Behind swish (read by a pooling), the gated value, what the mean reads, what dense reads; not
  // the input, and the gate's operand.
  std::vector<std::string> ops;
  for (const NodeId id : equalizable(plan)) ops.emplace_back(plan.graph[id].op_name());
  EXPECT_EQ(ops, (std::vector<std::string>{"multiply", "nn.global_avg_pool2d", "multiply",
                                           "nn.relu", "nn.global_avg_pool2d"}));
}

TEST(IntegerSchemePlan, ADiamondOfElementwiseStepsIsNotStored) {
  const IntegerPlan plan = plan_integer(depthwise_with_relu6_and_swish(), {});
  // The input, behind ReLU6, behind swish: not the operand that swish uses twice.
  EXPECT_EQ(plan.observed.size(), 3U);
}

TEST(IntegerSchemePlan, ConcatenationAndPoolingShareOneScale) {
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
