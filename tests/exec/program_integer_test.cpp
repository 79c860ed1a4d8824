// Integer graphs: what programs compute equals the reference kernels to the last bit.
#include <functional>

#include "exec/program_helpers.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Shape;
using ir::Tensor;

void expect_equal_to_reference(const Graph& graph, const std::vector<Tensor>& inputs) {
  for (const bool library : {false, true}) {
    for (const int threads : {1, 4}) {
      expect_same_bytes(
          run_program(graph, inputs, {.threads = threads, .library_convolutions = library}),
          run_reference(graph, inputs));
    }
  }
}

struct IntegerConv {
  std::string name;
  Shape data;
  Shape weights;
  ir::Conv2DAttrs attrs;
};
void PrintTo(const IntegerConv& c, std::ostream* out) { *out << c.name; }

class ProgramIntegerConvolution : public testing::TestWithParam<IntegerConv> {};

/// conv -> bias -> requantize -> conv, as quantizers emit it.
template <class Data>
Graph integer_chain(const IntegerConv& c, std::int64_t largest_weight) {
  Graph g;
  Numbers numbers(5);
  ir::Conv2DAttrs attrs = c.attrs;
  attrs.out_dtype = DType::kInt32;
  const DType dtype = ir::DTypeOf<Data>::kValue;
  const NodeId x = g.add_input("x", ir::TensorType{dtype, c.data});
  const NodeId w =
      g.add_constant(numbers.integers<std::int8_t>(c.weights, largest_weight - 3, largest_weight));
  NodeId y = g.add_call(Op::kConv2D, {x, w}, attrs);
  g.set_output(y);
  infer_types(g);
  const bool last = attrs.data_layout == "NHWC";
  const Shape shape = g[y].tensor_type().shape;
  const std::int64_t channels = shape[last ? 3 : 1];
  const Shape along = last ? Shape{channels} : Shape{channels, 1, 1};
  const NodeId bias = g.add_constant(numbers.integers<std::int32_t>(along, -5000, 5000));
  y = g.add_call(Op::kAdd, {y, bias});
  y = g.add_call(Op::kRelu, {y});
  y = g.add_call(Op::kCast, {y}, ir::CastAttrs{.dtype = DType::kInt64});
  y = g.add_call(Op::kFixedPointMultiply, {y},
                 ir::FixedPointMultiplyAttrs{.multiplier = 1337332480, .shift = -9});
  y = g.add_call(Op::kClip, {y}, ir::ClipAttrs{.a_min = -127, .a_max = 127});
  y = g.add_call(Op::kCast, {y}, ir::CastAttrs{.dtype = DType::kInt32});
  y = g.add_call(Op::kCast, {y}, ir::CastAttrs{.dtype = dtype});
  y = g.add_call(Op::kStopFusion, {y});
  const NodeId pointwise = g.add_constant(numbers.integers<std::int8_t>(
      last ? Shape{1, 1, channels, 9} : Shape{9, channels, 1, 1}, -128, 127));
  y = g.add_call(Op::kConv2D, {y, pointwise},
                 ir::Conv2DAttrs{.data_layout = attrs.data_layout,
                                 .kernel_layout = last ? "HWIO" : "OIHW",
                                 .out_dtype = DType::kInt32});
  g.set_output(y);
  infer_types(g);
  return g;
}

