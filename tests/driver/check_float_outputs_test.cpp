#include "driver/check_float_outputs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "ir/infer_types.h"

namespace tvmq::driver {
namespace {

using testing::HasSubstr;

/// x -> multiply by `factor`
ir::Graph scaled(float factor) {
  ir::Graph graph;
  const ir::NodeId input = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 2}});
  const ir::NodeId constant = graph.add_constant(ir::Tensor::scalar(factor), "factor");
  graph.set_output(graph.add_call(ir::Op::kMultiply, {input, constant}, {}, "scaled"));
  ir::infer_types(graph);
  return graph;
}

/// Batch b holds {b * step, 1}, or cannot be read if it is `missing`.
quant::BatchSource samples(std::int64_t batches, float step, std::int64_t missing = -1) {
  return {.batches = batches,
          .load = [=](std::int64_t batch) -> std::optional<std::vector<ir::Tensor>> {
            if (batch == missing) return std::nullopt;
            return std::vector{
                ir::Tensor::from<float>({1, 2}, {static_cast<float>(batch) * step, 1.0F})};
          },
          .describe = [](std::int64_t batch) { return fmt::format("batch {}", batch); }};
}

std::string error_of(const ir::Graph& graph, const quant::BatchSource& source) {
  NullLog log;
  try {
    check_float_outputs(graph, source, {.config_file = {}, .threads = 2, .settings = {}}, log);
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

TEST(CheckFloatOutputs, TakesANetworkWhoseOutputsDependOnItsInputs) {
  EXPECT_EQ(error_of(scaled(2), samples(3, 1)), "none");
}

TEST(CheckFloatOutputs, RefusesAConstant) {
  EXPECT_THAT(error_of(scaled(0), samples(3, 1)), HasSubstr("same outputs"));
}

TEST(CheckFloatOutputs, OneSampleOrEqualSamplesTellNothing) {
  EXPECT_EQ(error_of(scaled(0), samples(1, 1)), "none");
  EXPECT_EQ(error_of(scaled(2), samples(3, 0)), "none");
  EXPECT_EQ(error_of(scaled(0), samples(2, 1, 0)), "none") << "one of two cannot be read";
}

TEST(CheckFloatOutputs, NamesTheSamplesOfWhatIsNotFinite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of(scaled(std::numeric_limits<float>::max()), samples(5, 1)),
              HasSubstr("NaN or infinity with batch 2"));
  EXPECT_THAT(error_of(scaled(kInfinity), samples(5, 1, 0)),
              HasSubstr("NaN or infinity with batch 1"));
}

}  // namespace
}  // namespace tvmq::driver
