// Known answers for the arithmetic of single elements. The integer ones were produced with TVM
// v0.19 (relay_quantize.md 6.3) or follow from the rules in exec/reference_kernels.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "exec/reference_case.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Op;
using ir::Tensor;
using testing::ElementsAre;

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");
constexpr std::int32_t kMin32 = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMax32 = std::numeric_limits<std::int32_t>::max();

TEST(ReferenceElementwise, RoundsHalfAwayFromZero) {
  const Tensor in = tensor_of<float>({-2.5F, -1.5F, -0.5F, 0.5F, 1.5F, 2.5F, 0.49999997F});
  EXPECT_THAT(elements<float>(run_op(Op::kRound, {in})), ElementsAre(-3, -2, -1, 1, 2, 3, 0));
}

TEST(ReferenceElementwise, RightShiftIsArithmeticAndDefinedForEveryAmount) {
  const auto shift = [](std::int32_t amount) {
    return elements<std::int32_t>(run_op(
        Op::kRightShift, {tensor_of<std::int32_t>({-3, -2, -1, 5}), Tensor::scalar(amount)}));
  };
  EXPECT_THAT(shift(1), ElementsAre(-2, -1, -1, 2));
  EXPECT_THAT(shift(31), ElementsAre(-1, -1, -1, 0));
  EXPECT_THAT(shift(32), ElementsAre(-1, -1, -1, 0));
  EXPECT_THAT(shift(-1), ElementsAre(-1, -1, -1, 0));
}

TEST(ReferenceElementwise, LeftShiftWraps) {
  const Tensor in = tensor_of<std::int32_t>({1, -3, kMax32});
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kLeftShift, {in, Tensor::scalar(31)})),
              ElementsAre(kMin32, kMin32, kMin32));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kLeftShift, {in, Tensor::scalar(4)})),
              ElementsAre(16, -48, -16));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kLeftShift, {in, Tensor::scalar(32)})),
              ElementsAre(0, 0, 0));
  const Tensor bytes = tensor_of<std::int8_t>({100, -127});
  EXPECT_THAT(elements<std::int8_t>(run_op(Op::kLeftShift, {bytes, tensor_of<std::int8_t>({1})})),
              ElementsAre(-56, 2));
}

TEST(ReferenceElementwise, IntegerArithmeticWraps) {
  const Tensor a = tensor_of<std::int32_t>({kMax32, kMin32, 65536, -7});
  const Tensor b = tensor_of<std::int32_t>({1, 1, 65537, 2});
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kAdd, {a, b})),
              ElementsAre(kMin32, kMin32 + 1, 131073, -5));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kSubtract, {a, b})),
              ElementsAre(kMax32 - 1, kMax32, -1, -9));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kMultiply, {a, b})),
              ElementsAre(kMax32, kMin32, 65536, -14));
  EXPECT_THAT(elements<std::uint16_t>(run_op(Op::kMultiply, {tensor_of<std::uint16_t>({65535}),
                                                             tensor_of<std::uint16_t>({65535})})),
              ElementsAre(1));
}

TEST(ReferenceElementwise, IntegerDivisionTruncatesAndNeverTraps) {
  const Tensor a = tensor_of<std::int32_t>({-7, 7, kMin32, -6});
  const Tensor b = tensor_of<std::int32_t>({2, -2, -1, 3});
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kDivide, {a, b})), ElementsAre(-3, -3, kMin32, -2));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kMod, {a, b})), ElementsAre(-1, 1, 0, 0));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kFloorDivide, {a, b})),
              ElementsAre(-4, -4, kMin32, -2));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kFloorMod, {a, b})), ElementsAre(1, -1, 0, 0));
}

TEST(ReferenceElementwise, DivisionByIntegerZeroNamesTheLayer) {
  try {
    run_op(Op::kDivide, {tensor_of<std::int32_t>({1}), tensor_of<std::int32_t>({0})});
    FAIL() << "divided by zero";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("divide 'layer'"));
    EXPECT_THAT(error.what(), testing::HasSubstr("zero"));
  }
  EXPECT_THAT(
      elements<float>(run_op(Op::kDivide, {tensor_of<float>({1, -1}), tensor_of<float>({0, 0})})),
      ElementsAre(kInf, -kInf));
}

