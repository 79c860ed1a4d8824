#include "analysis/latency.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
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
  EXPECT_DOUBLE_EQ(ten.p99_ms, 10);
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

TEST(MeasureThroughput, CountsTheRunsOfAllSessions) {
  ir::Graph graph =
      ir::parse_graph("graph(%x: float32(1, 4)) {\n  %1 = nn.relu(%x)\n  return %1\n}\n");
  ir::infer_types(graph);
  // Every session runs at least once, however short the time is.
  EXPECT_GT(measure_throughput(graph, made_up_inputs(graph), 3, std::chrono::milliseconds(0)), 0);
  std::int64_t gone = 0;
  measure_throughput(graph, made_up_inputs(graph), 1, std::chrono::milliseconds(250),
                     [&](std::int64_t done, std::int64_t total) {
                       EXPECT_GT(done, gone);
                       EXPECT_EQ(total, 250);
                       gone = done;
                     });
  EXPECT_EQ(gone, 250);
}

TEST(MadeUpInputs, FitTheNetwork) {
  ir::Graph graph = ir::parse_graph(
      "graph(%x: float32(2, 300), %y: int32(2)) {\n  %1 = nn.relu(%x)\n  return %1\n}\n");
  ir::infer_types(graph);
  const std::vector<ir::Tensor> inputs = made_up_inputs(graph);
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_EQ(inputs[0].shape(), (ir::Shape{2, 300}));
  const auto values = inputs[0].data<float>();
  EXPECT_EQ(*std::ranges::min_element(values), -1);
  EXPECT_LE(*std::ranges::max_element(values), 1);
  EXPECT_EQ(inputs[1].data<std::int32_t>()[1], 1);
}

TEST(MadeUpInputs, RefusesWhatItCannotMake) {
  ir::Graph graph =
      ir::parse_graph("graph(%x: float32(?, 4)) {\n  %1 = nn.relu(%x)\n  return %1\n}\n");
  ir::infer_types(graph);
  EXPECT_THROW(made_up_inputs(graph), InputError);
}

}  // namespace
}  // namespace tvmq::analysis
