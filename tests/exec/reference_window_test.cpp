// Pooling, reductions, normalisations and resizing, by hand-computed numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "exec/reference_case.h"

namespace tvmq::exec {
namespace {

using ir::Op;
using ir::Shape;
using ir::Tensor;
using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

ir::AvgPool2DAttrs average(ir::IntList size, ir::IntList strides,
                           ir::IntList padding = {0, 0, 0, 0}) {
  ir::AvgPool2DAttrs attrs;
  attrs.pool_size = std::move(size);
  attrs.strides = std::move(strides);
  attrs.padding = std::move(padding);
  return attrs;
}

TEST(ReferencePool, IntegerAveragesTruncateTowardZero) {
  const Tensor in = tensor_of<std::int32_t>({1, 1, 2, 2}, {-1, -2, -2, -2});  // 6.3
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kAvgPool2D, {in}, average({2, 2}, {2, 2}))),
              ElementsAre(-1));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kGlobalAvgPool2D, {in}, ir::GlobalPool2DAttrs{})),
              ElementsAre(-1));
}

TEST(ReferencePool, CountsPaddingOnlyIfAsked) {
  const Tensor in = ramp<float>({1, 1, 3, 3}, 1);
  ir::AvgPool2DAttrs attrs = average({2, 2}, {2, 2}, {1, 1, 1, 1});
  EXPECT_THAT(elements<float>(run_op(Op::kAvgPool2D, {in}, attrs)), ElementsAre(1, 2.5F, 5.5F, 7));
  attrs.count_include_pad = true;
  EXPECT_THAT(elements<float>(run_op(Op::kAvgPool2D, {in}, attrs)),
              ElementsAre(0.25F, 1.25F, 2.75F, 7));
}

TEST(ReferencePool, CeilModeAddsPartialWindows) {
  const Tensor in = ramp<float>({1, 1, 1, 4}, 1);
  ir::AvgPool2DAttrs attrs = average({1, 3}, {1, 2});
  attrs.ceil_mode = true;
  EXPECT_THAT(elements<float>(run_op(Op::kAvgPool2D, {in}, attrs)), ElementsAre(2, 3.5F));
  // The extra part of a partial window is not padding that counts.
  attrs.count_include_pad = true;
  EXPECT_THAT(elements<float>(run_op(Op::kAvgPool2D, {in}, attrs)), ElementsAre(2, 3.5F));
  ir::MaxPool2DAttrs largest;
  largest.pool_size = {1, 3};
  largest.strides = {1, 2};
  largest.ceil_mode = true;
  EXPECT_THAT(elements<float>(run_op(Op::kMaxPool2D, {in}, largest)), ElementsAre(3, 4));
}

TEST(ReferencePool, MaximaIgnorePaddingAndReadEveryLayout) {
  ir::MaxPool2DAttrs attrs;
  attrs.pool_size = {2, 2};
  attrs.padding = {1, 1, 0, 0};
  const Tensor in = tensor_of<std::int8_t>({1, 1, 2, 2}, {-5, -6, -7, -8});
  EXPECT_THAT(elements<std::int8_t>(run_op(Op::kMaxPool2D, {in}, attrs)),
              ElementsAre(-5, -5, -5, -5));
  const Tensor wide = ramp<float>({1, 2, 4, 4});
  attrs = {};
  attrs.pool_size = {2, 2};
  attrs.strides = {2, 2};
  const Tensor expected = run_op(Op::kMaxPool2D, {wide}, attrs);
  EXPECT_THAT(elements<float>(expected), ElementsAre(5, 7, 13, 15, 21, 23, 29, 31));
  attrs.layout = "NHWC";
  const Tensor channels_last =
      run_op(Op::kTranspose, {wide}, ir::TransposeAttrs{ir::IntList{0, 2, 3, 1}});
  EXPECT_THAT(elements<float>(run_op(Op::kMaxPool2D, {channels_last}, attrs)),
              ElementsAre(5, 21, 7, 23, 13, 29, 15, 31));
}