TEST(ReferenceElementwise, FloatsAreRoundedAfterEveryOperation) {
  // The square of 1 + 2^-12 needs 25 bits: a fused multiply and subtract would give 2^-24.
  const Tensor factor = Tensor::scalar(1 + 0x1p-12F);
  const Tensor square = run_op(Op::kMultiply, {factor, factor});
  const Tensor rest = run_op(Op::kSubtract, {square, Tensor::scalar(1 + 0x1p-11F)});
  EXPECT_EQ(elements<float>(rest)[0], 0);
  const Tensor root = run_op(Op::kSqrt, {Tensor::scalar(2.0F)});
  EXPECT_EQ(elements<float>(root)[0], 1.41421354F);
  EXPECT_EQ(elements<float>(run_op(Op::kRsqrt, {Tensor::scalar(2.0F)}))[0], 1.0F / 1.41421354F);
}

TEST(ReferenceElementwise, MaximumSelectsLikeTheCompiledCode) {
  const Tensor a = tensor_of<float>({1, kNan, 1, -kInf});
  const Tensor b = tensor_of<float>({2, 2, kNan, kInf});
  const auto larger = elements<float>(run_op(Op::kMaximum, {a, b}));
  EXPECT_EQ(larger[0], 2);
  EXPECT_EQ(larger[1], 2);
  EXPECT_TRUE(std::isnan(larger[2]));
  EXPECT_EQ(larger[3], kInf);
  EXPECT_THAT(elements<float>(run_op(Op::kRelu, {tensor_of<float>({-1, kNan, 3})})),
              ElementsAre(0, 0, 3));
}

TEST(ReferenceElementwise, BroadcastsEveryCombinationOfDimensions) {
  const Tensor a = ramp<float>({2, 1, 3});
  const Tensor b = ramp<float>({2, 1}, 10, 10);
  EXPECT_THAT(elements<float>(run_op(Op::kAdd, {a, b})),
              ElementsAre(10, 11, 12, 20, 21, 22, 13, 14, 15, 23, 24, 25));
  EXPECT_THAT(elements<float>(run_op(Op::kSubtract, {b, a})),
              ElementsAre(10, 9, 8, 20, 19, 18, 7, 6, 5, 17, 16, 15));
  EXPECT_EQ(run_op(Op::kAdd, {Tensor::zeros(DType::kFloat32, {0, 3}), ramp<float>({3})}).size(), 0);
  // A bias per channel of NCHW, and of NHWC.
  EXPECT_THAT(elements<float>(run_op(
                  Op::kAdd, {ramp<float>({1, 2, 1, 2}), tensor_of<float>({2, 1, 1}, {10, 20})})),
              ElementsAre(10, 11, 22, 23));
  EXPECT_THAT(
      elements<float>(run_op(Op::kAdd, {ramp<float>({1, 2, 2}), tensor_of<float>({10, 20})})),
      ElementsAre(10, 21, 12, 23));
}

TEST(ReferenceElementwise, ClipTruncatesItsBoundsForIntegers) {
  const auto clip = [](Tensor in, double low, double high) {
    return run_op(Op::kClip, {std::move(in)}, ir::ClipAttrs{low, high});
  };
  EXPECT_THAT(elements<std::int32_t>(clip(tensor_of<std::int32_t>({-9, 9}), -3.9, 3.9)),
              ElementsAre(-3, 3));
  EXPECT_THAT(elements<std::int8_t>(clip(tensor_of<std::int8_t>({-128, 127}), -1000, 1000)),
              ElementsAre(-128, 127));
  EXPECT_THAT(elements<std::uint8_t>(clip(tensor_of<std::uint8_t>({0, 200, 255}), -5, 250)),
              ElementsAre(0, 200, 250));
  EXPECT_THAT(elements<std::int32_t>(clip(tensor_of<std::int32_t>({kMin32, kMax32}), -1e30, 1e30)),
              ElementsAre(kMin32, kMax32));
  EXPECT_THAT(elements<float>(clip(tensor_of<float>({-1, 7, kNan}), 0, 6)), ElementsAre(0, 6, 6));
}

TEST(ReferenceElementwise, CastsLikeTheProcessor) {
  const auto cast = [](const Tensor& in, DType to) {
    return run_op(Op::kCast, {in}, ir::CastAttrs{to});
  };
  const Tensor floats = tensor_of<float>({-1.9F, 1.9F, 300.7F, 3e9F, -3e9F, kNan, kInf});
  EXPECT_THAT(elements<std::int32_t>(cast(floats, DType::kInt32)),
              ElementsAre(-1, 1, 300, kMin32, kMin32, kMin32, kMin32));
  EXPECT_THAT(elements<std::int8_t>(cast(floats, DType::kInt8)),
              ElementsAre(-1, 1, 127, -128, -128, -128, -128));
  EXPECT_THAT(elements<std::uint8_t>(cast(tensor_of<float>({-1, 255.9F, 256}), DType::kUInt8)),
              ElementsAre(0, 255, 255));
  EXPECT_THAT(elements<std::int64_t>(cast(tensor_of<float>({1e30F, -2.5F}), DType::kInt64)),
              ElementsAre(std::numeric_limits<std::int64_t>::min(), -2));
  EXPECT_THAT(elements<std::uint64_t>(cast(tensor_of<double>({1e19, 3}), DType::kUInt64)),
              ElementsAre(10000000000000000000U, 3));
  EXPECT_THAT(elements<std::int8_t>(cast(tensor_of<std::int32_t>({200, -129}), DType::kInt8)),
              ElementsAre(-56, 127));
  EXPECT_THAT(elements<float>(cast(tensor_of<std::int32_t>({16777217}), DType::kFloat32)),
              ElementsAre(16777216));
  EXPECT_THAT(elements<bool>(cast(tensor_of<float>({0, -0.5F, kNan}), DType::kBool)),
              ElementsAre(false, true, true));
}

