// The QNN operators: known answers of TVM's own tests (relay_quantize.md 6.2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "exec/reference_case.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Op;
using ir::Tensor;
using testing::ElementsAre;

struct Quantization {
  float scale = 1;
  std::int32_t zero_point = 0;
};

const std::vector<std::string> kComputeDtypes{"float32", "float64", "int64"};
const std::vector<std::string> kRoundings{"UPWARD", "TONEAREST"};

/// qnn.requantize of int32 values by per-tensor parameters.
std::vector<std::int32_t> requantized(const Tensor& in, Quantization from, Quantization to,
                                      const std::string& rounding, const std::string& compute_dtype,
                                      DType out_dtype = DType::kInt8) {
  const Tensor out = run_op(Op::kQnnRequantize,
                            {in, Tensor::scalar(from.scale), Tensor::scalar(from.zero_point),
                             Tensor::scalar(to.scale), Tensor::scalar(to.zero_point)},
                            ir::RequantizeAttrs{-1, rounding, compute_dtype, out_dtype});
  return elements<std::int32_t>(run_op(Op::kCast, {out}, ir::CastAttrs{DType::kInt32}));
}

/// `counts[i]` times the value first + i * step.
std::vector<std::int32_t> runs(std::int32_t first, std::int32_t step,
                               const std::vector<int>& counts) {
  std::vector<std::int32_t> values;
  for (const int count : counts) {
    values.insert(values.end(), static_cast<std::size_t>(count), first);
    first += step;
  }
  return values;
}

struct RequantizeCase {
  std::int32_t first;  ///< the input: 32 values from here,
  std::int32_t step;   ///< one step apart
  Quantization from;
  Quantization to;
  std::vector<std::int32_t> upward;
  std::vector<std::int32_t> to_nearest;
};

TEST(ReferenceRequantize, KnownAnswersInEveryArithmetic) {
  const std::vector<RequantizeCase> cases{
      {0, 1, {1}, {16}, runs(0, 1, {8, 16, 8}), runs(0, 1, {8, 16, 8})},
      {0, -1, {1}, {16}, runs(0, -1, {9, 16, 7}), runs(0, -1, {8, 16, 8})},
      {0,
       1,
       {1},
       {4},
       runs(0, 1, {2, 4, 4, 4, 4, 4, 4, 4, 2}),
       runs(0, 1, {2, 4, 4, 4, 4, 4, 4, 4, 2})},
      {0,
       -1,
       {1},
       {4},
       runs(0, -1, {3, 4, 4, 4, 4, 4, 4, 4, 1}),
       runs(0, -1, {2, 4, 4, 4, 4, 4, 4, 4, 2})},
      {0, 1, {2}, {1}, runs(0, 2, std::vector<int>(32, 1)), runs(0, 2, std::vector<int>(32, 1))},
      {0, 3, {1}, {3}, runs(0, 1, std::vector<int>(32, 1)), runs(0, 1, std::vector<int>(32, 1))},
      {0, 1, {3}, {1}, runs(0, 3, std::vector<int>(32, 1)), runs(0, 3, std::vector<int>(32, 1))},
      {-50,
       3,
       {0.5F},
       {0.5F},
       runs(-50, 3, std::vector<int>(32, 1)),
       runs(-50, 3, std::vector<int>(32, 1))},
      {-32, -1, {1}, {16, 1}, runs(-1, -1, {9, 16, 7}), {}},
      {0, 1, {1, 16}, {16}, runs(-1, 1, {8, 16, 8}), {}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const std::string& compute_dtype : kComputeDtypes) {
      SCOPED_TRACE(testing::Message() << "case " << i << " in " << compute_dtype);
      const RequantizeCase& each = cases[i];
      const Tensor in = ramp<std::int32_t>({32}, each.first, each.step);
      EXPECT_EQ(requantized(in, each.from, each.to, "UPWARD", compute_dtype), each.upward);
      if (each.to_nearest.empty() || each.from.zero_point != 0) continue;
      EXPECT_EQ(requantized(in, each.from, each.to, "TONEAREST", compute_dtype), each.to_nearest);
    }
  }
}

