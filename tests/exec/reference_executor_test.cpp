// Whole graphs and modules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/reference_case.h"

namespace tvmq::exec {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Tensor;
using ir::TensorType;
using testing::ElementsAre;
using testing::HasSubstr;

const TensorType kPair{ir::DType::kFloat32, {2}};

/// What an InputError of `action` says; empty if there was none.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

TEST(ReferenceExecutor, ReturnsEveryOutputInOrder) {
  Graph graph;
  const NodeId x = graph.add_input("x", kPair);
  const NodeId y = graph.add_input("y", kPair);
  const NodeId sum = graph.add_call(Op::kAdd, {x, y});
  const NodeId twice = graph.add_call(Op::kAdd, {sum, sum});
  graph.set_output(graph.add_tuple({twice, sum, x}));
  const Tensor a = tensor_of<float>({1, 2});
  const auto results = run_reference(graph, std::vector<Tensor>{a, tensor_of<float>({10, 20})});
  ASSERT_EQ(results.size(), 3U);
  EXPECT_THAT(elements<float>(results[0]), ElementsAre(22, 44));
  EXPECT_THAT(elements<float>(results[1]), ElementsAre(11, 22));
  EXPECT_TRUE(results[2].same_bytes(a));
}

TEST(ReferenceExecutor, DividesByScalarConstantsAsTvmDoes) {
  const TensorType scalar{ir::DType::kFloat32, {}};
  const std::vector<Tensor> inputs{Tensor::scalar(14.0F), Tensor::scalar(3.0F)};
  for (const bool is_constant : {true, false}) {
    Graph graph;
    const NodeId x = graph.add_input("x", scalar);
    const NodeId y = graph.add_input("y", scalar);
    const NodeId divisor = is_constant ? graph.add_constant(inputs[1]) : y;
    graph.set_output(graph.add_call(Op::kDivide, {x, divisor}));
    EXPECT_EQ(elements<float>(run_reference(graph, inputs)[0])[0],
              is_constant ? 14.0F * (1.0F / 3.0F) : 14.0F / 3.0F);
  }
}

TEST(ReferenceExecutor, EvaluatesOnlyWhatIsNeeded) {
  Graph graph;
  const NodeId x = graph.add_input("x", kPair);
  graph.add_opaque_call("vision.nms", {x});
  const NodeId unused = graph.add_input("unused", kPair);
  const NodeId parts = graph.add_call(Op::kSplit, {x}, ir::SplitAttrs{std::int64_t{2}, 0});
  graph.add_call(Op::kExp, {unused});
  graph.set_output(graph.add_tuple_get_item(parts, 1));
  EXPECT_THAT(elements<float>(
                  run_reference(graph, std::vector<Tensor>{tensor_of<float>({1, 2}), Tensor()})[0]),
              ElementsAre(2));
}

TEST(ReferenceExecutor, NamesAnOperatorItCannotRun) {
  Graph graph;
  const NodeId x = graph.add_input("x", kPair);
  graph.set_output(graph.add_opaque_call("vision.nms", {x}, {}, "boxes"));
  const std::string error = error_of([&] {
    run_reference(graph, std::vector<Tensor>{tensor_of<float>({1, 2})});
  });
  EXPECT_THAT(error, HasSubstr("vision.nms 'boxes'"));
}

TEST(ReferenceExecutor, ChecksItsInputs) {
  Graph graph;
  const NodeId x = graph.add_input("x", TensorType{ir::DType::kFloat32, {ir::kDynamicDim, 2}});
  graph.set_output(graph.add_call(Op::kRelu, {x}));
  const auto run = [&](std::vector<Tensor> inputs) { return run_reference(graph, inputs); };
  EXPECT_EQ(run({ramp<float>({3, 2})})[0].shape(), (ir::Shape{3, 2}));
  EXPECT_EQ(run({ramp<float>({1, 2})})[0].shape(), (ir::Shape{1, 2}));
  EXPECT_THAT(error_of([&] { run({ramp<float>({3, 3})}); }), HasSubstr("input 'x'"));
  EXPECT_THAT(error_of([&] { run({ramp<std::int8_t>({3, 2})}); }), HasSubstr("int8"));
  EXPECT_THAT(error_of([&] { run({}); }), HasSubstr("got 0 inputs, expected 1"));
}

TEST(ReferenceExecutor, DoesNotBelieveDeclaredTypes) {
  Graph graph;
  const NodeId x = graph.add_input("x", TensorType{ir::DType::kFloat32, {1000}});
  const NodeId id = graph.add_call(Op::kRelu, {x}, {}, "act");
  graph.set_output(id);
  graph.set_type(id, kPair);
  const std::string error =
      error_of([&] { run_reference(graph, std::vector<Tensor>{ramp<float>({1000})}); });
  EXPECT_THAT(error, HasSubstr("nn.relu 'act'"));
  EXPECT_THAT(error, HasSubstr("float32(1000)"));
}

TEST(ReferenceExecutor, OperandsThatDoNotFitEachOther) {
  Graph graph;
  const NodeId x = graph.add_input("x", {});
  const NodeId y = graph.add_input("y", {});
  graph.set_output(graph.add_call(Op::kAdd, {x, y}, {}, "sum"));
  EXPECT_THAT(error_of([&] {
                run_reference(graph, std::vector<Tensor>{ramp<float>({2}), ramp<float>({3})});
              }),
              HasSubstr("sum"));
}

TEST(ReferenceExecutor, SurvivesDeepGraphs) {
  Graph graph;
  NodeId id = graph.add_input("x", kPair);
  const NodeId one = graph.add_constant(Tensor::scalar(1.0F));
  for (int i = 0; i < 20000; ++i) id = graph.add_call(Op::kAdd, {id, one});
  graph.set_output(id);
  ir::infer_types(graph);
  EXPECT_THAT(
      elements<float>(run_reference(graph, std::vector<Tensor>{tensor_of<float>({0, 5})})[0]),
      ElementsAre(20000, 20005));
}

/// fn `name`(a) { op(a) } on float pairs.
ir::Function function_of(std::string name, Op op) {
  ir::Function function{.name = std::move(name), .graph = {}};
  const NodeId a = function.graph.add_input("a", kPair);
  function.graph.set_output(function.graph.add_call(op, {a}));
  return function;
}

TEST(ReferenceExecutor, FollowsCallsOfFunctions) {
  ir::Module module;
  module.functions.push_back(function_of("negate", Op::kNegative));
  ir::Function both{.name = "both", .graph = {}};
  const NodeId a = both.graph.add_input("a", kPair);
  both.graph.set_output(both.graph.add_tuple({both.graph.add_invoke("negate", {a}), a}));
  module.functions.push_back(both);
  ir::Function main{.name = "main", .graph = {}};
  const NodeId x = main.graph.add_input("x", kPair);
  const NodeId pair = main.graph.add_invoke("both", {x});
  const NodeId first = main.graph.add_tuple_get_item(pair, 0);
  const NodeId second = main.graph.add_tuple_get_item(pair, 1);
  main.graph.set_output(main.graph.add_call(Op::kMultiply, {first, second}));
  module.functions.push_back(main);
  const std::vector<Tensor> inputs{tensor_of<float>({2, 3})};
  EXPECT_THAT(elements<float>(run_reference(module, inputs)[0]), ElementsAre(-4, -9));
  EXPECT_THAT(error_of([&] { run_reference(module.main(), inputs); }), HasSubstr("both"));
}

TEST(ReferenceExecutor, NoticesFunctionsThatCallEachOtherInACircle) {
  ir::Module module;
  for (const auto& [name, callee] : {std::pair{"main", "other"}, std::pair{"other", "main"}}) {
    ir::Function function{.name = name, .graph = {}};
    const NodeId x = function.graph.add_input("x", kPair);
    function.graph.set_output(function.graph.add_invoke(callee, {x}));
    module.functions.push_back(function);
  }
  EXPECT_THAT(error_of([&] { run_reference(module, std::vector<Tensor>{ramp<float>({2})}); }),
              HasSubstr("circle"));
}

}  // namespace
}  // namespace tvmq::exec