TEST(ReferenceElementwise, CarriesHalfPrecisionThroughFloat) {
  const std::vector<float> values{0,       -0.0F, 1,     65504, 65520, 1e-8F,   6e-8F, 0.1F,
                                  2048.5F, kInf,  -kInf, 2049,  2051,  6.1e-5F, -3.25F};
  const std::vector<float> expected{
      0,    -0.0F, 1,    65504, kInf,          0,     5.9604645e-8F, 0.0999755859375F, 2048,
      kInf, -kInf, 2048, 2052,  6.0975552e-5F, -3.25F};
  const Tensor half = run_op(Op::kCast, {tensor_of(values)}, ir::CastAttrs{DType::kFloat16});
  EXPECT_EQ(half.dtype(), DType::kFloat16);
  const auto back = elements<float>(run_op(Op::kCast, {half}, ir::CastAttrs{DType::kFloat32}));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(back[i], expected[i]) << values[i];
  }
  EXPECT_THROW(run_op(Op::kExp, {half}), InputError);
}

TEST(ReferenceElementwise, FixedPointMultiplyRoundsHalfUp) {
  // relay_quantize.md 6.3, produced with TVM.
  const auto multiply = [](Tensor in, std::int64_t multiplier, std::int64_t shift) {
    return run_op(Op::kFixedPointMultiply, {std::move(in)},
                  ir::FixedPointMultiplyAttrs{multiplier, shift});
  };
  const Tensor in = tensor_of<std::int32_t>({-3, -1, 1, 3, 5});
  EXPECT_THAT(elements<std::int32_t>(multiply(in, 1 << 30, 0)), ElementsAre(-1, 0, 1, 2, 3));
  EXPECT_THAT(elements<std::int32_t>(multiply(in, (1 << 30) + 1, 0)), ElementsAre(-2, -1, 1, 2, 3));
  EXPECT_THAT(elements<std::int32_t>(multiply(in, 1 << 30, 1)), ElementsAre(-3, -1, 1, 3, 5));
  EXPECT_THAT(elements<std::int32_t>(multiply(in, 1 << 30, 3)), ElementsAre(-12, -4, 4, 12, 20));
  EXPECT_THAT(elements<std::int32_t>(multiply(in, 3 << 29, 2)), ElementsAre(-9, -3, 3, 9, 15));
  EXPECT_THAT(elements<std::int32_t>(multiply(in, 3 << 29, -1)), ElementsAre(-1, 0, 0, 1, 2));
  // A product that needs more than 32 bits keeps the low ones, also in an int64 tensor.
  EXPECT_THAT(elements<std::int64_t>(
                  multiply(tensor_of<std::int64_t>({std::int64_t{1} << 31}), 3 << 29, 1)),
              ElementsAre(-1073741824));
  EXPECT_THAT(elements<std::int32_t>(multiply(in, 3 << 29, -100)), ElementsAre(-1, -1, 0, 0, 0));
}

TEST(ReferenceElementwise, ComparisonsAndSelection) {
  const Tensor a = tensor_of<float>({1, 2, kNan});
  const Tensor b = tensor_of<float>({2, 2, kNan});
  EXPECT_THAT(elements<bool>(run_op(Op::kLess, {a, b})), ElementsAre(true, false, false));
  EXPECT_THAT(elements<bool>(run_op(Op::kLessEqual, {a, b})), ElementsAre(true, true, false));
  EXPECT_THAT(elements<bool>(run_op(Op::kEqual, {a, b})), ElementsAre(false, true, false));
  EXPECT_THAT(elements<bool>(run_op(Op::kNotEqual, {a, b})), ElementsAre(true, false, true));
  EXPECT_THAT(elements<bool>(run_op(Op::kGreater, {a, b})), ElementsAre(false, false, false));
  EXPECT_THAT(elements<bool>(run_op(Op::kGreaterEqual, {a, b})), ElementsAre(false, true, false));
  const Tensor yes = tensor_of<bool>({2, 1}, {true, false});
  EXPECT_THAT(elements<float>(run_op(Op::kWhere, {yes, ramp<float>({2}), ramp<float>({2}, 5)})),
              ElementsAre(0, 1, 5, 6));
  EXPECT_THAT(elements<bool>(run_op(Op::kLogicalNot, {yes})), ElementsAre(false, true));
  EXPECT_THAT(elements<bool>(run_op(Op::kLogicalAnd, {yes, tensor_of<bool>({true, false})})),
              ElementsAre(true, false, false, false));
  EXPECT_THAT(elements<bool>(run_op(Op::kLogicalOr, {yes, tensor_of<bool>({true, false})})),
              ElementsAre(true, true, true, false));
}