TEST(ReferencePool, DilatedOneAndThreeDimensions) {
  ir::MaxPool1DAttrs line;
  line.pool_size = {2};
  line.dilation = {2};
  EXPECT_THAT(
      elements<float>(run_op(Op::kMaxPool1D, {tensor_of<float>({1, 1, 4}, {9, 1, 2, 3})}, line)),
      ElementsAre(9, 3));
  ir::AvgPool1DAttrs mean;
  mean.pool_size = {2};
  EXPECT_THAT(elements<float>(run_op(Op::kAvgPool1D, {ramp<float>({1, 1, 3})}, mean)),
              ElementsAre(0.5F, 1.5F));
  ir::AvgPool3DAttrs cube;
  cube.pool_size = {2, 2, 2};
  EXPECT_THAT(elements<float>(run_op(Op::kAvgPool3D, {ramp<float>({1, 1, 2, 2, 2})}, cube)),
              ElementsAre(3.5F));
}

TEST(ReferencePool, AdaptiveWindowsOverlap) {
  const Tensor in = ramp<float>({1, 1, 5});
  EXPECT_THAT(elements<float>(run_op(Op::kAdaptiveAvgPool1D, {in}, ir::AdaptivePool1DAttrs{{3}})),
              ElementsAre(0.5F, 2, 3.5F));
  EXPECT_THAT(elements<float>(run_op(Op::kAdaptiveMaxPool1D, {in}, ir::AdaptivePool1DAttrs{{3}})),
              ElementsAre(1, 3, 4));
  EXPECT_THAT(elements<float>(run_op(Op::kGlobalMaxPool2D, {ramp<float>({1, 2, 2, 2})},
                                     ir::GlobalPool2DAttrs{})),
              ElementsAre(3, 7));
  EXPECT_THAT(elements<float>(run_op(Op::kAdaptiveAvgPool2D, {ramp<float>({1, 1, 2, 3})},
                                     ir::AdaptivePool2DAttrs{{1, 1}})),
              ElementsAre(2.5F));
  // Without a size the result has that of the data.
  EXPECT_THAT(elements<float>(run_op(Op::kAdaptiveAvgPool2D, {ramp<float>({1, 1, 0, 3})},
                                     ir::AdaptivePool2DAttrs{{}})),
              ElementsAre());
}

TEST(ReferenceReduce, OverAnyAxes) {
  const Tensor in = ramp<float>({2, 3});
  const auto over = [&](Op op, ir::OptionalIntList axis, bool exclude = false) {
    return elements<float>(run_op(op, {in}, ir::ReduceAttrs{std::move(axis), false, exclude}));
  };
  EXPECT_THAT(over(Op::kSum, {}), ElementsAre(15));
  EXPECT_THAT(over(Op::kSum, ir::IntList{0}), ElementsAre(3, 5, 7));
  EXPECT_THAT(over(Op::kSum, ir::IntList{0}, true), ElementsAre(3, 12));
  EXPECT_THAT(over(Op::kMean, ir::IntList{-1}), ElementsAre(1, 4));
  EXPECT_THAT(over(Op::kMax, ir::IntList{0, 1}), ElementsAre(5));
  EXPECT_THAT(over(Op::kMin, ir::IntList{1}), ElementsAre(0, 3));
  EXPECT_THAT(over(Op::kProd, ir::IntList{1}), ElementsAre(0, 60));
  EXPECT_EQ(run_op(Op::kSum, {in}, ir::ReduceAttrs{ir::IntList{0}, true}).shape(), (Shape{1, 3}));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kMean, {tensor_of<std::int32_t>({-1, -2, -2, -2})},
                                            ir::ReduceAttrs{})),
              ElementsAre(-1));
  EXPECT_THAT(elements<std::int8_t>(
                  run_op(Op::kSum, {tensor_of<std::int8_t>({100, 100})}, ir::ReduceAttrs{})),
              ElementsAre(-56));
}