TEST(ReferenceRequantize, SaturatesToTheResultType) {
  for (const std::string& compute_dtype : kComputeDtypes) {
    for (const std::string& rounding : kRoundings) {
      EXPECT_THAT(requantized(tensor_of<std::int32_t>({120, 127, 128, 135, -127, -128, -129, -135}),
                              {1}, {1}, rounding, compute_dtype),
                  ElementsAre(120, 127, 127, 127, -127, -128, -128, -128));
      EXPECT_THAT(requantized(tensor_of<std::int32_t>({32766, 32768, -32768, -40000}), {1}, {1},
                              rounding, compute_dtype, DType::kInt16),
                  ElementsAre(32766, 32767, -32768, -32768));
      EXPECT_THAT(requantized(tensor_of<std::int32_t>({-1, 0, 255, 256}), {1}, {1}, rounding,
                              compute_dtype, DType::kUInt8),
                  ElementsAre(0, 0, 255, 255));
    }
  }
}

TEST(ReferenceRequantize, PerChannel) {
  const auto per_channel = [](const Tensor& in, const std::vector<float>& scales, float out_scale,
                              const std::string& compute_dtype) {
    return elements<std::int8_t>(
        run_op(Op::kQnnRequantize,
               {in, tensor_of(scales), Tensor::scalar<std::int32_t>(0), Tensor::scalar(out_scale),
                Tensor::scalar<std::int32_t>(0)},
               ir::RequantizeAttrs{1, "UPWARD", compute_dtype, DType::kInt8}));
  };
  for (const std::string& compute_dtype : kComputeDtypes) {
    const Tensor in = ramp<std::int32_t>({5, 2}, -5);
    EXPECT_THAT(per_channel(in, {0.5F, 0.25F}, 0.5F, compute_dtype),
                ElementsAre(-5, -2, -3, -1, -1, 0, 1, 1, 3, 2));
    EXPECT_THAT(per_channel(in, {1.0F, 0.25F}, 0.5F, compute_dtype),
                ElementsAre(-10, -2, -6, -1, -2, 0, 2, 1, 6, 2));
    EXPECT_THAT(
        per_channel(ramp<std::int32_t>({2, 2, 5}, -20, 2), {0.5F, 0.25F}, 0.5F, compute_dtype),
        ElementsAre(-20, -18, -16, -14, -12, -5, -4, -3, -2, -1, 0, 2, 4, 6, 8, 5, 6, 7, 8, 9));
  }
}

TEST(ReferenceRequantize, RefusesWhatTvmRefuses) {
  const Tensor in = tensor_of<std::int32_t>({1});
  EXPECT_THROW(requantized(in, {1}, {0}, "UPWARD", "float32"), InputError);
  EXPECT_THROW(requantized(in, {1}, {2}, "SIDEWAYS", "float32"), InputError);
  EXPECT_THROW(requantized(in, {1}, {2}, "UPWARD", "float16"), InputError);
}

TEST(ReferenceQnn, QuantizesAndDequantizes) {
  struct Case {
    std::vector<float> real;
    std::vector<std::int32_t> quantized;
    Quantization params;
    DType dtype;
  };
  const std::vector<Case> cases{
      {{-63.5F, -63, -62.5F, -62, -61.5F, 62, 62.5F, 63, 63.5F, 64},
       {0, 1, 2, 3, 4, 251, 252, 253, 254, 255},
       {0.5F, 127},
       DType::kUInt8},
      {{-63.5F, -63, -62.5F, -62, -61.5F, 62, 62.5F, 63, 63.5F, 64},
       {-128, -127, -126, -125, -124, 123, 124, 125, 126, 127},
       {0.5F, -1},
       DType::kInt8},
  };
  for (const Case& each : cases) {
    const Tensor real = tensor_of(each.real);
    const Tensor scale = Tensor::scalar(each.params.scale);
    const Tensor zero_point = Tensor::scalar(each.params.zero_point);
    const Tensor quantized =
        run_op(Op::kQnnQuantize, {real, scale, zero_point}, ir::QuantizeAttrs{each.dtype, -1});
    EXPECT_EQ(elements<std::int32_t>(run_op(Op::kCast, {quantized}, ir::CastAttrs{DType::kInt32})),
              each.quantized);
    EXPECT_TRUE(run_op(Op::kQnnDequantize, {quantized, scale, zero_point},
                       ir::DequantizeAttrs{DType::kFloat32, -1})
                    .same_bytes(real));
  }
  EXPECT_THAT(elements<float>(run_op(Op::kQnnDequantize,
                                     {tensor_of<std::int32_t>({113, 29, -1052}),
                                      Tensor::scalar(0.0057968604F), Tensor::scalar(0)},
                                     ir::DequantizeAttrs{DType::kFloat32, -1})),
              ElementsAre(0.6550452F, 0.16810896F, -6.098297F));
}

