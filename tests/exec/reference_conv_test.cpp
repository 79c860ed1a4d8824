// Convolutions and matrix products against sums written out one element at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "exec/reference_case.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Op;
using ir::Shape;
using ir::Tensor;
using testing::ElementsAre;

/// Small whole numbers that do not repeat with the tensor's dimensions.
Tensor pattern(DType dtype, Shape shape) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  const auto data = tensor.mutable_data<float>();
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = static_cast<float>(static_cast<int>(i * i * 7 + i * 3) % 11 - 5);
  }
  return run_op(Op::kCast, {tensor}, ir::CastAttrs{dtype});
}

float at(const Tensor& tensor, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  const Shape& s = tensor.shape();
  if (h < 0 || h >= s[2] || w < 0 || w >= s[3]) return 0;
  return tensor.data<float>()[static_cast<std::size_t>(((n * s[1] + c) * s[2] + h) * s[3] + w)];
}

/// nn.conv2d of NCHW data and OIHW weights by its definition.
Tensor by_definition(const Tensor& x, const Tensor& w, const ir::Conv2DAttrs& a, Shape shape) {
  Tensor y(DType::kFloat32, std::move(shape));
  const Shape& s = y.shape();
  const std::int64_t in_group = w.shape()[1];
  const std::int64_t out_group = s[1] / a.groups;
  std::size_t next = 0;
  for (std::int64_t n = 0; n < s[0]; ++n) {
    for (std::int64_t o = 0; o < s[1]; ++o) {
      for (std::int64_t h = 0; h < s[2]; ++h) {
        for (std::int64_t v = 0; v < s[3]; ++v) {
          float sum = 0;
          for (std::int64_t i = 0; i < in_group; ++i) {
            for (std::int64_t kh = 0; kh < w.shape()[2]; ++kh) {
              for (std::int64_t kw = 0; kw < w.shape()[3]; ++kw) {
                sum += at(x, n, o / out_group * in_group + i,
                          h * a.strides[0] + kh * a.dilation[0] - a.padding[0],
                          v * a.strides[1] + kw * a.dilation[1] - a.padding[1]) *
                       at(w, o, i, kh, kw);
              }
            }
          }
          y.mutable_data<float>()[next++] = sum;
        }
      }
    }
  }
  return y;
}

struct ConvCase {
  Shape data;
  Shape weight;
  ir::IntList strides{1, 1};
  ir::IntList padding{0, 0, 0, 0};
  ir::IntList dilation{1, 1};
  std::int64_t groups = 1;
};