TEST(ReferenceReduce, AveragesMultiplyByTheReciprocal) {
  // TVM's code knows the count; 14 / 3 and 14 * (1 / 3) differ in the last bit.
  ASSERT_NE(14.0F / 3, 14.0F * (1.0F / 3));
  const Tensor in = tensor_of<float>({1, 1, 1, 3}, {5, 6, 3});
  const auto expected = ElementsAre(14.0F * (1.0F / 3));
  EXPECT_THAT(elements<float>(run_op(Op::kMean, {in}, ir::ReduceAttrs{})), expected);
  EXPECT_THAT(elements<float>(run_op(Op::kAvgPool2D, {in}, average({1, 3}, {1, 1}))), expected);
  EXPECT_THAT(elements<float>(run_op(Op::kGlobalAvgPool2D, {in}, ir::GlobalPool2DAttrs{})),
              expected);
  // It does not where windows have different sizes.
  ir::AvgPool2DAttrs ceil = average({1, 3}, {1, 2});
  ceil.ceil_mode = true;
  EXPECT_THAT(elements<float>(run_op(Op::kAvgPool2D, {in}, ceil)), ElementsAre(14.0F / 3));
}

TEST(ReferenceReduce, PositionsOfExtremes) {
  const Tensor in = tensor_of<float>({2, 3}, {1, 5, 5, 2, 2, 0});
  ir::ArgReduceAttrs attrs;
  attrs.axis = ir::IntList{1};
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kArgmax, {in}, attrs)), ElementsAre(1, 0));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kArgmin, {in}, attrs)), ElementsAre(0, 2));
  attrs.select_last_index = true;
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kArgmax, {in}, attrs)), ElementsAre(2, 1));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kArgmax, {in}, ir::ArgReduceAttrs{})),
              ElementsAre(1));
}

TEST(ReferenceReduce, VarianceUsesTheGivenMean) {
  ir::VarianceAttrs attrs;
  attrs.axis = ir::IntList{1};
  const Tensor in = tensor_of<float>({1, 3}, {1, 2, 6});
  const Tensor mean = tensor_of<float>({1, 1}, {3});
  EXPECT_THAT(elements<float>(run_op(Op::kVariance, {in, mean}, attrs)),
              ElementsAre(14.0F * (1.0F / 3)));
  attrs.unbiased = true;
  EXPECT_THAT(elements<float>(run_op(Op::kVariance, {in, mean}, attrs)), ElementsAre(7));
}

TEST(ReferenceNormalize, ChannelParameters) {
  EXPECT_THAT(
      elements<float>(run_op(Op::kBiasAdd, {ramp<float>({1, 2, 2}), tensor_of<float>({10, 20})},
                             ir::BiasAddAttrs{1})),
      ElementsAre(10, 11, 22, 23));
  EXPECT_THAT(elements<std::int32_t>(run_op(
                  Op::kBiasAdd, {ramp<std::int32_t>({1, 2, 2}), tensor_of<std::int32_t>({10, 20})},
                  ir::BiasAddAttrs{-1})),
              ElementsAre(10, 21, 12, 23));
}

TEST(ReferenceNormalize, BatchNormIsAScaleAndAShift) {
  const Tensor x = tensor_of<float>({1, 2, 1, 1}, {3, 5});
  const std::vector<std::vector<Tensor>> operands{{x},
                                                  {tensor_of<float>({2, 4})},
                                                  {tensor_of<float>({10, 20})},
                                                  {tensor_of<float>({1, 3})},
                                                  {tensor_of<float>({4, 16})}};
  const auto results = evaluate_op(Op::kBatchNorm, operands, ir::BatchNormAttrs{1, 0.0});
  ASSERT_EQ(results.size(), 3U);
  EXPECT_THAT(elements<float>(results[0]), ElementsAre(12, 22));
  EXPECT_THAT(elements<float>(results[1]), ElementsAre(1, 3));
  EXPECT_THAT(elements<float>(results[2]), ElementsAre(4, 16));
  const auto plain =
      evaluate_op(Op::kBatchNorm, operands, ir::BatchNormAttrs{1, 0.0, false, false});
  EXPECT_THAT(elements<float>(plain[0]), ElementsAre(1, 0.5F));
}