TEST(ReferenceQnn, QuantizesByTheReciprocalOfAScaleThatTvmKnows) {
  // 0.0065 / 0.013 is one half, 0.0065 * (1 / 0.013) a little less (float32).
  const Tensor scale = Tensor::scalar(0.013F);
  for (const bool is_constant : {true, false}) {
    ir::Graph graph;
    const ir::TensorType real{DType::kFloat32, {}};
    const ir::NodeId x = graph.add_input("x", real);
    const ir::NodeId given = graph.add_input("scale", real);
    const ir::NodeId used = is_constant ? graph.add_constant(scale) : given;
    const ir::NodeId zero = graph.add_constant(Tensor::scalar(0));
    graph.set_output(
        graph.add_call(Op::kQnnQuantize, {x, used, zero}, ir::QuantizeAttrs{DType::kInt8, -1}));
    const auto results = run_reference(graph, std::vector<Tensor>{Tensor::scalar(0.0065F), scale});
    EXPECT_THAT(elements<std::int8_t>(results[0]), ElementsAre(is_constant ? 0 : 1));
  }
}

TEST(ReferenceQnn, QuantizesPerChannel) {
  const Tensor in =
      tensor_of<float>({2, 5}, {-63.5F, -63, -62.5F, -62, -61.5F, 30, 31, 31.5F, 31.75F, 32});
  EXPECT_THAT(elements<std::uint8_t>(
                  run_op(Op::kQnnQuantize,
                         {in, tensor_of<float>({0.5F, 0.25F}), tensor_of<std::int32_t>({127, 123})},
                         ir::QuantizeAttrs{DType::kUInt8, 0})),
              ElementsAre(0, 1, 2, 3, 4, 243, 247, 249, 250, 251));
}

/// qnn.add or qnn.subtract of uint8 rows.
std::vector<std::uint8_t> combined(Op op, const std::vector<std::uint8_t>& a, Quantization a_params,
                                   const std::vector<std::uint8_t>& b, Quantization b_params,
                                   Quantization out) {
  return elements<std::uint8_t>(
      run_op(op,
             {tensor_of(a), tensor_of(b), Tensor::scalar(a_params.scale),
              Tensor::scalar(a_params.zero_point), Tensor::scalar(b_params.scale),
              Tensor::scalar(b_params.zero_point), Tensor::scalar(out.scale),
              Tensor::scalar(out.zero_point)},
             ir::BroadcastAttrs{}));
}

TEST(ReferenceQnn, AddsAndSubtracts) {
  const Quantization same{0.00784314F, 127};
  const Quantization lhs{0.0156863F, 127};
  const Quantization rhs{0.0117647F, 85};
  const Quantization out{0.0235294F, 128};
  EXPECT_THAT(combined(Op::kQnnAdd, {140, 153, 165, 178}, same, {204, 178, 165, 140}, same, same),
              ElementsAre(217, 204, 203, 191));
  EXPECT_THAT(combined(Op::kQnnAdd, {25, 153, 178, 216}, same, {204, 178, 191, 25}, same, same),
              ElementsAre(102, 204, 242, 114));
  EXPECT_THAT(combined(Op::kQnnAdd, {76, 140, 153, 172}, lhs, {136, 119, 128, 17}, rhs, out),
              ElementsAre(120, 154, 167, 124));
  EXPECT_THAT(combined(Op::kQnnAdd, {133, 140, 146, 153}, lhs, {136, 119, 111, 94}, rhs, out),
              ElementsAre(158, 154, 154, 150));
  EXPECT_THAT(
      combined(Op::kQnnSubtract, {140, 153, 165, 178}, same, {204, 178, 165, 140}, same, same),
      ElementsAre(63, 102, 127, 165));
  EXPECT_THAT(
      combined(Op::kQnnSubtract, {25, 153, 178, 216}, same, {204, 178, 191, 25}, same, same),
      ElementsAre(0, 102, 114, 255));
  EXPECT_THAT(combined(Op::kQnnSubtract, {76, 140, 153, 172}, lhs, {136, 119, 128, 17}, rhs, out),
              ElementsAre(68, 120, 123, 192));
}