const std::vector<ConvCase> kConvCases{
    {{1, 1, 3, 3}, {1, 1, 1, 1}},
    {{2, 3, 5, 6}, {4, 3, 3, 3}},
    {{1, 3, 5, 6}, {2, 3, 3, 3}, {2, 1}, {1, 1, 1, 1}},
    {{1, 2, 7, 7}, {2, 2, 3, 2}, {2, 3}, {2, 0, 1, 3}, {2, 1}},
    {{1, 4, 5, 5}, {4, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 4},
    {{1, 4, 4, 4}, {8, 1, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 4},
    {{1, 6, 4, 4}, {4, 3, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 2},
    {{3, 2, 4, 4}, {3, 2, 1, 1}, {1, 1}},
    {{1, 1, 2, 2}, {1, 1, 5, 5}, {1, 1}, {4, 4, 4, 4}},
    {{1, 1, 8, 8}, {1, 1, 3, 3}, {3, 3}, {0, 0, 0, 0}, {3, 3}},
};

ir::Conv2DAttrs attrs_of(const ConvCase& each) {
  ir::Conv2DAttrs attrs;
  attrs.strides = each.strides;
  attrs.padding = each.padding;
  attrs.dilation = each.dilation;
  attrs.groups = each.groups;
  attrs.channels = each.weight[0];
  attrs.kernel_size = ir::IntList{each.weight[2], each.weight[3]};
  return attrs;
}

Tensor transposed(const Tensor& tensor, const ir::IntList& axes) {
  return run_op(Op::kTranspose, {tensor}, ir::TransposeAttrs{axes});
}

TEST(ReferenceConv, EqualsTheDefinitionToTheLastBit) {
  for (const ConvCase& each : kConvCases) {
    const ir::Conv2DAttrs attrs = attrs_of(each);
    const Tensor x = pattern(DType::kFloat32, each.data);
    const Tensor w = pattern(DType::kFloat32, each.weight);
    const Tensor y = run_op(Op::kConv2D, {x, w}, attrs);
    EXPECT_TRUE(y.same_bytes(by_definition(x, w, attrs, y.shape()))) << ir::to_string(each.weight);
  }
}

TEST(ReferenceConv, EveryLayoutGivesTheSameNumbers) {
  for (const ConvCase& each : kConvCases) {
    ir::Conv2DAttrs attrs = attrs_of(each);
    const Tensor x = pattern(DType::kFloat32, each.data);
    const Tensor w = pattern(DType::kFloat32, each.weight);
    const Tensor expected = run_op(Op::kConv2D, {x, w}, attrs);
    attrs.data_layout = "NHWC";
    for (const auto& [layout, axes] : std::vector<std::pair<std::string, ir::IntList>>{
             {"HWIO", {2, 3, 1, 0}}, {"OHWI", {0, 2, 3, 1}}}) {
      attrs.kernel_layout = layout;
      attrs.out_layout = "";
      const Tensor y =
          run_op(Op::kConv2D, {transposed(x, {0, 2, 3, 1}), transposed(w, axes)}, attrs);
      EXPECT_TRUE(transposed(y, {0, 3, 1, 2}).same_bytes(expected)) << layout;
      attrs.out_layout = "NCHW";
      EXPECT_TRUE(run_op(Op::kConv2D, {transposed(x, {0, 2, 3, 1}), transposed(w, axes)}, attrs)
                      .same_bytes(expected))
          << layout;
    }
  }
}

TEST(ReferenceConv, IntegersEqualFloatsWhereBothAreExact) {
  for (const DType dtype : {DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64}) {
    for (const ConvCase& each : kConvCases) {
      ir::Conv2DAttrs attrs = attrs_of(each);
      const Tensor expected = run_op(
          Op::kConv2D, {pattern(DType::kFloat32, each.data), pattern(DType::kFloat32, each.weight)},
          attrs);
      attrs.out_dtype = dtype == DType::kInt64 ? DType::kInt64 : DType::kInt32;
      const Tensor y =
          run_op(Op::kConv2D, {pattern(dtype, each.data), pattern(dtype, each.weight)}, attrs);
      EXPECT_EQ(y.dtype(), attrs.out_dtype);
      EXPECT_TRUE(run_op(Op::kCast, {y}, ir::CastAttrs{DType::kFloat32}).same_bytes(expected));
    }
  }
}

TEST(ReferenceConv, AccumulatorsWrapInTheResultType) {
  ir::Conv2DAttrs attrs;
  attrs.channels = 1;
  attrs.kernel_size = ir::IntList{1, 1};
  attrs.out_dtype = DType::kInt16;
  const Tensor x = tensor_of<std::int8_t>({1, 3, 1, 1}, {127, 127, 127});
  const Tensor w = tensor_of<std::int8_t>({1, 3, 1, 1}, {127, 127, 127});
  EXPECT_THAT(elements<std::int16_t>(run_op(Op::kConv2D, {x, w}, attrs)),
              ElementsAre(static_cast<std::int16_t>(3 * 16129 - 65536)));
  attrs.out_dtype = DType::kInt32;
  const Tensor u = tensor_of<std::uint8_t>({1, 3, 1, 1}, {255, 255, 255});
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kConv2D, {u, w}, attrs)),
              ElementsAre(3 * 255 * 127));
  const std::int32_t large = std::numeric_limits<std::int32_t>::max();
  const Tensor big = tensor_of<std::int32_t>({1, 3, 1, 1}, {large, large, large});
  EXPECT_THAT(elements<std::int32_t>(run_op(
                  Op::kConv2D, {big, tensor_of<std::int32_t>({1, 3, 1, 1}, {2, 1, 1})}, attrs)),
              ElementsAre(-4));
}

TEST(ReferenceConv, OneAndThreeDimensions) {
  ir::Conv1DAttrs line;
  line.channels = 1;
  line.kernel_size = ir::IntList{2};
  line.padding = {1, 0};
  EXPECT_THAT(
      elements<float>(run_op(
          Op::kConv1D, {ramp<float>({1, 1, 3}, 1), tensor_of<float>({1, 1, 2}, {10, 1})}, line)),
      ElementsAre(1, 12, 23));
  ir::Conv3DAttrs cube;
  cube.channels = 1;
  cube.kernel_size = ir::IntList{2, 1, 2};
  EXPECT_THAT(
      elements<float>(run_op(
          Op::kConv3D,
          {ramp<float>({1, 1, 2, 1, 3}), tensor_of<float>({1, 1, 2, 1, 2}, {1, 2, 3, 4})}, cube)),
      ElementsAre(2 + 9 + 16, 1 + 4 + 12 + 20));
}