TEST(ReferenceElementwise, FunctionsOfOneNumber) {
  const Tensor in = tensor_of<float>({-1, 0, 0.5F});
  const auto near = [](Op op, const Tensor& x, const std::vector<float>& expected) {
    EXPECT_THAT(elements<float>(run_op(op, {x})),
                testing::Pointwise(testing::FloatNear(1e-6F), expected));
  };
  near(Op::kExp, in, {0.36787944F, 1, 1.6487213F});
  near(Op::kFastExp, in, {0.36787944F, 1, 1.6487213F});
  near(Op::kSigmoid, in, {0.26894143F, 0.5F, 0.62245935F});
  near(Op::kTanh, in, {-0.7615942F, 0, 0.46211717F});
  near(Op::kErf, in, {-0.8427008F, 0, 0.5204999F});
  near(Op::kSin, in, {-0.841471F, 0, 0.47942555F});
  near(Op::kCos, in, {0.5403023F, 1, 0.87758255F});
  near(Op::kAtan, in, {-0.7853982F, 0, 0.46364760F});
  near(Op::kLog, tensor_of<float>({1, 2}), {0, 0.6931472F});
  near(Op::kLog2, tensor_of<float>({1, 8}), {0, 3});
  near(Op::kAbs, in, {1, 0, 0.5F});
  near(Op::kNegative, in, {1, 0, -0.5F});
  near(Op::kSign, in, {-1, 0, 1});
  near(Op::kCeil, tensor_of<float>({-1.5F, 1.5F}), {-1, 2});
  near(Op::kFloor, tensor_of<float>({-1.5F, 1.5F}), {-2, 1});
  near(Op::kTrunc, tensor_of<float>({-1.5F, 1.5F}), {-1, 1});
  EXPECT_THAT(elements<std::int8_t>(run_op(Op::kAbs, {tensor_of<std::int8_t>({-128, -5})})),
              ElementsAre(-128, 5));
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kNegative, {tensor_of<std::int32_t>({kMin32, 5})})),
              ElementsAre(kMin32, -5));
  EXPECT_THAT(
      elements<float>(run_op(Op::kPower, {tensor_of<float>({2, 9}), tensor_of<float>({3, 0.5F})})),
      ElementsAre(8, 3));
  EXPECT_THROW(run_op(Op::kExp, {tensor_of<std::int32_t>({1})}), InputError);
  EXPECT_THROW(run_op(Op::kPower, {tensor_of<std::int32_t>({1}), tensor_of<std::int32_t>({1})}),
               InputError);
}

TEST(ReferenceElementwise, ActivationsWithASlope) {
  EXPECT_THAT(elements<float>(
                  run_op(Op::kLeakyRelu, {tensor_of<float>({-2, 3})}, ir::LeakyReluAttrs{0.25})),
              ElementsAre(-0.5F, 3));
  EXPECT_THAT(elements<float>(run_op(
                  Op::kPrelu,
                  {tensor_of<float>({1, 2, 2}, {-2, 2, -4, 4}), tensor_of<float>({0.5F, 0.25F})},
                  ir::PReluAttrs{1})),
              ElementsAre(-1, 2, -1, 4));
}

TEST(ReferenceElementwise, SimulatedQuantizeClipsThenRounds) {
  const Tensor in = tensor_of<float>({0.26F, -0.74F, 100, -100});
  EXPECT_THAT(elements<float>(run_op(Op::kSimulatedQuantize, {in},
                                     ir::SimulatedQuantizeAttrs{1, 0.5, -127, 127})),
              ElementsAre(0.5F, -0.5F, 63.5F, -63.5F));
  EXPECT_TRUE(
      run_op(Op::kSimulatedQuantize, {in}, ir::SimulatedQuantizeAttrs{1, 0, 0, 0}).same_bytes(in));
}

}  // namespace
}  // namespace tvmq::exec
