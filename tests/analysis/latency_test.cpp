#include "analysis/latency.h"

#include <gtest/gtest.h>

#include "ir/infer_types.h"
#include "ir/text.h"

namespace tvmq::analysis {
namespace {

TEST(LatencyTimes, MedianMinimumAndNinetiethPercentile) {
  const LatencyTimes ten = latency_times({10, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(ten.runs, 10);
  EXPECT_DOUBLE_EQ(ten.median_ms, 5.5);
  EXPECT_DOUBLE_EQ(ten.min_ms, 1);
  EXPECT_DOUBLE_EQ(ten.p90_ms, 9);
  const LatencyTimes one = latency_times({3});
  EXPECT_DOUBLE_EQ(one.median_ms, 3);
  EXPECT_DOUBLE_EQ(one.p90_ms, 3);
}

TEST(MeasureLatency, RunsEachNetworkWithinItsBudget) {
  ir::Graph graph =
      ir::parse_graph("graph(%x: float32(1, 4)) {\n  %1 = nn.relu(%x)\n  return %1\n}\n");
  ir::infer_types(graph);
  const ir::Graph* graphs[] = {&graph, &graph};
  const std::vector<ir::Tensor> inputs = {ir::Tensor::zeros(ir::DType::kFloat32, {1, 4})};
  const auto few = measure_latency(graphs, inputs, {.most_runs = 3});
  ASSERT_EQ(few.size(), 2U);
  EXPECT_LE(few[0].runs, 3);
  EXPECT_EQ(few[0].runs, few[1].runs);
  const auto none = measure_latency(graphs, inputs, {.budget = std::chrono::milliseconds(0)});
  EXPECT_EQ(none[0].runs, 1) << "at least one";
}

}  // namespace
}  // namespace tvmq::analysis