TEST(ReferenceConv, TransposedConvolutionSpreadsItsInput) {
  ir::Conv1DTransposeAttrs line;
  line.channels = 1;
  line.kernel_size = ir::IntList{3};
  line.strides = {2};
  EXPECT_THAT(
      elements<float>(run_op(
          Op::kConv1DTranspose,
          {tensor_of<float>({1, 1, 2}, {1, 10}), tensor_of<float>({1, 1, 3}, {1, 2, 3})}, line)),
      ElementsAre(1, 2, 3 + 10, 20, 30));
  line.padding = {1, 1};
  line.output_padding = {1};
  EXPECT_THAT(
      elements<float>(run_op(
          Op::kConv1DTranspose,
          {tensor_of<float>({1, 1, 2}, {1, 10}), tensor_of<float>({1, 1, 3}, {1, 2, 3})}, line)),
      ElementsAre(2, 13, 20, 30));

  // The transposed convolution is the adjoint of the convolution: <conv(x), y> = <x, convT(y)>.
  for (const ConvCase& each : kConvCases) {
    if (each.dilation != ir::IntList{1, 1}) continue;
    const ir::Conv2DAttrs forward = attrs_of(each);
    const Tensor x = pattern(DType::kFloat32, each.data);
    const Tensor w = pattern(DType::kFloat32, each.weight);
    const Tensor cx = run_op(Op::kConv2D, {x, w}, forward);
    const Tensor y = pattern(DType::kFloat32, cx.shape());
    ir::Conv2DTransposeAttrs back;
    back.channels = each.data[1];
    back.kernel_size = forward.kernel_size;
    back.strides = each.strides;
    back.padding = each.padding;
    back.groups = each.groups;
    back.output_padding = {};
    for (std::size_t i = 0; i < 2; ++i) {
      const std::int64_t covered = (cx.shape()[i + 2] - 1) * each.strides[i] + each.weight[i + 2] -
                                   each.padding[i] - each.padding[i + 2];
      back.output_padding.push_back(each.data[i + 2] - covered);
    }
    const Tensor ty = run_op(Op::kConv2DTranspose, {y, w}, back);
    ASSERT_EQ(ty.shape(), x.shape());
    const auto dot = [](const Tensor& a, const Tensor& b) {
      double sum = 0;
      for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
        sum += static_cast<double>(a.data<float>()[i]) * static_cast<double>(b.data<float>()[i]);
      }
      return sum;
    };
    EXPECT_EQ(dot(cx, y), dot(x, ty)) << ir::to_string(each.weight);
  }

  ir::Conv3DTransposeAttrs cube;
  cube.channels = 1;
  cube.kernel_size = ir::IntList{2, 1, 1};
  EXPECT_THAT(elements<float>(run_op(Op::kConv3DTranspose,
                                     {tensor_of<float>({1, 1, 2, 1, 1}, {1, 10}),
                                      tensor_of<float>({1, 1, 2, 1, 1}, {1, 2})},
                                     cube)),
              ElementsAre(1, 12, 20));
}

TEST(ReferenceMatmul, ProductsOfMatrices) {
  const Tensor a = ramp<float>({2, 3}, 1);
  const Tensor w = ramp<float>({2, 3}, 1);
  ir::DenseAttrs dense;
  dense.units = 2;
  EXPECT_THAT(elements<float>(run_op(Op::kDense, {a, w}, dense)), ElementsAre(14, 32, 32, 77));
  ir::MatmulAttrs matmul;
  matmul.transpose_a = true;
  EXPECT_THAT(elements<float>(run_op(Op::kMatmul, {a, w}, matmul)),
              ElementsAre(17, 22, 27, 22, 29, 36, 27, 36, 45));
  dense.out_dtype = DType::kInt32;
  EXPECT_THAT(elements<std::int32_t>(run_op(Op::kDense,
                                            {tensor_of<std::uint8_t>({1, 2}, {255, 1}),
                                             tensor_of<std::int8_t>({2, 2}, {-128, 1, 127, 2})},
                                            dense)),
              ElementsAre(-32639, 32387));
}

TEST(ReferenceMatmul, BatchesRepeatAndTranspose) {
  ir::BatchMatmulAttrs attrs;
  const Tensor a = ramp<float>({2, 1, 2}, 1);
  const Tensor b = ramp<float>({1, 2, 2}, 1);
  EXPECT_THAT(elements<float>(run_op(Op::kBatchMatmul, {a, b}, attrs)), ElementsAre(7, 10, 15, 22));
  attrs.transpose_b = true;
  EXPECT_THAT(elements<float>(run_op(Op::kBatchMatmul, {a, b}, attrs)), ElementsAre(5, 11, 11, 25));
  attrs.transpose_a = true;
  EXPECT_THAT(elements<float>(run_op(Op::kBatchMatmul, {ramp<float>({1, 2, 1}, 1), b}, attrs)),
              ElementsAre(5, 11));
}

}  // namespace
}  // namespace tvmq::exec
