#include "ir/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/infer_types.h"
#include "ir/text.h"

namespace tvmq::ir {
namespace {

using testing::HasSubstr;
using testing::Optional;

Graph network() {
  return parse_graph(R"(
    graph(%x: float32(2, 4)) {
      %w = constant float32(4) splat 1
      %y = multiply(%x, %w) "scale"
      %z = nn.relu(%y)
      return %z
    })");
}

TEST(Verify, AcceptsAGraphBeforeAndAfterInference) {
  Graph graph = network();
  EXPECT_EQ(first_violation(graph), std::nullopt);
  infer_types(graph);
  EXPECT_EQ(first_violation(graph), std::nullopt);
}

TEST(Verify, WantsAnOutput) {
  Graph graph;
  graph.add_input("x", {});
  EXPECT_THAT(first_violation(graph), Optional(HasSubstr("no output")));
}

TEST(Verify, FindsATypeThatIsNotTheInferredOne) {
  Graph graph = network();
  infer_types(graph);
  graph.set_type(2, TensorType{DType::kFloat32, {4, 2}});
  EXPECT_THAT(first_violation(graph), Optional(HasSubstr("multiply 'scale' (node 2): its type is "
                                                         "float32(4, 2), inferred is float32(2, "
                                                         "4)")));
}

TEST(Verify, FindsATypeThatAPassForgot) {
  Graph graph = network();
  infer_types(graph);
  graph.set_type(3, {});
  EXPECT_THAT(first_violation(graph), Optional(HasSubstr("its type is ?")));
}

TEST(Verify, FindsACallThatIsIllTyped) {
  Graph graph = network();
  infer_types(graph);
  graph.set_type(0, TensorType{DType::kFloat32, {2, 5}});
  EXPECT_THAT(first_violation(graph), Optional(HasSubstr("cannot be broadcast")));
}

TEST(Verify, CountsArguments) {
  Graph graph;
  const NodeId x = graph.add_input("x", {});
  graph.set_output(graph.add_call(Op::kAdd, {x}));
  EXPECT_THAT(first_violation(graph), Optional(HasSubstr("1 arguments, expected 2")));
}

/// A node that Graph's own add_... functions would not make.
std::optional<std::string> violation_of(const Node& node, std::vector<NodeId> operands) {
  Graph graph;
  graph.add_input("x", {});
  graph.set_output(graph.add_copy(node, std::move(operands)));
  return first_violation(graph);
}

TEST(Verify, FindsNodesOfMixedKinds) {
  Node call;
  call.kind = NodeKind::kCall;
  call.op = Op::kClip;
  EXPECT_THAT(violation_of(call, {0}), Optional(HasSubstr("attributes of another operator")));
  call.op = Op::kOpaque;
  EXPECT_THAT(violation_of(call, {0}), Optional(HasSubstr("without an operator name")));

  Node tuple;
  tuple.kind = NodeKind::kTuple;
  tuple.op = Op::kRelu;
  EXPECT_THAT(violation_of(tuple, {0}), Optional(HasSubstr("an operator on what is not a call")));
  tuple.op = Op::kOpaque;
  tuple.value = Tensor::scalar(1.0F);
  EXPECT_THAT(violation_of(tuple, {0}), Optional(HasSubstr("a value beside a constant")));

  Node field;
  field.kind = NodeKind::kTupleGetItem;
  EXPECT_THAT(violation_of(field, {0, 0}), Optional(HasSubstr("other than one operand")));
  field.index = -1;
  EXPECT_THAT(violation_of(field, {0}), Optional(HasSubstr("field -1")));

  Node constant;
  constant.kind = NodeKind::kConstant;
  EXPECT_THAT(violation_of(constant, {}), Optional(HasSubstr("without a value")));
  Node input;
  EXPECT_THAT(violation_of(input, {0}), Optional(HasSubstr("an input with operands")));
  Node invoke;
  invoke.kind = NodeKind::kInvoke;
  EXPECT_THAT(violation_of(invoke, {0}), Optional(HasSubstr("without a name")));
}

}  // namespace
}  // namespace tvmq::ir