TEST(ReferenceQnn, AddRoundsEachSideUpOnItsOwn) {
  const Quantization fine{0.125F, 0};
  EXPECT_THAT(combined(Op::kQnnAdd, {255, 1, 1, 0}, fine, {255, 255, 128, 0}, fine, fine),
              ElementsAre(255, 255, 129, 0));
  EXPECT_THAT(combined(Op::kQnnAdd, {255, 1, 1, 0}, fine, {255, 255, 127, 0}, fine, {0.25F, 0}),
              ElementsAre(255, 129, 65, 0));
}

TEST(ReferenceQnn, MultipliesInRealNumbers) {
  // (6 - 1) * 0.5 * (9 - 3) * 0.25 = 3.75; / 0.125 + 2 = 32.
  EXPECT_THAT(combined(Op::kQnnMul, {6, 1}, {0.5F, 1}, {9, 200}, {0.25F, 3}, {0.125F, 2}),
              ElementsAre(32, 2));
}

const std::vector<std::int8_t> kDenseData{1, 3, 5, 7, 9, 11, 13, 15,  -19, -21,
                                          1, 3, 5, 7, 9, 11, 13, -17, 17,  -21};
const std::vector<std::int8_t> kDenseWeight{1, 3, 5, 7, 9, 11, 13, 15, 17, 19,
                                            1, 3, 5, 7, 9, 11, 13, 15, 17, 19,
                                            1, 3, 5, 7, 9, 11, 13, 15, 17, 19};

TEST(ReferenceQnn, DenseEqualsTheCenteredProduct) {
  ir::DenseAttrs attrs;
  attrs.units = 3;
  attrs.out_dtype = DType::kInt32;
  const Tensor out =
      run_op(Op::kQnnDense,
             {tensor_of<std::int8_t>({2, 10}, kDenseData),
              tensor_of<std::int8_t>({3, 10}, kDenseWeight), Tensor::scalar<std::int32_t>(-1),
              Tensor::scalar<std::int32_t>(-1), Tensor::scalar(0.5F), Tensor::scalar(0.5F)},
             attrs);
  EXPECT_THAT(elements<std::int32_t>(out), ElementsAre(92, 92, 92, 228, 228, 228));
  // The bias and the requantisation that follow in TVM's test, for its accumulators.
  const Tensor sums = tensor_of<std::int32_t>({2, 3}, {96, 100, 104, 232, 236, 240});
  EXPECT_THAT(requantized(sums, {0.25F}, {1, -1}, "UPWARD", "float32"),
              ElementsAre(23, 24, 25, 57, 58, 59));
  const Tensor per_channel =
      run_op(Op::kQnnRequantize,
             {sums, tensor_of<float>({0.5F * 0.5F, 0.5F * 0.3F, 0.5F * 0.4F}), Tensor::scalar(0),
              Tensor::scalar(1.0F), Tensor::scalar(-1)},
             ir::RequantizeAttrs{1, "UPWARD", "None", DType::kInt8});
  EXPECT_THAT(elements<std::int8_t>(per_channel), ElementsAre(23, 14, 20, 57, 34, 47));
}

std::vector<std::int32_t> qnn_conv(const Tensor& x, std::int32_t x_zero, const Tensor& w,
                                   std::int32_t w_zero, ir::IntList strides,
                                   ir::IntList padding = {0, 0, 0, 0}) {
  ir::Conv2DAttrs attrs;
  attrs.channels = w.shape()[0];
  attrs.kernel_size = ir::IntList{w.shape()[2], w.shape()[3]};
  attrs.strides = std::move(strides);
  attrs.padding = std::move(padding);
  attrs.out_dtype = DType::kInt32;
  return elements<std::int32_t>(run_op(Op::kQnnConv2D,
                                       {x, w, Tensor::scalar(x_zero), Tensor::scalar(w_zero),
                                        Tensor::scalar(1.0F), Tensor::scalar(1.0F)},
                                       attrs));
}

