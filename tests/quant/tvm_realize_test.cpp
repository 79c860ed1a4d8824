// What each annotated operator becomes (relay_quantize.md 3.4), with scales chosen so that the
// numbers can be checked by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "quant/tvm_net.h"

namespace tvmq::quant {
namespace {

using ir::NodeId;
using ir::Op;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WarningLog final : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    if (level == LogLevel::kWarning) warnings.emplace_back(line);
  }
  void progress(std::string_view, std::int64_t, std::int64_t) override {}
  std::vector<std::string> warnings;
};

TvmQuantizeOptions skip_nothing() {
  return {.skip_conv_layers = std::nullopt, .skip_dense_layer = false};
}

/// Annotates and realizes; thresholds in visit order, 8 for those that are not given.
ir::Graph quantized(const ir::Graph& graph, std::vector<float> thresholds = {},
                    const TvmQuantizeOptions& options = skip_nothing(), WarningLog* log = nullptr) {
  const AnnotatedGraph annotated = annotate(graph, options);
  thresholds.resize(threshold_count(annotated), 8.0F);
  WarningLog dropped;
  return realize(annotated, thresholds, options, log == nullptr ? dropped : *log);
}

constexpr const char* kQuantizedInput = "int8(clip(round(multiply(x, 16f)), -127..127))";

struct Row {
  const char* what;
  std::function<NodeId(Net&)> build;
  std::vector<float> thresholds;
  std::string expected;
};

TEST(TvmRealize, TurnsOperatorsIntoIntegerOnes) {
  const std::string input = kQuantizedInput;
  const std::string conv = "conv2d(" + input + ", w)";
  const std::string end = ", -127..127)";
  const Row rows[] = {
      // Scales: x 8/128, w 0.5/128, sum 2^-12; output 8/128: a shift by 8.
      {"a shift to the right rounds half up",
       [](Net& n) { return n.conv(n.x()); },
       {},
       "multiply(float32(stop(int8(clip(right_shift(add(" + conv + ", 128), 8)" + end +
           "))), 0.0625f)"},
      // Output 2^-13: the scale is finer than the accumulator's.
      {"a shift to the left",
       [](Net& n) { return n.conv(n.x()); },
       {8.0F, 1.0F / 64},
       "multiply(float32(stop(int8(clip(left_shift(" + conv + ", 1)" + end +
           "))), 0.00012207031f)"},
      {"equal scales need a clip only",
       [](Net& n) { return n.conv(n.x()); },
       {8.0F, 1.0F / 32},
       "multiply(float32(stop(int8(clip(" + conv + end + "))), 0.00024414062f)"},
      // Ratio 2^-12 / (6 / 128) = 1 / 192 = 0.6666667 * 2^-7.
      {"any other ratio is a fixed point product in int64",
       [](Net& n) { return n.conv(n.x()); },
       {8.0F, 6.0F},
       "multiply(float32(stop(int8(int32(clip(fixed_point_multiply(int64(" + conv +
           "), 1431655808^-7)" + end + ")))), 0.046875f)"},
      {"relu6 has its bounds in accumulator steps",
       [](Net& n) {
         return n.call(Op::kSigmoid,
                       {n.call(Op::kClip, {n.conv(n.x())}, ir::ClipAttrs{.a_min = 0, .a_max = 6})});
       },
       {},
       "sigmoid(multiply(float32(stop(int8(clip(right_shift(add(clip(" + conv +
           ", 0..24576), 128), 8)" + end + "))), 0.0625f))"},
      {"averages are taken in the activation type",
       [](Net& n) { return n.call(Op::kGlobalAvgPool2D, {n.conv(n.x())}); },
       {},
       "multiply(float32(global_avg_pool2d(int32(stop(int8(clip(right_shift(add(" + conv +
           ", 128), 8)" + end + "))))), 0.0625f)"},
  };
  for (const Row& row : rows) {
    Net net;
    const ir::Graph graph = net.finish(row.build(net));
    EXPECT_EQ(outline(quantized(graph, row.thresholds)), row.expected) << row.what;
  }
}

