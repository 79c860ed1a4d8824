#include "analysis/compare_outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/float_outputs.h"
#include "base/error.h"
#include "ir/infer_types.h"
#include "ir/text.h"

namespace tvmq::analysis {
namespace {

using ir::Tensor;

ir::Graph typed(const std::string& text) {
  ir::Graph graph = ir::parse_graph(text);
  ir::infer_types(graph);
  return graph;
}

/// Hands the inputs on, with `factor` and `shift` per class.
ir::Graph scaled(const std::string& factors) {
  return typed(
      "graph(%x: float32(2, 3)) {\n"
      "  %1 = constant float32(3) [" +
      factors +
      "]\n"
      "  %2 = multiply(%x, %1)\n"
      "  return %2\n"
      "}\n");
}

/// Batches of two images of three logits.
quant::BatchSource batches(const std::vector<std::vector<float>>& values) {
  return {.batches = static_cast<std::int64_t>(values.size()),
          .load = [values](std::int64_t batch) -> std::optional<std::vector<Tensor>> {
            const auto& batch_values = values[static_cast<std::size_t>(batch)];
            if (batch_values.empty()) return std::nullopt;
            return std::vector{Tensor::from<float>({2, 3}, std::span<const float>(batch_values))};
          },
          .describe = [](std::int64_t batch) { return std::to_string(batch); }};
}

const std::vector<std::vector<float>> kBatches = {
    {1, 2, 3, 3, 2, 1}, {}, {5, 4, 1, 0, 1, 0}, {1, 9, 1, 9, 1, 1}};

TEST(CompareOutputs, CountsWhatEachNetworkSays) {
  const ir::Graph reference = scaled("1, 1, 1");
  const ir::Graph actual = scaled("1, 1.5, 1");  // the second class wins more often
  const std::vector<std::int64_t> labels = {2, 0, 0, 0, 0, 1, 1, 0};
  NullLog log;
  const OutputComparison result =
      compare_outputs(reference, actual, batches(kBatches), {.threads = 3, .labels = labels}, log);
  EXPECT_EQ(result.batches, 3);
  EXPECT_EQ(result.skipped, 1);
  EXPECT_EQ(result.images, 6);
  EXPECT_EQ(result.classes, 3);
  // Image 0 becomes 1, 3, 3: the lower class of equal ones wins.
  EXPECT_EQ(result.agreement, (AgreementCounts{.images = 6, .top1 = 4, .top5 = 6}));
  ASSERT_EQ(result.flipped.size(), 2U);
  EXPECT_EQ(result.flipped[0].image, 0);
  EXPECT_EQ(result.flipped[0].label, 2);
  EXPECT_EQ(result.flipped[0].reference, 2);
  EXPECT_EQ(result.flipped[0].actual, 1);
  EXPECT_EQ(result.flipped[1].image, 4) << "numbers count the images of the batch left out";
  EXPECT_EQ(result.accuracy->reference.top1, 6);
  EXPECT_EQ(result.accuracy->actual.top1, 4);
  EXPECT_EQ(result.accuracy->change.lost, 2);
  EXPECT_EQ(result.accuracy->change.gained, 0);
  EXPECT_EQ(evaluate_accuracy(actual, batches(kBatches), {.labels = labels}, log),
            result.accuracy->actual);
}

TEST(CompareOutputs, AnyNumberOfThreadsGivesTheSameBits) {
  NullLog log;
  const ir::Graph reference = scaled("1, 1, 1");
  const ir::Graph actual = scaled("1.001, 0.99, 1.0003");
  std::vector<std::vector<float>> values;
  for (int i = 0; i < 40; ++i) {
    std::vector<float> batch;
    for (int k = 0; k < 6; ++k) batch.push_back(std::sin(static_cast<float>(i * 6 + k)));
    values.push_back(batch);
  }
  const auto run = [&](int threads) {
    return compare_outputs(reference, actual, batches(values), {.threads = threads}, log)
        .outputs[0]
        .error.sqnr_db;
  };
  EXPECT_EQ(run(1), run(2));
  EXPECT_EQ(run(1), run(7));
}

TEST(CompareOutputs, OutputsThatAreNoLogitsOnlyHaveErrors) {
  const std::string text =
      "graph(%x: float32(2, 3)) {\n"
      "  %1 = reshape(%x) {newshape = [2, 3, 1, 1]}\n"
      "  %2 = sum(%x) {axis = [1], keepdims = true}\n"
      "  %3 = cast(%2) {dtype = int32}\n"
      "  %4 = tuple(%3, %1)\n"
      "  return %4\n"
      "}\n";
  const ir::Graph graph = typed(text);
  NullLog log;
  const OutputComparison result = compare_outputs(graph, graph, batches(kBatches), {}, log);
  EXPECT_FALSE(result.agreement) << "the first output has one number per image";
  ASSERT_EQ(result.outputs.size(), 2U);
  EXPECT_EQ(result.outputs[0].error.elements, 6) << "integers are compared as floats";
  EXPECT_EQ(result.outputs[1].error.elements, 18);
  EXPECT_TRUE(is_logits({ir::DType::kFloat32, {2, 3, 1, 1}}));
  EXPECT_FALSE(is_logits({ir::DType::kFloat32, {2, 3, 2, 1}}));
  EXPECT_FALSE(is_logits({ir::DType::kFloat32, {2, 1}}));
  EXPECT_FALSE(is_logits({ir::DType::kFloat32, {5}}));
}

TEST(CompareOutputs, RefusesWhatCannotBeCompared) {
  const ir::Graph graph = scaled("1, 1, 1");
  const ir::Graph other_input = typed("graph(%x: float32(3, 2)) {\n  return %x\n}\n");
  const ir::Graph other_output =
      typed("graph(%x: float32(2, 3)) {\n  %1 = reshape(%x) {newshape = [3, 2]}\n  return %1\n}\n");
  NullLog log;
  const auto message = [&](const ir::Graph& actual, const std::vector<std::vector<float>>& values,
                           std::vector<std::int64_t> labels) -> std::string {
    try {
      compare_outputs(graph, actual, batches(values), {.labels = labels}, log);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message(other_input, kBatches, {}), testing::HasSubstr("different inputs"));
  EXPECT_THAT(message(other_output, kBatches, {}), testing::HasSubstr("do not correspond"));
  EXPECT_THAT(message(graph, kBatches, {0, 1, 3}), testing::HasSubstr("expected 0 to 2"));
  EXPECT_THAT(message(graph, kBatches, {0, 1, 2}), testing::HasSubstr("3 labels"));
  EXPECT_THAT(message(graph, {{}, {}}, {}), testing::HasSubstr("no sample"));
  EXPECT_EQ(message(graph, kBatches, {}), "accepted");
}

}  // namespace
}  // namespace tvmq::analysis
