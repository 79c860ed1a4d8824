#include "exec/program.h"

#include <fmt/format.h>

#include <functional>
#include <thread>

#include "base/error.h"
#include "exec/program_helpers.h"

namespace tvmq::exec {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::Op;

struct ConvCase {
  std::string name;
  ir::Shape data;
  ir::Shape weights;
  ir::Conv2DAttrs attrs;
};
void PrintTo(const ConvCase& c, std::ostream* out) { *out << c.name; }

class ProgramConvolution : public testing::TestWithParam<ConvCase> {};

Graph convolution(const ConvCase& c, bool epilogue) {
  Graph graph;
  Numbers numbers(7);
  const NodeId x = graph.add_input("x", float_type(c.data));
  const NodeId w = graph.add_constant(numbers.floats(c.weights));
  NodeId y = graph.add_call(Op::kConv2D, {x, w}, c.attrs);
  if (epilogue) {
    infer_types(graph);
    const ir::Shape& shape = graph[y].tensor_type().shape;
    const bool last = c.attrs.data_layout == "NHWC";
    const std::int64_t channels = last ? shape[3] : shape[1];
    const NodeId bias = graph.add_constant(numbers.floats({channels}));
    y = graph.add_call(Op::kBiasAdd, {y, bias}, ir::BiasAddAttrs{.axis = last ? 3 : 1});
    y = graph.add_call(Op::kRelu, {y});
  }
  graph.set_output(y);
  infer_types(graph);
  return graph;
}

TEST_P(ProgramConvolution, EqualsTheReference) {
  for (const bool epilogue : {false, true}) {
    const Graph graph = convolution(GetParam(), epilogue);
    const std::vector<ir::Tensor> inputs = {Numbers(3).floats(GetParam().data)};
    const Program program(graph);
    EXPECT_TRUE(program.fallbacks().empty()) << program.fallbacks()[0].reason;
    expect_close(run_program(graph, inputs), run_reference(graph, inputs));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ProgramConvolution,
    testing::Values(
        ConvCase{"plain3x3", {1, 16, 8, 8}, {32, 16, 3, 3}, {.padding = {1, 1, 1, 1}}},
        ConvCase{"batch", {3, 8, 7, 5}, {8, 8, 3, 3}, {}},
        ConvCase{"odd_channels", {1, 5, 9, 9}, {7, 5, 3, 3}, {.padding = {1, 1}}},
        ConvCase{"first_layer", {1, 3, 32, 32}, {16, 3, 7, 7}, {.strides = {2, 2}, .padding = {3}}},
        ConvCase{"two_channels", {2, 2, 9, 7}, {16, 2, 3, 3}, {.padding = {1}}},
        ConvCase{"four_channels", {2, 4, 9, 7}, {16, 4, 3, 3}, {.padding = {1}}},
        ConvCase{"pointwise", {1, 24, 6, 6}, {40, 24, 1, 1}, {}},
        ConvCase{
            "depthwise", {1, 20, 9, 9}, {20, 1, 3, 3}, {.padding = {1, 1, 1, 1}, .groups = 20}},
        ConvCase{"multiplier", {1, 6, 9, 9}, {12, 1, 3, 3}, {.groups = 6}},
        ConvCase{"grouped", {1, 12, 6, 6}, {18, 4, 3, 3}, {.groups = 3}},
        ConvCase{"dilated", {1, 8, 12, 12}, {8, 8, 3, 3}, {.padding = {2, 2}, .dilation = {2, 2}}},
        ConvCase{"asymmetric",
                 {1, 8, 11, 10},
                 {8, 8, 3, 3},
                 {.strides = {2, 2}, .padding = {0, 1, 2, 1}}},
        ConvCase{"nhwc_hwio",
                 {2, 9, 9, 6},
                 {3, 3, 6, 10},
                 {.padding = {1, 1}, .data_layout = "NHWC", .kernel_layout = "HWIO"}},
        ConvCase{"nhwc_depthwise_hwoi",
                 {1, 9, 9, 6},
                 {3, 3, 6, 1},
                 {.groups = 6, .channels = 6, .data_layout = "NHWC", .kernel_layout = "HWOI"}}),
    [](const auto& test) { return test.param.name; });

// oneDNN takes 32 operators behind a layer.
TEST(Program, AnyNumberOfOperatorsMayFollowALayer) {
  struct Case {
    const char* name;
    std::function<NodeId(Graph&, NodeId, Numbers&)> append;
  };
  const Case cases[] = {
      {"tanh", [](Graph& g, NodeId x, Numbers&) { return g.add_call(Op::kTanh, {x}); }},
      {"batch normalisation",
       [](Graph& g, NodeId x, Numbers& numbers) {
         std::vector<NodeId> operands = {x};
         for (int i = 0; i < 4; ++i)
           operands.push_back(g.add_constant(numbers.floats({6}, 0.5, 1)));
         return g.add_tuple_get_item(g.add_call(Op::kBatchNorm, operands, ir::BatchNormAttrs{}), 0);
       }},
      {"sum",
       [](Graph& g, NodeId x, Numbers&) {
         return g.add_call(Op::kAdd, {x, NodeId{0}});
       }},
  };
  for (const bool dense : {false, true}) {
    const ir::Shape shape = dense ? ir::Shape{2, 6} : ir::Shape{1, 6, 5, 5};
    for (const Case& each : cases) {
      for (const int length : {15, 16, 17, 31, 32, 33, 100}) {
        SCOPED_TRACE(fmt::format("{} {}, dense: {}", length, each.name, dense));
        Graph graph;
        Numbers numbers;
        NodeId x = graph.add_input("x", float_type(shape));
        const NodeId w =
            graph.add_constant(numbers.floats(dense ? ir::Shape{6, 6} : ir::Shape{6, 6, 1, 1}));
        x = dense ? graph.add_call(Op::kDense, {x, w}, ir::DenseAttrs{})
                  : graph.add_call(Op::kConv2D, {x, w}, ir::Conv2DAttrs{});
        x = graph.add_call(Op::kTanh, {x});
        for (int i = 0; i < length; ++i) x = each.append(graph, x, numbers);
        graph.set_output(x);
        infer_types(graph);
        const std::vector<ir::Tensor> inputs = {numbers.floats(shape)};
        expect_close(run_program(graph, inputs), run_reference(graph, inputs));
      }
    }
  }
}

TEST(Program, FusesBiasActivationAndResidual) {
  Graph graph;
  Numbers numbers;
  const NodeId x = graph.add_input("x", float_type({1, 16, 8, 8}));
  const auto conv = [&](NodeId data) {
    const NodeId w = graph.add_constant(numbers.floats({16, 16, 3, 3}, -0.2F, 0.2F));
    const NodeId scale = graph.add_constant(numbers.floats({16, 1, 1}, 0.5F, 2));
    const NodeId shift = graph.add_constant(numbers.floats({16, 1, 1}));
    const NodeId y =
        graph.add_call(Op::kConv2D, {data, w}, ir::Conv2DAttrs{.padding = {1, 1, 1, 1}});
    return graph.add_call(Op::kAdd, {graph.add_call(Op::kMultiply, {y, scale}), shift});
  };
  const NodeId first = graph.add_call(Op::kRelu, {conv(x)});
  const NodeId second = graph.add_call(Op::kRelu, {conv(first)});
  const NodeId third = conv(second);
  const NodeId sum = graph.add_call(Op::kAdd, {third, first});
  graph.set_output(graph.add_call(Op::kClip, {sum}, ir::ClipAttrs{.a_min = 0, .a_max = 6}));
  infer_types(graph);
  const std::vector<ir::Tensor> inputs = {numbers.floats({1, 16, 8, 8})};
  const std::vector<ir::Tensor> expected = run_reference(graph, inputs);
  expect_close(run_program(graph, inputs), expected);
  const Program program(graph);
  const std::string steps = steps_of(program);
  EXPECT_EQ(std::ranges::count(steps, '\n') - (steps.find("copy of") != std::string::npos ? 2 : 0),
            3)
      << steps;
  // A tapped value is never inside a step, and every tap sees it whole.
  for (NodeId tapped = 0; tapped < graph.size(); ++tapped) {
    if (graph[tapped].kind == ir::NodeKind::kTuple) continue;
    const std::vector<ir::Tensor> alone = run_program(graph, inputs, {.targets = {tapped}});
    auto with_tap = std::make_shared<const Program>(graph, ProgramOptions{.taps = {tapped}});
    Session session(with_tap);
    for (int repeat = 0; repeat < 2; ++repeat) {
      int calls = 0;
      double total = 0;
      const auto results = session.run(inputs, [&](const TapView& view) {
        ++calls;
        EXPECT_EQ(view.node, tapped);
        EXPECT_EQ(view.elements.size(), static_cast<std::size_t>(alone[0].size()));
        for (const float each : view.elements) total += each;
      });
      double wanted = 0;
      for (const float each : alone[0].data<float>()) wanted += each;
      EXPECT_EQ(calls, 1);
      EXPECT_NEAR(total, wanted, 1e-2);
      expect_close(results, expected);
    }
  }
}

}  // namespace
}  // namespace tvmq::exec