TEST(TvmRealize, BringsASumToTheFinerScale) {
  Net net;
  const ir::Graph graph = net.finish(net.call(Op::kAdd, {net.conv(net.x()), net.bias(0.25F)}));
  const ir::Graph result = quantized(graph);
  // Accumulator 2^-12, bias scale 0.25 / 128 = 2^-9: the bias is shifted left by 3.
  for (const ir::Node& node : result.nodes()) {
    if (!node.is_constant() || node.name != "b") continue;
    ASSERT_EQ(node.value.dtype(), ir::DType::kInt32);
    EXPECT_THAT(node.value.data<std::int32_t>(), ElementsAre(127 * 8, 127 * 8, 127 * 8, 127 * 8));
    return;
  }
  FAIL() << "no bias";
}

TEST(TvmRealize, QuantizesWeightsRoundingHalfAwayFromZeroAndClipping) {
  Net net;
  const ir::Tensor weight = ir::Tensor::from<float>(
      {4, 4, 1, 1}, {1.0F, -1.0F, 0.00390625F, -0.00390625F, 0.5F, 0.0F, 0.01F, -0.02F,  //
                     0.25F, 0.3F, 0.7F, 0.9F, -0.9F, -0.25F, 0.1F, -0.99F});
  const ir::Graph graph =
      net.finish(net.conv(net.x(), net.graph().add_constant(weight, "w"), "conv"));
  const ir::Graph result = quantized(graph);
  for (const ir::Node& node : result.nodes()) {
    if (!node.is_constant() || node.name != "w") continue;
    ASSERT_EQ(node.value.dtype(), ir::DType::kInt8);
    EXPECT_THAT(node.value.data<std::int8_t>(),
                ElementsAre(127, -127, 1, -1, 64, 0, 1, -3, 32, 38, 90, 115, -115, -32, 13, -127));
    return;
  }
  FAIL() << "no weight";
}

TEST(TvmRealize, ConcatenatesTwoAtTheFinerScaleOfTheNarrowType) {
  Net net;
  const ir::Graph graph = net.finish(net.concatenate({net.conv(net.x()), net.conv(net.x())}));
  // The observed values are, in visit order: x, first result, second result.
  EXPECT_THAT(outline(quantized(graph, {8.0F, 8.0F, 4.0F})),
              HasSubstr("concatenate((left_shift(stop(int8("));
  WarningLog log;
  EXPECT_THAT(outline(quantized(graph, {8.0F, 8.0F, 3.0F}, skip_nothing(), &log)),
              HasSubstr("concatenate((int8(fixed_point_multiply("));
  EXPECT_THAT(log.warnings, Contains(HasSubstr("cannot compile")));
}

TEST(TvmRealize, ConcatenatesThreeAtAFixedScale) {
  Net net;
  const NodeId a = net.conv(net.x());
  const ir::Graph graph = net.finish(net.concatenate({a, net.conv(net.x()), net.conv(net.x())}));
  const std::string text = outline(quantized(graph));
  // 8 / 128 over 8 / 2^31.
  EXPECT_THAT(text, HasSubstr("left_shift(int32(stop(int8("));
  EXPECT_THAT(text, HasSubstr(", 24)"));
  EXPECT_THAT(text, HasSubstr("3.7252903e-09f"));
}

TEST(TvmRealize, RefusesACommonScaleThatIsCoarser) {
  Net net;
  const ir::Graph graph = net.finish(
      net.concatenate({net.call(Op::kSigmoid, {net.x()}), net.conv(net.x()), net.conv(net.x())}));
  // The float element has 31 bits: 1 / 2^31 is finer than 8 / 2^31.
  try {
    quantized(graph, {1.0F});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("concatenate"));
    EXPECT_THAT(error.what(), HasSubstr("coarser"));
    EXPECT_THAT(error.what(), HasSubstr("GlobalScale"));
  }
}

