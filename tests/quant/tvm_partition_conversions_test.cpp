#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quant/tvm_net.h"

namespace tvmq::quant {
namespace {

using ir::NodeId;
using ir::Op;
using ::testing::HasSubstr;

TvmQuantizeOptions options(PartitionConversions mode) {
  return {
      .skip_conv_layers = std::nullopt, .skip_dense_layer = false, .partition_conversions = mode};
}

ir::Module split(const ir::Graph& graph, PartitionConversions mode) {
  const TvmQuantizeOptions all = options(mode);
  const AnnotatedGraph annotated = annotate(graph, all);
  const std::vector<float> thresholds(threshold_count(annotated), 8.0F);
  NullLog log;
  return partition_conversions(realize(annotated, thresholds, all, log), all);
}

std::string refusal_of(const ir::Graph& graph, PartitionConversions mode) {
  try {
    split(graph, mode);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(PartitionConversions, CutsConversionsOffBothEnds) {
  Net net;
  const ir::Graph graph = net.finish(net.conv(net.x()));
  const ir::Module module = split(graph, PartitionConversions::kFullyIntegral);
  EXPECT_EQ(outline(module.function("quantize_inputs")),
            "(x=int8(clip(round(multiply(x, 16f)), -127..127)))");
  EXPECT_EQ(outline(module.function("quantized_main")),
            "stop(int8(clip(right_shift(add(conv2d(x, w), 128), 8), -127..127)))");
  EXPECT_EQ(outline(module.function("dequantize_outputs")), "multiply(float32(input), 0.0625f)");
  EXPECT_EQ(outline(module.main()),
            "dequantized_outputs=@dequantize_outputs(quantized_outputs=@quantized_main("
            "field0(quantized_inputs=@quantize_inputs(x))))");
  const ir::Graph& middle = module.function("quantized_main");
  EXPECT_EQ(middle[middle.inputs()[0]].tensor_type().dtype, ir::DType::kInt8);
  const ir::Graph& main = module.main();
  EXPECT_EQ(main[main.inputs()[0]].tensor_type().dtype, ir::DType::kFloat32);
}

TEST(PartitionConversions, DisabledIsOneFunction) {
  Net net;
  const ir::Graph graph = net.finish(net.conv(net.x()));
  EXPECT_EQ(split(graph, PartitionConversions::kDisabled).functions.size(), 1U);
}

TEST(PartitionConversions, AnInputOfTwoLayersStaysInTheMiddleToo) {
  Net net;
  const ir::Graph graph = net.finish(net.call(Op::kAdd, {net.conv(net.x()), net.conv(net.x())}));
  const ir::Module module = split(graph, PartitionConversions::kEnabled);
  // TVM's own result: two inputs of one name.
  EXPECT_EQ(module.main().inputs().size(), 2U);
  EXPECT_EQ(module.function("quantized_main").inputs().size(), 2U);
}

TEST(PartitionConversions, FloatNetworksAreAllMiddle) {
  Net net;
  const ir::Graph graph = net.finish(net.call(Op::kSigmoid, {net.x()}));
  const ir::Module module = split(graph, PartitionConversions::kEnabled);
  EXPECT_EQ(outline(module.function("quantized_main")), "sigmoid(x)");
  EXPECT_EQ(outline(module.function("dequantize_outputs")), "input");
}

TEST(PartitionConversions, RefusesWhereTvmStops) {
  Net fork;
  const NodeId a = fork.conv(fork.x());
  const ir::Graph two = fork.finish(fork.graph().add_tuple({a, fork.call(Op::kSigmoid, {a})}));
  EXPECT_THAT(refusal_of(two, PartitionConversions::kEnabled), HasSubstr("tuple"));

  Net sum;
  const NodeId aux = sum.input("aux");
  const NodeId inputs_sum = sum.call(Op::kAdd, {sum.x(), aux});
  EXPECT_THAT(refusal_of(sum.finish(sum.conv(inputs_sum)), PartitionConversions::kEnabled),
              HasSubstr("depends on several inputs"));

  Net ends;
  const NodeId b = ends.call(Op::kSigmoid, {ends.conv(ends.x())});
  const NodeId c = ends.call(Op::kTanh, {ends.conv(ends.x(), 0.25F)});
  EXPECT_THAT(refusal_of(ends.finish(ends.call(Op::kAdd, {b, c})), PartitionConversions::kEnabled),
              HasSubstr("several values"));
}

TEST(PartitionConversions, FullyIntegralListsWhatIsNot) {
  Net net;
  const NodeId soft = net.call(Op::kSigmoid, {net.conv(net.x())});
  const std::string message =
      refusal_of(net.finish(net.conv(soft)), PartitionConversions::kFullyIntegral);
  EXPECT_THAT(message, HasSubstr("sigmoid"));
  EXPECT_THAT(message, HasSubstr("quantized_main"));
  EXPECT_THAT(message, HasSubstr("PartitionConversions to enabled"));
}

}  // namespace
}  // namespace tvmq::quant
