#include "quant/tvm_scales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tvmq::quant {
namespace {

using ir::Tensor;
using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(QuantizeParameters, AreSymmetricAndLeaveOutTheLowestInteger) {
  const QuantizeParameters eight = quantize_parameters(8.0, 8);
  EXPECT_EQ(eight.scale, 0.0625F);
  EXPECT_EQ(eight.low, -127);
  EXPECT_EQ(eight.high, 127);
  // float32 has no 2^31 - 1.
  const QuantizeParameters accumulator = quantize_parameters(8.0, 32);
  EXPECT_EQ(accumulator.scale, std::ldexp(1.0F, -28));
  EXPECT_EQ(accumulator.low, -2147483648.0F);
  EXPECT_EQ(accumulator.high, 2147483648.0F);
  EXPECT_EQ(quantize_parameters(0.0, 8).scale, 0.0F);
}

TEST(WeightThreshold, IsTheLargestMagnitudeOrThePowerOfTwoAbove) {
  struct Row {
    float weight;
    double max;
    double power2;
  };
  const Row rows[] = {
      {0.3F, 0.3F, 0.5},
      {-0.3F, 0.3F, 0.5},
      {0.5F, 0.5, 0.5},
      {1.0F, 1.0, 1.0},
      {1.5F, 1.5, 2.0},
      {0.0F, 0.0, 1.0},
      {std::ldexp(1.0F, -40), std::ldexp(1.0, -40), std::ldexp(1.0, -40)},
      // log(2^29) / log(2) is 29.000000000000004 in double: TVM's scale is twice the maximum.
      {std::ldexp(1.0F, 29), std::ldexp(1.0, 29), std::ldexp(1.0, 30)},
  };
  for (const Row& row : rows) {
    const Tensor weight = Tensor::from<float>({3}, {0.0F, row.weight, row.weight / 2});
    EXPECT_EQ(weight_threshold(weight, WeightScale::kMax), row.max) << row.weight;
    EXPECT_EQ(weight_threshold(weight, WeightScale::kPower2), row.power2) << row.weight;
  }
}

TEST(WeightThreshold, OfNanIsNanForMaxAndOneForPower2) {
  const Tensor weight = Tensor::from<float>({3}, {1.0F, kNan, 9.0F});
  EXPECT_TRUE(std::isnan(weight_threshold(weight, WeightScale::kMax)));
  EXPECT_EQ(weight_threshold(weight, WeightScale::kPower2), 1.0);
}

/// Quantizes (data, kInput), (weight, kWeight), (data, kActivation).
AnnotatedGraph three_quantizes(ir::DType weight_type) {
  AnnotatedGraph annotated;
  ir::Graph& graph = annotated.graph;
  const ir::NodeId data = graph.add_input("data", ir::TensorType{ir::DType::kFloat32, {2}});
  const ir::NodeId weight = graph.add_constant(weight_type == ir::DType::kFloat32
                                                   ? Tensor::from<float>({2}, {0.5F, -3.0F})
                                                   : Tensor::from<double>({2}, {0.5, -3.0}));
  const std::pair<ir::NodeId, AnnotateKind> places[] = {{data, AnnotateKind::kInput},
                                                        {weight, AnnotateKind::kWeight},
                                                        {data, AnnotateKind::kActivation}};
  for (const auto& [node, kind] : places) {
    annotated.quantizes.push_back(
        graph.add_call(ir::Op::kSimulatedQuantize, {node},
                       ir::SimulatedQuantizeAttrs{.kind = static_cast<std::int64_t>(kind)}));
  }
  graph.set_output(graph.add_tuple(annotated.quantizes));
  return annotated;
}

TEST(SetScales, UsesBitsByKindAndThresholdsInVisitOrder) {
  const AnnotatedGraph annotated = three_quantizes(ir::DType::kFloat32);
  const float thresholds[] = {8.0F, 16.0F};
  const auto scales = set_scales(annotated, thresholds, {.nbit_weight = 7});
  ASSERT_EQ(scales.size(), 3U);
  EXPECT_EQ(scales[0].scale, 0.0625);
  EXPECT_EQ(scales[0].clip_max, 127);
  EXPECT_EQ(scales[1].scale, 3.0F / 64);
  EXPECT_EQ(scales[1].clip_min, -63);
  EXPECT_EQ(scales[2].scale, std::ldexp(1.0, -27));
}

TEST(SetScales, RefusesThresholdsThatAreNotOne) {
  const AnnotatedGraph annotated = three_quantizes(ir::DType::kFloat32);
  const std::vector<std::vector<float>> bad = {{8.0F},
                                               {8.0F, 8.0F, 8.0F},
                                               {8.0F, -1.0F},
                                               {kNan, 8.0F},
                                               {8.0F, std::numeric_limits<float>::infinity()}};
  for (const auto& thresholds : bad) {
    EXPECT_THROW(set_scales(annotated, thresholds, {}), InputError);
  }
}

TEST(SetScales, RefusesWeightsThatAreNotFloat32) {
  const AnnotatedGraph annotated = three_quantizes(ir::DType::kFloat64);
  const float thresholds[] = {8.0F, 8.0F};
  try {
    set_scales(annotated, thresholds, {});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is not float32"));
  }
}

}  // namespace
}  // namespace tvmq::quant