TEST(ReferenceNormalize, StandardizesTheRightElements) {
  const Tensor ones = tensor_of<float>({1, 1});
  const Tensor zeros = tensor_of<float>({0, 0});
  const Tensor in = tensor_of<float>({1, 2, 2}, {1, 3, 10, 30});
  const auto near = [](const std::vector<float>& expected) {
    return Pointwise(FloatNear(1e-5F), expected);
  };
  EXPECT_THAT(elements<float>(run_op(Op::kLayerNorm,
                                     {in, tensor_of<float>({2, 3}), tensor_of<float>({0, 1})},
                                     ir::LayerNormAttrs{-1, 0.0})),
              near({-2, 4, -2, 4}));
  EXPECT_THAT(
      elements<float>(run_op(Op::kInstanceNorm, {in, ones, zeros}, ir::InstanceNormAttrs{1, 0.0})),
      near({-1, 1, -1, 1}));
  EXPECT_THAT(elements<float>(run_op(Op::kGroupNorm, {in, ones, tensor_of<float>({0, 1})},
                                     ir::GroupNormAttrs{2, 1, 0.0})),
              near({-1, 1, 0, 2}));
  EXPECT_THAT(
      elements<float>(run_op(Op::kGroupNorm, {in, ones, zeros}, ir::GroupNormAttrs{1, 1, 0.0})),
      near({-0.872041F, -0.697633F, -0.087204F, 1.656878F}));
  EXPECT_THAT(elements<float>(run_op(Op::kL2Normalize, {tensor_of<float>({1, 2}, {3, 4})},
                                     ir::L2NormalizeAttrs{0, ir::IntList{1}})),
              near({0.6F, 0.8F}));
}

TEST(ReferenceNormalize, SoftmaxDoesNotOverflow) {
  const Tensor in = tensor_of<float>({1, 3}, {1000, 1000, 999});
  const float e = std::exp(-1.0F);
  EXPECT_THAT(elements<float>(run_op(Op::kSoftmax, {in}, ir::SoftmaxAttrs{})),
              ElementsAre(1 / (2 + e), 1 / (2 + e), e / (2 + e)));
  EXPECT_THAT(elements<float>(run_op(Op::kLogSoftmax, {in}, ir::SoftmaxAttrs{})),
              Pointwise(FloatNear(1e-6F), std::vector<float>{-0.861995F, -0.861995F, -1.861995F}));
  EXPECT_THAT(
      elements<float>(run_op(Op::kSoftmax, {ramp<float>({2, 2})}, ir::SoftmaxAttrs{0})),
      Pointwise(FloatNear(1e-6F), std::vector<float>{0.119203F, 0.119203F, 0.880797F, 0.880797F}));
}

TEST(ReferenceNormalize, LocalResponse) {
  const ir::LRNAttrs attrs{3, 1, 1, 3, 1};  // x / (1 + sum of squares of 3 channels)
  EXPECT_THAT(elements<float>(run_op(Op::kLrn, {tensor_of<float>({1, 3, 1, 1}, {1, 2, 3})}, attrs)),
              ElementsAre(1.0F / 6, 2.0F / 15, 3.0F / 14));
}

TEST(ReferenceNormalize, DropoutKeepsEverything) {
  const Tensor in = ramp<float>({3});
  const auto results = evaluate_op(Op::kDropout, {{in}}, ir::DropoutAttrs{});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_TRUE(results[0].same_bytes(in));
  EXPECT_THAT(elements<float>(results[1]), ElementsAre(1, 1, 1));
}

