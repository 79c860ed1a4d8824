#include "ir/graph.h"

#include <gtest/gtest.h>

#include "ir/rewrite.h"
#include "ir/structural_equal.h"

namespace tvmq::ir {
namespace {

Graph two_relus(bool shared) {
  Graph graph;
  const NodeId x = graph.add_input("x", TensorType{DType::kFloat32, {1, 4}});
  const NodeId first = graph.add_call(Op::kRelu, {x});
  const NodeId second = shared ? first : graph.add_call(Op::kRelu, {x});
  graph.set_output(graph.add_call(Op::kAdd, {first, second}));
  return graph;
}

TEST(Graph, PostOrderVisitsOperandsLeftToRightAndEachNodeOnce) {
  Graph graph;
  const NodeId x = graph.add_input("x", {});
  const NodeId right = graph.add_call(Op::kTanh, {x});
  const NodeId left = graph.add_call(Op::kRelu, {x});
  const NodeId sum = graph.add_call(Op::kAdd, {left, right});
  graph.set_output(sum);
  EXPECT_EQ(post_order(graph, sum), (std::vector<NodeId>{x, left, right, sum}));
}

TEST(Graph, PostOrderOfAMillionNodesDoesNotOverflowTheStack) {
  Graph graph;
  NodeId last = graph.add_input("x", {});
  for (int i = 0; i < 1'000'000; ++i) last = graph.add_call(Op::kRelu, {last});
  graph.set_output(last);
  EXPECT_EQ(post_order(graph, last).size(), 1'000'001U);
}

TEST(Graph, UseCountsCountEveryOccurrenceAndTheResult) {
  const Graph graph = two_relus(true);
  EXPECT_EQ(use_counts(graph), (std::vector<std::uint32_t>{1, 2, 1}));
}

TEST(Graph, RefusesOperandsThatDoNotExistYet) {
  Graph graph;
  EXPECT_THROW(graph.add_call(Op::kRelu, {0}), InternalError);
}

TEST(Graph, RefusesAttributesOfAnotherOperator) {
  Graph graph;
  const NodeId x = graph.add_input("x", {});
  EXPECT_THROW(graph.add_call(Op::kClip, {x}, CastAttrs{}), InternalError);
}

TEST(StructuralEqual, SharingIsPartOfTheNetwork) {
  EXPECT_FALSE(first_difference(two_relus(true), two_relus(true)));
  EXPECT_FALSE(first_difference(two_relus(false), two_relus(false)));
  EXPECT_TRUE(first_difference(two_relus(true), two_relus(false)));
  EXPECT_TRUE(first_difference(two_relus(false), two_relus(true)));
}

TEST(StructuralEqual, ConstantsAreComparedToTheBit) {
  const auto graph_of = [](float value) {
    Graph graph;
    graph.set_output(graph.add_constant(Tensor::scalar(value)));
    return graph;
  };
  EXPECT_FALSE(first_difference(graph_of(1.0F), graph_of(1.0F)));
  EXPECT_TRUE(first_difference(graph_of(0.0F), graph_of(-0.0F)));
}

TEST(Rewrite, LeavesOutWhatNothingUsesButKeepsEveryInput) {
  Graph graph;
  graph.add_input("unused", TensorType{DType::kFloat32, {}});
  const NodeId x = graph.add_input("x", TensorType{DType::kFloat32, {}});
  const NodeId dead = graph.add_call(Op::kRelu, {x});
  graph.add_call(Op::kTanh, {dead});
  graph.set_output(graph.add_call(Op::kNegative, {x}));
  const Graph result = compact(graph);
  EXPECT_EQ(result.size(), 3U);
  EXPECT_EQ(result.inputs().size(), 2U);
}

TEST(OpTable, EveryOperatorIsFoundByItsOwnName) {
  for (int i = 1; i <= static_cast<int>(Op::kSimulatedQuantize); ++i) {
    const Op op = static_cast<Op>(i);
    EXPECT_EQ(find_op(op_info(op).name), op) << op_info(op).name;
  }
  EXPECT_FALSE(find_op("nn.no_such_operator"));
}

}  // namespace
}  // namespace tvmq::ir