TEST_P(ProgramIntegerConvolution, EqualsTheReference) {
  const IntegerConv& c = GetParam();
  for (const std::int64_t largest_weight : {127, 2}) {
    Numbers numbers;
    expect_equal_to_reference(integer_chain<std::uint8_t>(c, largest_weight),
                              {numbers.integers<std::uint8_t>(c.data, 250, 255)});
    expect_equal_to_reference(integer_chain<std::int8_t>(c, largest_weight),
                              {numbers.integers<std::int8_t>(c.data, -128, -120)});
    expect_equal_to_reference(integer_chain<std::int8_t>(c, largest_weight),
                              {numbers.integers<std::int8_t>(c.data, -128, 127)});
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ProgramIntegerConvolution,
    testing::Values(
        IntegerConv{"plain", {1, 16, 9, 9}, {32, 16, 3, 3}, {.padding = {1, 1, 1, 1}}},
        IntegerConv{"three_channels", {2, 3, 9, 9}, {20, 3, 3, 3}, {.padding = {1, 0, 2, 1}}},
        IntegerConv{"odd", {1, 5, 9, 7}, {7, 5, 3, 3}, {.strides = {2, 2}, .padding = {1, 1}}},
        IntegerConv{"depthwise", {1, 24, 9, 9}, {24, 1, 3, 3}, {.padding = {1, 1}, .groups = 24}},
        IntegerConv{"grouped", {1, 16, 9, 9}, {16, 4, 3, 3}, {.padding = {1, 1}, .groups = 4}},
        IntegerConv{"dilated", {1, 16, 9, 9}, {16, 16, 3, 3}, {.dilation = {2, 2}}},
        IntegerConv{"pointwise", {2, 33, 9, 13}, {70, 33, 1, 1}, {}},
        IntegerConv{"pointwise_stride", {1, 16, 30, 31}, {24, 16, 1, 1}, {.strides = {2, 2}}},
        IntegerConv{"pointwise_padded", {1, 16, 5, 5}, {24, 16, 1, 1}, {.padding = {1, 2, 0, 1}}},
        IntegerConv{"one_channel", {1, 1, 12, 12}, {16, 1, 1, 1}, {}},
        IntegerConv{"groups_of_two", {1, 8, 9, 9}, {12, 2, 3, 3}, {.padding = {1, 1}, .groups = 4}},
        IntegerConv{"dilated_groups",
                    {1, 16, 12, 12},
                    {16, 8, 3, 3},
                    {.padding = {2, 2}, .dilation = {2, 2}, .groups = 2}},
        IntegerConv{
            "data_behind_the_last_pixel", {1, 6, 12, 12}, {9, 6, 3, 2}, {.strides = {4, 5}}},
        IntegerConv{"many_channels", {1, 300, 7, 7}, {530, 300, 1, 1}, {}},
        IntegerConv{"deep", {1, 200, 4, 4}, {24, 200, 3, 3}, {.padding = {1, 1}}},
        IntegerConv{
            "sums_beyond_float", {1, 320, 4, 5}, {24, 320, 3, 3}, {.padding = {1, 2, 0, 1}}},
        IntegerConv{"sums_beyond_float_nhwc",
                    {1, 4, 5, 320},
                    {3, 3, 320, 24},
                    {.padding = {1, 1}, .data_layout = "NHWC", .kernel_layout = "HWIO"}}),
    [](const auto& test) { return test.param.name; });

TEST(ProgramInteger, DenseEqualsTheReference) {
  for (const std::int64_t depth : {7, 64, 1500}) {
    Graph g;
    Numbers numbers;
    const NodeId x = g.add_input("x", ir::TensorType{DType::kUInt8, {3, depth}});
    const NodeId w = g.add_constant(numbers.integers<std::int8_t>({10, depth}, 100, 127));
    const NodeId y = g.add_call(Op::kDense, {x, w}, ir::DenseAttrs{.out_dtype = DType::kInt32});
    const NodeId bias = g.add_constant(numbers.integers<std::int32_t>({10}, -9, 9));
    g.set_output(g.add_call(Op::kAdd, {y, bias}));
    infer_types(g);
    expect_equal_to_reference(g, {numbers.integers<std::uint8_t>({3, depth}, 200, 255)});
  }
}

TEST(ProgramInteger, OtherStorageTypesEqualTheReference) {
  for (const DType dtype : {DType::kInt16, DType::kInt32}) {
    Graph g;
    Numbers numbers;
    const NodeId x = g.add_input("x", float_type({1, 4, 6, 6}));
    const NodeId w = g.add_call(
        Op::kCast, {g.add_constant(numbers.integers<std::int32_t>({6, 4, 3, 3}, -127, 127))},
        ir::CastAttrs{.dtype = dtype});
    NodeId y = g.add_call(Op::kMultiply, {x, g.add_constant(Tensor::scalar(16.0F))});
    y = g.add_call(Op::kClip, {g.add_call(Op::kRound, {y})},
                   ir::ClipAttrs{.a_min = -127, .a_max = 127});
    y = g.add_call(Op::kCast, {y}, ir::CastAttrs{.dtype = dtype});
    y = g.add_call(Op::kConv2D, {y, w}, ir::Conv2DAttrs{.out_dtype = DType::kInt32});
    y = g.add_call(Op::kCast, {y}, ir::CastAttrs{.dtype = DType::kFloat32});
    g.set_output(g.add_call(Op::kMultiply, {y, g.add_constant(Tensor::scalar(0.01F))}));
    infer_types(g);
    expect_equal_to_reference(g, {numbers.floats({1, 4, 6, 6}, -9, 9)});
    const Program program(g);
    ASSERT_EQ(program.fallbacks().size(), 1U);
    EXPECT_THAT(program.fallbacks()[0].reason, testing::HasSubstr("int8 -> int32"));
  }
}

struct IntegerPool {
  std::string name;
  std::function<NodeId(Graph&, NodeId)> build;
};
void PrintTo(const IntegerPool& c, std::ostream* out) { *out << c.name; }

class ProgramIntegerPool : public testing::TestWithParam<IntegerPool> {};

TEST_P(ProgramIntegerPool, EqualsTheReference) {
  for (const DType dtype : {DType::kInt8, DType::kUInt8, DType::kInt32}) {
    for (const bool behind_conv : {false, true}) {
      Graph g;
      Numbers numbers;
      const Shape shape = {2, 5, 7, 7};
      NodeId x = g.add_input("x", ir::TensorType{dtype, shape});
      if (behind_conv) {  // then the channels lie innermost
        x = g.add_call(Op::kCast, {x}, ir::CastAttrs{.dtype = DType::kUInt8});
        const NodeId w = g.add_constant(numbers.integers<std::int8_t>({5, 5, 1, 1}, -127, 127));
        x = g.add_call(Op::kConv2D, {x, w}, ir::Conv2DAttrs{.out_dtype = DType::kInt32});
        x = g.add_call(Op::kCast, {x}, ir::CastAttrs{.dtype = dtype});
      }
      g.set_output(GetParam().build(g, x));
      infer_types(g);
      const Tensor wide = numbers.integers<std::int32_t>(shape, -128, 255);
      Graph narrow;
      const NodeId source = narrow.add_input("x", ir::TensorType{DType::kInt32, shape});
      narrow.set_output(narrow.add_call(Op::kCast, {source}, ir::CastAttrs{.dtype = dtype}));
      infer_types(narrow);
      const std::vector<Tensor> inputs = {run_reference(narrow, std::vector{wide})};
      expect_equal_to_reference(g, inputs);
      const Program program(g);
      for (const Fallback& fallback : program.fallbacks()) {
        EXPECT_NE(fallback.node, g.output()) << fallback.reason;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ProgramIntegerPool,
    testing::Values(IntegerPool{"max",
                                [](Graph& g, NodeId x) {
                                  return g.add_call(Op::kMaxPool2D, {x},
                                                    ir::MaxPool2DAttrs{.pool_size = {3, 3},
                                                                       .strides = {2, 2},
                                                                       .padding = {1, 1}});
                                }},
                    IntegerPool{"max_ceil",
                                [](Graph& g, NodeId x) {
                                  return g.add_call(Op::kMaxPool2D, {x},
                                                    ir::MaxPool2DAttrs{.pool_size = {2, 2},
                                                                       .strides = {2, 2},
                                                                       .ceil_mode = true});
                                }},
                    IntegerPool{"average",
                                [](Graph& g, NodeId x) {
                                  return g.add_call(Op::kAvgPool2D, {x},
                                                    ir::AvgPool2DAttrs{.pool_size = {3, 3},
                                                                       .strides = {2, 2},
                                                                       .padding = {1, 1}});
                                }},
                    IntegerPool{"average_with_padding",
                                [](Graph& g, NodeId x) {
                                  return g.add_call(Op::kAvgPool2D, {x},
                                                    ir::AvgPool2DAttrs{.pool_size = {3, 3},
                                                                       .padding = {1, 1},
                                                                       .count_include_pad = true});
                                }},
                    IntegerPool{"global_average",
                                [](Graph& g, NodeId x) {
                                  return g.add_call(Op::kGlobalAvgPool2D, {x},
                                                    ir::GlobalPool2DAttrs{});
                                }},
                    IntegerPool{
                        "sum",
                        [](Graph& g, NodeId x) {
                          return g.add_call(Op::kSum, {x}, ir::ReduceAttrs{.axis = {{2, 3}}});
                        }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tvmq::exec
