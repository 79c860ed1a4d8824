#include "analysis/operator_times.h"

#include <gtest/gtest.h>

#include "ir/infer_types.h"
#include "ir/text.h"

namespace tvmq::analysis {
namespace {

TEST(MeasureOperators, NamesEveryKernelInOrder) {
  ir::Graph graph = ir::parse_graph(R"(graph(%x: float32(1, 8)) {
    %w = constant float32(4, 8) splat 0.5
    %a = nn.dense(%x, %w)
    %b = nn.softmax(%a)
    return %b
  })");
  ir::infer_types(graph);
  std::int64_t reported = 0;
  const auto steps = measure_operators(
      graph, std::vector{ir::Tensor::zeros(ir::DType::kFloat32, {1, 8})},
      {.runs = 3, .progress = [&](std::int64_t done, std::int64_t) { reported = done; }});
  ASSERT_GE(steps.size(), 2U);
  EXPECT_EQ(steps.front().op, "nn.dense");
  EXPECT_EQ(steps.back().op, "nn.softmax");
  for (const StepTime& step : steps) EXPECT_GT(step.median_us, 0) << step.text;
  EXPECT_EQ(reported, 3);
}

}  // namespace
}  // namespace tvmq::analysis