TEST(TvmRealize, RoundsToNearestWithASequenceOfInt64Operators) {
  Net net;
  const ir::Graph graph = net.finish(net.conv(net.x()));
  TvmQuantizeOptions options = skip_nothing();
  options.rounding = Rounding::kToNearest;
  const std::string text = outline(quantized(graph, {8.0F, 6.0F}, options));
  EXPECT_THAT(text, HasSubstr("multiply(int64(int64(conv2d("));
  EXPECT_THAT(text, HasSubstr("), 1431655808l)"));
  EXPECT_THAT(text, HasSubstr("where(greater_equal($"));
  EXPECT_THAT(text, HasSubstr("38l"));
  EXPECT_THAT(text, Not(HasSubstr("fixed_point_multiply")));
}

TEST(TvmRealize, HasNoRoundingTermWithoutRoundForShift) {
  Net net;
  const ir::Graph graph = net.finish(net.conv(net.x()));
  TvmQuantizeOptions options = skip_nothing();
  options.round_for_shift = false;
  EXPECT_THAT(outline(quantized(graph, {}, options)), HasSubstr("clip(right_shift(conv2d("));
}

TEST(TvmRealize, KeepsValuesWithinEightBitsInWiderTypes) {
  Net net;
  const ir::Graph graph = net.finish(net.conv(net.x()));
  TvmQuantizeOptions options = skip_nothing();
  options.dtype_input = ir::DType::kInt16;
  options.dtype_weight = ir::DType::kInt32;
  const std::string text = outline(quantized(graph, {}, options));
  EXPECT_THAT(text, HasSubstr("conv2d(int16(clip(round(multiply(x, 16f)), -127..127)), w)"));
  EXPECT_THAT(text, HasSubstr("stop(int16(clip("));
}

TEST(TvmRealize, SummarizesLayersAndOperators) {
  Net net;
  const NodeId stem = net.conv(net.x(), 0.5F, "stem");
  const NodeId flat = net.call(Op::kBatchFlatten, {net.conv(stem, 0.5F, "body")});
  const ir::Graph graph = net.finish(net.call(Op::kDense, {flat, net.constant("fc", {3, 256})}));
  const AnnotatedGraph annotated = annotate(graph, {});
  const std::vector<float> thresholds(threshold_count(annotated), 8.0F);
  WarningLog log;
  QuantizationSummary summary;
  realize(annotated, thresholds, {}, log, &summary);
  ASSERT_EQ(summary.layers.size(), 3U);
  EXPECT_THAT(summary.layers[0].reason, HasSubstr("SkipConvLayers"));
  EXPECT_TRUE(summary.layers[1].quantized);
  EXPECT_THAT(summary.layers[1].name, HasSubstr("body"));
  EXPECT_THAT(summary.layers[2].reason, HasSubstr("SkipDenseLayer"));
  EXPECT_GT(summary.integer_operators, 5);
  EXPECT_GT(summary.float_operators, 3);
  EXPECT_THAT(log.warnings, IsEmpty());
}

TEST(TvmRealize, WorksBehindOperatorsThatAreNotKnown) {
  Net net;
  const NodeId strange = net.graph().add_opaque_call("vision.strange", {net.x()});
  const ir::Graph graph = net.finish(net.conv(strange));
  const AnnotatedGraph annotated = annotate(graph, skip_nothing());
  const std::vector<float> thresholds(threshold_count(annotated), 8.0F);
  WarningLog log;
  QuantizationSummary summary;
  const ir::Graph result = realize(annotated, thresholds, skip_nothing(), log, &summary);
  EXPECT_THAT(outline(result),
              HasSubstr("conv2d(int8(clip(round(multiply(strange(x), 16f)), -127..127)), w)"));
  EXPECT_TRUE(summary.layers.at(0).quantized);
}

TEST(TvmRealize, WarnsOfClipBoundsThatTheTypeCannotHold) {
  Net net;
  const ir::Graph graph =
      net.finish(net.call(Op::kClip, {net.call(Op::kBatchFlatten, {net.conv(net.x())})},
                          ir::ClipAttrs{.a_min = 0, .a_max = 6}));
  WarningLog log;
  // 6 / (1 / 128) = 768 does not fit in int8.
  quantized(graph, {8.0F, 1.0F}, skip_nothing(), &log);
  EXPECT_THAT(log.warnings, Contains(HasSubstr("0..768, which int8 cannot hold")));
}

}  // namespace
}  // namespace tvmq::quant