TEST(ReferenceQnn, ConvolutionSubtractsZeroPoints) {
  const Tensor flat(run_op(Op::kFull, {Tensor::scalar<std::uint8_t>(127)},
                           ir::InitOpAttrs{ir::IntList{1, 1024, 1, 1}, DType::kUInt8}));
  EXPECT_THAT(qnn_conv(flat, 127, flat, 127, {1, 1}), ElementsAre(0));

  const Tensor data = tensor_of<std::uint8_t>(
      {2, 1, 2, 4},
      {129, 129, 129, 129, 130, 130, 130, 130, 129, 130, 131, 132, 129, 130, 131, 132});
  const Tensor kernels = tensor_of<std::uint8_t>(
      {3, 1, 2, 2}, {129, 130, 131, 132, 127, 129, 127, 129, 127, 127, 129, 129});
  EXPECT_THAT(qnn_conv(data, 128, kernels, 128, {2, 2}),
              ElementsAre(17, 17, 0, 0, 2, 2, 16, 36, 2, 2, 0, 0));

  const Tensor row = tensor_of<std::uint8_t>(
      {1, 1, 3, 6},
      {133, 131, 129, 125, 123, 121, 135, 133, 131, 123, 121, 119, 137, 135, 133, 121, 119, 117});
  const Tensor kernel = tensor_of<std::uint8_t>({1, 1, 2, 2}, {129, 131, 133, 135});
  EXPECT_THAT(qnn_conv(row, 127, kernel, 127, {1, 3}), ElementsAre(124, -92, 164, -132));

  // Padding has the value of the zero point, so that it contributes nothing.
  EXPECT_THAT(qnn_conv(tensor_of<std::uint8_t>({1, 1, 1, 1}, {130}), 128,
                       tensor_of<std::int8_t>({1, 1, 3, 3}, {1, 1, 1, 1, 5, 1, 1, 1, 1}), 0, {1, 1},
                       {1, 1, 1, 1}),
              ElementsAre(10));
}

TEST(ReferenceQnn, Concatenates) {
  const auto scale = static_cast<float>(126.0 / 4294967295.0);
  const Tensor x = tensor_of<std::int32_t>({-1000, 0, 7});
  const Tensor y = tensor_of<std::int32_t>({4, 5});
  const Tensor s = Tensor::scalar(scale);
  const auto zero = [](std::int32_t value) { return Tensor::scalar(value); };
  const auto result =
      evaluate_op(Op::kQnnConcatenate, {{x, y}, {s, s}, {zero(3), zero(4)}, {s}, {zero(1)}},
                  ir::ConcatenateAttrs{0});
  EXPECT_THAT(elements<std::int32_t>(result.at(0)), ElementsAre(-1002, -2, 5, 1, 2));
}

TEST(ReferenceQnn, LeakyReluIsWithinOneStep) {
  const Tensor in = tensor_of<std::uint8_t>({255, 133, 0, 9});
  const auto out = elements<std::uint8_t>(run_op(
      Op::kQnnLeakyRelu,
      {in, Tensor::scalar(0.125F), Tensor::scalar(60), Tensor::scalar(0.6F), Tensor::scalar(17)},
      ir::LeakyReluAttrs{0.9}));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float real = 0.125F * (static_cast<float>(in.data<std::uint8_t>()[i]) - 60);
    EXPECT_NEAR(out[i], std::round((real < 0 ? 0.9F * real : real) / 0.6F) + 17, 1) << i;
  }
}

TEST(ReferenceQnn, AveragesInTheOutputsParameters) {
  ir::AvgPool2DAttrs attrs;
  attrs.pool_size = {1, 2};
  attrs.strides = {1, 2};
  const auto pooled = [&](std::int32_t zero_point) {
    return elements<std::uint8_t>(
        run_op(Op::kQnnAvgPool2D,
               {tensor_of<std::uint8_t>({1, 1, 1, 4}, {10, 13, 20, 22}), Tensor::scalar(0.5F),
                Tensor::scalar(zero_point), Tensor::scalar(0.5F), Tensor::scalar<std::int32_t>(0)},
               attrs));
  };
  EXPECT_THAT(pooled(0), ElementsAre(11, 21));
  EXPECT_THAT(pooled(2), ElementsAre(9, 19));
}

TEST(ReferenceQnn, FixedPointMultiplyPerAxis) {
  ir::FixedPointMultiplyPerAxisAttrs attrs;
  attrs.is_lshift_required = true;
  attrs.axes = ir::IntList{1};
  const Tensor in = tensor_of<std::int32_t>({2, 2}, {3, 3, -3, -3});
  const auto results = evaluate_op(Op::kFixedPointMultiplyPerAxis,
                                   {{in},
                                    {tensor_of<std::int32_t>({1 << 30, 3 << 29})},
                                    {tensor_of<std::int32_t>({0, 2})},
                                    {tensor_of<std::int32_t>({1, 0})}},
                                   attrs);
  EXPECT_THAT(elements<std::int32_t>(results.at(0)), ElementsAre(1, 9, -1, -9));
}

}  // namespace
}  // namespace tvmq::exec
