#include "quant/graph_hash.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace tvmq::quant {
namespace {

ir::Graph some_graph(float weight = 0.5F, double clip = 6.0, std::string layer = "layer") {
  ir::Graph graph;
  const auto x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, ir::Shape{1, 4}});
  const auto w = graph.add_constant(ir::Tensor::from<float>({1, 4}, {1.0F, 2.0F, weight, 0.0F}));
  const auto sum = graph.add_call(ir::Op::kAdd, {x, w}, {}, std::move(layer));
  const auto clipped = graph.add_call(ir::Op::kClip, {sum}, ir::ClipAttrs{0.0, clip});
  graph.set_output(clipped);
  return graph;
}

TEST(GraphHash, IsStableAndIgnoresNames) {
  EXPECT_EQ(graph_hash(some_graph()).size(), 32U);
  EXPECT_EQ(graph_hash(some_graph()), graph_hash(some_graph(0.5F, 6.0, "renamed")));
}

TEST(GraphHash, IgnoresNodeNumbers) {
  ir::Graph graph;
  const auto w = graph.add_constant(ir::Tensor::from<float>({1, 4}, {1.0F, 2.0F, 0.5F, 0.0F}));
  graph.add_constant(ir::Tensor::scalar(1.0F));  // nobody uses it
  const auto x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, ir::Shape{1, 4}});
  const auto sum = graph.add_call(ir::Op::kAdd, {x, w});
  graph.set_output(graph.add_call(ir::Op::kClip, {sum}, ir::ClipAttrs{0.0, 6.0}));
  EXPECT_EQ(graph_hash(graph), graph_hash(some_graph()));
}

TEST(GraphHash, SeesEverythingElse) {
  const std::string hash = graph_hash(some_graph());
  EXPECT_NE(graph_hash(some_graph(0.50000006F)), hash);  // one bit of one weight
  EXPECT_NE(graph_hash(some_graph(-0.5F)), hash);
  EXPECT_NE(graph_hash(some_graph(0.5F, 5.0)), hash);

  const auto with = [](std::string input, ir::DType dtype, bool swapped, bool twice) {
    ir::Graph graph;
    const auto x = graph.add_input(std::move(input), ir::TensorType{dtype, ir::Shape{1, 4}});
    const auto a = graph.add_call(ir::Op::kRelu, {x});
    const auto b = twice ? graph.add_call(ir::Op::kRelu, {x}) : a;
    graph.set_output(swapped ? graph.add_call(ir::Op::kSubtract, {b, x})
                             : graph.add_call(ir::Op::kSubtract, {a, b}));
    return graph_hash(graph);
  };
  const std::string base = with("x", ir::DType::kFloat32, false, false);
  EXPECT_NE(with("y", ir::DType::kFloat32, false, false), base);
  EXPECT_NE(with("x", ir::DType::kInt32, false, false), base);
  EXPECT_NE(with("x", ir::DType::kFloat32, true, false), base);
  EXPECT_NE(with("x", ir::DType::kFloat32, false, true), base);  // sharing
}

}  // namespace
}  // namespace tvmq::quant