std::vector<float> resized(const Tensor& in, std::int64_t width, const std::string& method,
                           const std::string& mode, const std::string& rounding = "") {
  ir::Resize2DAttrs attrs;
  attrs.size = ir::IntList{1, width};
  attrs.method = method;
  attrs.coordinate_transformation_mode = mode;
  attrs.rounding_method = rounding;
  return elements<float>(run_op(Op::kResize2D, {in}, attrs));
}

TEST(ReferenceImage, ResizesByEveryRule) {
  const Tensor in = tensor_of<float>({1, 1, 1, 4}, {0, 10, 20, 30});
  const std::string nearest = "nearest_neighbor";
  EXPECT_THAT(resized(in, 8, nearest, "asymmetric"), ElementsAre(0, 0, 10, 10, 20, 20, 30, 30));
  EXPECT_THAT(resized(in, 2, nearest, "half_pixel", "round"), ElementsAre(10, 30));
  EXPECT_THAT(resized(in, 2, nearest, "half_pixel", "round_prefer_floor"), ElementsAre(0, 20));
  EXPECT_THAT(resized(in, 2, nearest, "half_pixel", "round_prefer_ceil"), ElementsAre(10, 30));
  EXPECT_THAT(resized(in, 2, nearest, "half_pixel", "floor"), ElementsAre(0, 20));
  EXPECT_THAT(resized(in, 2, nearest, "half_pixel", "ceil"), ElementsAre(10, 30));
  EXPECT_THAT(resized(in, 3, nearest, "align_corners"), ElementsAre(0, 20, 30));
  EXPECT_THAT(resized(in, 2, "linear", "half_pixel"), ElementsAre(5, 25));
  EXPECT_THAT(resized(in, 8, "linear", "half_pixel"),
              ElementsAre(0, 2.5F, 7.5F, 12.5F, 17.5F, 22.5F, 27.5F, 30));
  EXPECT_THAT(resized(in, 2, "linear", "align_corners"), ElementsAre(0, 30));
  EXPECT_THAT(resized(in, 8, "linear", "asymmetric"), ElementsAre(0, 5, 10, 15, 20, 25, 30, 30));
  EXPECT_THAT(resized(in, 1, "linear", "pytorch_half_pixel"), ElementsAre(0));
  // Rounding does not matter where TVM divides integers: the scale is a whole number.
  EXPECT_THAT(resized(in, 8, nearest, "asymmetric", "ceil"),
              ElementsAre(0, 0, 10, 10, 20, 20, 30, 30));
  EXPECT_THAT(resized(in, 2, "cubic", "half_pixel"), ElementsAre(4.375F, 25.625F));
  EXPECT_THROW(resized(in, 2, "linear", "sideways"), InputError);
}

TEST(ReferenceImage, UpsamplesBothLayouts) {
  ir::UpSamplingAttrs attrs;
  attrs.scale_h = 2;
  attrs.scale_w = 2;
  const Tensor in = tensor_of<float>({1, 1, 1, 2}, {1, 2});
  EXPECT_THAT(elements<float>(run_op(Op::kUpsampling, {in}, attrs)),
              ElementsAre(1, 1, 2, 2, 1, 1, 2, 2));
  attrs.method = "bilinear";
  EXPECT_THAT(elements<float>(run_op(Op::kUpsampling, {in}, attrs)),
              ElementsAre(1, 1.5F, 2, 2, 1, 1.5F, 2, 2));
  attrs.layout = "NHWC";
  EXPECT_EQ(run_op(Op::kUpsampling, {ramp<float>({1, 2, 3, 5})}, attrs).shape(),
            (Shape{1, 4, 6, 5}));
}

}  // namespace
}  // namespace tvmq::exec
