// Types with known answers, family by family. Where TVM v0.19's own answer is surprising, the case
// says so.
#include "ir/infer_types.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "ir/verify.h"

namespace tvmq::ir {
namespace {

struct Case {
  const char* name;
  const char* inputs;
  const char* call;
  const char* type;  ///< of the result
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.inputs << " | " << each.call; }

std::string type_of(std::string_view inputs, std::string_view call) {
  Graph graph = parse_graph("graph(" + std::string(inputs) + ") { %r = " + std::string(call) +
                            " return %r }");
  infer_types(graph);
  EXPECT_EQ(first_violation(graph), std::nullopt);
  return to_string(graph[graph.output()].type);
}

/// The type of a call of one tuple of all inputs.
std::string type_of_tuple(std::string_view inputs, std::string_view labels, std::string_view call) {
  Graph graph = parse_graph("graph(" + std::string(inputs) + ") { %t = tuple(" +
                            std::string(labels) + ") %r = " + std::string(call) + " return %r }");
  infer_types(graph);
  return to_string(graph[graph.output()].type);
}

class InferTypes : public testing::TestWithParam<Case> {};

TEST_P(InferTypes, GivesTheKnownAnswer) {
  EXPECT_EQ(type_of(GetParam().inputs, GetParam().call), GetParam().type);
}

std::string case_name(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Convolution, InferTypes,
    testing::Values(
        Case{"Plain", "%x: float32(1, 3, 32, 32), %w: float32(8, 3, 3, 3)",
             "nn.conv2d(%x, %w) {padding = [1, 1, 1, 1], channels = 8, kernel_size = [3, 3]}",
             "float32(1, 8, 32, 32)"},
        Case{"ChannelsAndKernelFromTheWeight", "%x: float32(1, 3, 32, 32), %w: float32(8, 3, 5, 3)",
             "nn.conv2d(%x, %w)", "float32(1, 8, 28, 30)"},
        Case{"StrideRoundsDown", "%x: float32(1, 3, 32, 32), %w: float32(8, 3, 3, 3)",
             "nn.conv2d(%x, %w) {strides = [2, 3]}", "float32(1, 8, 15, 10)"},
        Case{"OnePaddingValue", "%x: float32(1, 3, 8, 8), %w: float32(4, 3, 3, 3)",
             "nn.conv2d(%x, %w) {padding = [1]}", "float32(1, 4, 8, 8)"},
        Case{"TwoPaddingValues", "%x: float32(1, 3, 8, 8), %w: float32(4, 3, 3, 3)",
             "nn.conv2d(%x, %w) {padding = [1, 2]}", "float32(1, 4, 8, 10)"},
        Case{"FourPaddingValues", "%x: float32(1, 3, 8, 8), %w: float32(4, 3, 3, 3)",
             "nn.conv2d(%x, %w) {padding = [0, 1, 3, 1]}", "float32(1, 4, 9, 8)"},
        Case{"Dilation", "%x: float32(1, 3, 9, 9), %w: float32(4, 3, 3, 3)",
             "nn.conv2d(%x, %w) {dilation = [2, 3]}", "float32(1, 4, 5, 3)"},
        Case{"Groups", "%x: float32(1, 8, 9, 9), %w: float32(6, 4, 3, 3)",
             "nn.conv2d(%x, %w) {groups = 2, channels = 6, kernel_size = [3, 3]}",
             "float32(1, 6, 7, 7)"},
        Case{"DepthwiseWithMultiplier", "%x: float32(1, 8, 9, 9), %w: float32(8, 2, 3, 3)",
             "nn.conv2d(%x, %w) {groups = 8, channels = 16, kernel_size = [3, 3]}",
             "float32(1, 16, 7, 7)"},
        Case{"DepthwiseNhwc", "%x: float32(1, 9, 9, 8), %w: float32(3, 3, 8, 1)",
             "nn.conv2d(%x, %w) {groups = 8, channels = 8, kernel_size = [3, 3], data_layout = "
             "\"NHWC\", kernel_layout = \"HWOI\"}",
             "float32(1, 7, 7, 8)"},
        Case{"NhwcHwio", "%x: float32(2, 9, 7, 3), %w: float32(3, 3, 3, 4)",
             "nn.conv2d(%x, %w) {data_layout = \"NHWC\", kernel_layout = \"HWIO\"}",
             "float32(2, 7, 5, 4)"},
        Case{"OutLayout", "%x: float32(2, 3, 9, 7), %w: float32(4, 3, 3, 3)",
             "nn.conv2d(%x, %w) {out_layout = \"NHWC\"}", "float32(2, 7, 5, 4)"},
        Case{"BlockedLayouts", "%x: float32(1, 2, 8, 8, 16), %w: float32(4, 2, 3, 3, 16, 8)",
             "nn.conv2d(%x, %w) {channels = 32, kernel_size = [3, 3], data_layout = \"NCHW16c\", "
             "kernel_layout = \"OIHW16i8o\", out_layout = \"NCHW8c\"}",
             "float32(1, 4, 6, 6, 8)"},
        Case{"GroupAsDimension", "%x: float32(1, 8, 9, 9), %w: float32(2, 3, 4, 3, 3)",
             "nn.conv2d(%x, %w) {groups = 2, channels = 6, kernel_size = [3, 3], kernel_layout = "
             "\"GOIHW\"}",
             "float32(1, 6, 7, 7)"},
        Case{"OutDtype", "%x: uint8(1, 3, 8, 8), %w: int8(4, 3, 1, 1)",
             "nn.conv2d(%x, %w) {out_dtype = int32}", "int32(1, 4, 8, 8)"},
        Case{"OpenBatchAndHeight", "%x: float32(?, 3, ?, 8), %w: float32(4, 3, 3, 3)",
             "nn.conv2d(%x, %w)", "float32(?, 4, ?, 6)"},
        Case{"OpenChannels", "%x: float32(1, ?, 8, 8), %w: float32(4, 3, 3, 3)",
             "nn.conv2d(%x, %w) {channels = 4, kernel_size = [3, 3]}", "float32(1, 4, 6, 6)"},
        Case{"OneDimension", "%x: float32(1, 3, 10), %w: float32(4, 3, 3)",
             "nn.conv1d(%x, %w) {padding = [1, 2]}", "float32(1, 4, 11)"},
        Case{"OneDimensionNwc", "%x: float32(1, 10, 3), %w: float32(3, 3, 4)",
             "nn.conv1d(%x, %w) {data_layout = \"NWC\", kernel_layout = \"WIO\", channels = 4, "
             "kernel_size = [3]}",
             "float32(1, 8, 4)"},
        Case{"ThreeDimensions", "%x: float32(1, 3, 4, 6, 8), %w: float32(2, 3, 1, 3, 3)",
             "nn.conv3d(%x, %w) {padding = [0, 1, 1, 0, 1, 0]}", "float32(1, 2, 4, 6, 7)"},
        Case{"Transposed", "%x: float32(1, 8, 5, 5), %w: float32(8, 4, 3, 3)",
             "nn.conv2d_transpose(%x, %w) {channels = 4, kernel_size = [3, 3], strides = [2, 2], "
             "padding = [1, 1, 1, 1], output_padding = [1, 0]}",
             "float32(1, 4, 10, 9)"},
        Case{"TransposedGroups", "%x: float32(1, 8, 5, 5), %w: float32(8, 3, 2, 2)",
             "nn.conv2d_transpose(%x, %w) {channels = 6, kernel_size = [2, 2], groups = 2}",
             "float32(1, 6, 6, 6)"},
        Case{"TransposedFromTheWeight", "%x: float32(1, 8, 5, 5), %w: float32(8, 3, 2, 2)",
             "nn.conv2d_transpose(%x, %w) {groups = 2}", "float32(1, 6, 6, 6)"},
        Case{"Transposed1D", "%x: float32(1, 8, 5), %w: float32(8, 4, 4)",
             "nn.conv1d_transpose(%x, %w) {strides = [2]}", "float32(1, 4, 12)"},
        Case{"Transposed3D", "%x: float32(1, 2, 3, 4, 5), %w: float32(2, 4, 2, 2, 2)",
             "nn.conv3d_transpose(%x, %w) {dilation = [1, 2, 3]}", "float32(1, 4, 4, 6, 8)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Product, InferTypes,
    testing::Values(Case{"Dense", "%x: float32(4, 16), %w: float32(10, 16)", "nn.dense(%x, %w)",
                         "float32(4, 10)"},
                    Case{"DenseOfManyDimensions", "%x: int8(2, 3, 16), %w: int8(10, 16)",
                         "nn.dense(%x, %w) {units = 10, out_dtype = int32}", "int32(2, 3, 10)"},
                    Case{"MatmulPlain", "%x: float32(4, 16), %w: float32(16, 10)",
                         "nn.matmul(%x, %w)", "float32(4, 10)"},
                    Case{"MatmulBothTransposed", "%x: float32(16, 4), %w: float32(10, 16)",
                         "nn.matmul(%x, %w) {transpose_a = true, transpose_b = true}",
                         "float32(4, 10)"},
                    Case{"BatchMatmul", "%x: float32(5, 4, 16), %y: float32(5, 16, 10)",
                         "nn.batch_matmul(%x, %y)", "float32(5, 4, 10)"},
                    Case{"BatchMatmulTransposed", "%x: float32(5, 16, 4), %y: float32(1, 10, 16)",
                         "nn.batch_matmul(%x, %y) {transpose_a = true, transpose_b = true}",
                         "float32(5, 4, 10)"},
                    Case{"BatchMatmulOpen", "%x: float32(?, 4, 16), %y: float32(1, 16, 10)",
                         "nn.batch_matmul(%x, %y)", "float32(?, 4, 10)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Pooling, InferTypes,
    testing::Values(
        Case{"Floor", "%x: float32(1, 8, 6, 6)",
             "nn.max_pool2d(%x) {pool_size = [3, 3], strides = [2, 2]}", "float32(1, 8, 2, 2)"},
        Case{"Ceil", "%x: float32(1, 8, 6, 6)",
             "nn.max_pool2d(%x) {pool_size = [3, 3], strides = [2, 2], ceil_mode = true}",
             "float32(1, 8, 3, 3)"},
        Case{"PaddingAndDilation", "%x: float32(1, 8, 6, 6)",
             "nn.max_pool2d(%x) {pool_size = [2, 2], dilation = [2, 1], padding = [1, 0, 0, 1]}",
             "float32(1, 8, 5, 6)"},
        Case{"Nhwc", "%x: int8(1, 6, 6, 8)",
             "nn.avg_pool2d(%x) {pool_size = [2, 2], strides = [2, 2], layout = \"NHWC\"}",
             "int8(1, 3, 3, 8)"},
        Case{"Blocked", "%x: float32(1, 2, 6, 6, 4)",
             "nn.avg_pool2d(%x) {pool_size = [2, 2], layout = \"NCHW4c\"}",
             "float32(1, 2, 5, 5, 4)"},
        Case{"OneDimension", "%x: float32(1, 8, 7)",
             "nn.max_pool1d(%x) {pool_size = [3], strides = [2], padding = [0, 1]}",
             "float32(1, 8, 3)"},
        Case{"ThreeDimensions", "%x: float32(1, 8, 4, 6, 8)",
             "nn.avg_pool3d(%x) {pool_size = [1, 2, 3]}", "float32(1, 8, 4, 5, 6)"},
        Case{"Global", "%x: float32(2, 7, 7, 8)", "nn.global_avg_pool2d(%x) {layout = \"NHWC\"}",
             "float32(2, 1, 1, 8)"},
        Case{"AdaptiveOneValue", "%x: float32(2, 8, 7, 7)",
             "nn.adaptive_avg_pool2d(%x) {output_size = [3]}", "float32(2, 8, 3, 3)"},
        Case{"AdaptiveTwoValues", "%x: float32(2, 8, 7, 7)",
             "nn.adaptive_max_pool2d(%x) {output_size = [3, 2]}", "float32(2, 8, 3, 2)"},
        Case{"AdaptiveNoValue", "%x: float32(2, 8, 7, 7)", "nn.adaptive_avg_pool2d(%x)",
             "float32(2, 8, 7, 7)"},
        Case{"Adaptive1D", "%x: float32(2, 8, 7)", "nn.adaptive_avg_pool1d(%x) {output_size = [2]}",
             "float32(2, 8, 2)"},
        Case{"Adaptive3D", "%x: float32(2, 8, 7, 7, 7)",
             "nn.adaptive_max_pool3d(%x) {output_size = [1, 2, 3]}", "float32(2, 8, 1, 2, 3)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Elementwise, InferTypes,
    testing::Values(Case{"Broadcast", "%x: float32(2, 1, 4), %y: float32(3, 1)", "add(%x, %y)",
                         "float32(2, 3, 4)"},
                    Case{"BroadcastOpen", "%x: float32(?, 4), %y: float32(1, 4)",
                         "multiply(%x, %y)", "float32(?, 4)"},
                    Case{"OpenTakesTheOthersSize", "%x: float32(?, 4), %y: float32(3, 4)",
                         "multiply(%x, %y)", "float32(3, 4)"},
                    Case{"Comparison", "%x: int32(2), %y: int32()", "less(%x, %y)", "bool(2)"},
                    Case{"Logical", "%x: bool(2), %y: bool()", "logical_and(%x, %y)", "bool(2)"},
                    Case{"Where", "%c: bool(2, 1), %x: float32(3), %y: float32()",
                         "where(%c, %x, %y)", "float32(2, 3)"},
                    Case{"Cast", "%x: float32(2, 3)", "cast(%x) {dtype = int8}", "int8(2, 3)"},
                    Case{"CastHint", "%x: float32(2, 3)", "annotation.cast_hint(%x) {dtype = int8}",
                         "float32(2, 3)"},
                    Case{"Unary", "%x: float32(2, ?)", "sigmoid(%x)", "float32(2, ?)"},
                    Case{"FixedPointMultiply", "%x: int64(2)",
                         "fixed_point_multiply(%x) {multiplier = 1073741824, shift = -3}",
                         "int64(2)"},
                    Case{"FixedPointMultiplyPerAxis",
                         "%x: int32(2, 3), %m: int32(3), %left: int32(3), %right: int32(3)",
                         "fixed_point_multiply_per_axis(%x, %m, %left, %right) {axes = [1]}",
                         "int32(2, 3)"},
                    Case{"SimulatedQuantize", "%x: float32(2)",
                         "relay.op.annotation.simulated_quantize(%x) {kind = 1}", "float32(2)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Norm, InferTypes,
    testing::Values(
        Case{"BiasAdd", "%x: float32(1, 8, 4, 4), %b: float32(8)", "nn.bias_add(%x, %b)",
             "float32(1, 8, 4, 4)"},
        Case{"BiasAddLastAxis", "%x: float32(1, 4, 4, 8), %b: float32(8)",
             "nn.bias_add(%x, %b) {axis = -1}", "float32(1, 4, 4, 8)"},
        Case{"Softmax", "%x: float32(1, 8)", "nn.softmax(%x)", "float32(1, 8)"},
        Case{"Prelu", "%x: float32(1, 8, 2), %a: float32(8)", "nn.prelu(%x, %a)",
             "float32(1, 8, 2)"},
        Case{"Dropout", "%x: float32(1, 8)", "nn.dropout(%x)", "(float32(1, 8), float32(1, 8))"},
        Case{"BatchNorm",
             "%x: float32(1, 8, 2), %g: float32(8), %b: float32(8), %m: float32(8), %v: float32(8)",
             "nn.batch_norm(%x, %g, %b, %m, %v)", "(float32(1, 8, 2), float32(8), float32(8))"},
        Case{"LayerNorm", "%x: float32(1, 8, 6), %g: float32(6), %b: float32(6)",
             "nn.layer_norm(%x, %g, %b)", "float32(1, 8, 6)"},
        Case{"InstanceNorm", "%x: float32(1, 8, 6), %g: float32(8), %b: float32(8)",
             "nn.instance_norm(%x, %g, %b)", "float32(1, 8, 6)"},
        Case{"GroupNorm", "%x: float32(1, 8, 6), %g: float32(8), %b: float32(8)",
             "nn.group_norm(%x, %g, %b) {num_groups = 2}", "float32(1, 8, 6)"},
        Case{"Lrn", "%x: float32(1, 8, 6, 6)", "nn.lrn(%x)", "float32(1, 8, 6, 6)"},
        Case{"Reverse", "%x: float32(1, 8)", "reverse(%x) {axis = -1}", "float32(1, 8)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Shape, InferTypes,
    testing::Values(
        Case{"Reshape", "%x: float32(2, 3, 4)", "reshape(%x) {newshape = [6, 4]}", "float32(6, 4)"},
        Case{"ReshapeInferred", "%x: float32(2, 3, 4)", "reshape(%x) {newshape = [4, -1]}",
             "float32(4, 6)"},
        Case{"ReshapeCopied", "%x: float32(2, 3, 4)", "reshape(%x) {newshape = [0, -1]}",
             "float32(2, 12)"},
        Case{"ReshapeRest", "%x: float32(2, 3, 4)", "reshape(%x) {newshape = [0, -2]}",
             "float32(2, 3, 4)"},
        Case{"ReshapeMerged", "%x: float32(2, 3, 4, 5)", "reshape(%x) {newshape = [-3, -3]}",
             "float32(6, 20)"},
        Case{"ReshapeSplit", "%x: float32(2, 12)", "reshape(%x) {newshape = [0, -4, 3, -1]}",
             "float32(2, 3, 4)"},
        Case{"ReshapeSplitMergedRest", "%x: float32(2, 3, 4, 5, 6)",
             "reshape(%x) {newshape = [-4, 1, 2, -3, -2]}", "float32(1, 2, 12, 5, 6)"},
        Case{"ReshapeAllowZero", "%x: float32(0, 3)",
             "reshape(%x) {newshape = [3, 0], allowzero = true}", "float32(3, 0)"},
        Case{"ReshapeOpenBatch", "%x: float32(?, 3, 4)", "reshape(%x) {newshape = [0, -1]}",
             "float32(?, 12)"},
        Case{"ReshapeOpenInferred", "%x: float32(?, 3, 4)", "reshape(%x) {newshape = [-1, 12]}",
             "float32(?, 12)"},
        Case{"ReshapeToScalar", "%x: float32(1, 1)", "reshape(%x)", "float32()"},
        Case{"BatchFlatten", "%x: float32(2, 3, 4, 5)", "nn.batch_flatten(%x)", "float32(2, 60)"},
        Case{"Transpose", "%x: float32(2, 3, 4)", "transpose(%x) {axes = [0, -1, 1]}",
             "float32(2, 4, 3)"},
        Case{"TransposeReversed", "%x: float32(2, 3, 4)", "transpose(%x)", "float32(4, 3, 2)"},
        Case{"SqueezeAll", "%x: float32(1, 3, 1)", "squeeze(%x)", "float32(3)"},
        Case{"SqueezeSome", "%x: float32(1, 3, 1)", "squeeze(%x) {axis = [-1]}", "float32(1, 3)"},
        Case{"SqueezeOpen", "%x: float32(?, 3, 1)", "squeeze(%x)", "?"},
        Case{"ExpandDims", "%x: float32(2, 3)", "expand_dims(%x) {axis = -1, num_newaxis = 2}",
             "float32(2, 3, 1, 1)"},
        Case{"Repeat", "%x: float32(2, 3)", "repeat(%x) {repeats = 2, axis = -1}", "float32(2, 6)"},
        Case{"Tile", "%x: float32(2, 3)", "tile(%x) {reps = [4, 1, 2]}", "float32(4, 2, 6)"},
        Case{"BroadcastTo", "%x: float32(1, 3)", "broadcast_to(%x) {shape = [2, 4, 3]}",
             "float32(2, 4, 3)"},
        Case{"BroadcastToLike", "%x: float32(1, 3), %y: float32(4, 3)", "broadcast_to_like(%x, %y)",
             "float32(4, 3)"},
        Case{"Zeros", "", "zeros() {shape = [2, 3], dtype = int8}", "int8(2, 3)"},
        Case{"Full", "%v: float32()", "full(%v) {shape = [2]}", "float32(2)"},
        Case{"FullLike", "%x: float32(2), %v: float32()", "full_like(%x, %v)", "float32(2)"},
        Case{"LayoutTransform", "%x: float32(1, 8, 8, 30)",
             "layout_transform(%x) {src_layout = \"NHWC\", dst_layout = \"NCHW16c\"}",
             "float32(1, 2, 8, 8, 16)"},
        Case{"LayoutTransformBack", "%x: float32(1, 2, 8, 8, 16)",
             "layout_transform(%x) {src_layout = \"NCHW16c\", dst_layout = \"NCHW4c\"}",
             "float32(1, 8, 8, 8, 4)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Slice, InferTypes,
    testing::Values(
        Case{"EqualSections", "%x: float32(2, 6)", "split(%x) {indices_or_sections = 3, axis = -1}",
             "(float32(2, 2), float32(2, 2), float32(2, 2))"},
        Case{"Indices", "%x: float32(2, 6)", "split(%x) {indices_or_sections = [1, 4], axis = 1}",
             "(float32(2, 1), float32(2, 3), float32(2, 2))"},
        Case{"PlainSlice", "%x: float32(4, 6)",
             "strided_slice(%x) {begin = [1, 2], end = [3, 5], strides = [1, 1]}", "float32(2, 3)"},
        Case{"NegativePositions", "%x: float32(4, 6)",
             "strided_slice(%x) {begin = [0, -3], end = [-1, -1], strides = [1, 1]}",
             "float32(3, 2)"},
        Case{"PositionsOutside", "%x: float32(4, 6)",
             "strided_slice(%x) {begin = [-100, 0], end = [100, 9223372036854775807], strides = "
             "[1, 4]}",
             "float32(4, 2)"},
        Case{"NegativeStride", "%x: float32(4, 6)",
             "strided_slice(%x) {begin = [-1, 4], end = [-5, 0], strides = [-1, -2]}",
             "float32(4, 2)"},
        Case{"ShortLists", "%x: float32(4, 6)",
             "strided_slice(%x) {begin = [1], end = [2], strides = [1]}", "float32(1, 6)"},
        Case{"SliceSize", "%x: float32(4, 6)",
             "strided_slice(%x) {begin = [1, 2], end = [2, -1], strides = [1, 1], slice_mode = "
             "\"size\"}",
             "float32(2, 4)"},
        Case{"SliceAxes", "%x: float32(4, 6, 8)",
             "strided_slice(%x) {begin = [1], end = [3], strides = [1], axes = [1]}",
             "float32(4, 2, 8)"},
        Case{"SliceOpen", "%x: float32(?, 6)",
             "strided_slice(%x) {begin = [1, 1], end = [3, 3], strides = [1, 1]}", "float32(?, 2)"},
        Case{"TakeFlat", "%x: float32(4, 6), %i: int32(2, 2)", "take(%x, %i)", "float32(2, 2)"},
        Case{"TakeAxis", "%x: float32(4, 6), %i: int32(2, 2)", "take(%x, %i) {axis = 1}",
             "float32(4, 2, 2)"},
        Case{"TakeBatched", "%x: float32(4, 6, 5), %i: int64(4, 3)",
             "take(%x, %i) {axis = 1, batch_dims = 1}", "float32(4, 3, 5)"},
        Case{"TakeScalar", "%x: float32(4, 6), %i: int32()", "take(%x, %i) {axis = -1}",
             "float32(4)"},
        Case{"Gather", "%x: float32(4, 6), %i: int32(4, 2)", "gather(%x, %i) {axis = 1}",
             "float32(4, 2)"},
        Case{"OneHot", "%i: int32(2, 3), %a: float32(), %b: float32()",
             "one_hot(%i, %a, %b) {depth = 5, axis = 1, dtype = float32}", "float32(2, 5, 3)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Image, InferTypes,
    testing::Values(
        Case{"Pad", "%x: float32(1, 3), %v: float32()",
             "nn.pad(%x, %v) {pad_width = [[0, 0], [1, 2]]}", "float32(1, 6)"},
        Case{"PadNegative", "%x: float32(1, 3), %v: float32()",
             "nn.pad(%x, %v) {pad_width = [[0, 0], [-1, -1]]}", "float32(1, 1)"},
        Case{"MirrorPad", "%x: float32(1, 3)", "nn.mirror_pad(%x) {pad_width = [[0, 0], [1, 2]]}",
             "float32(1, 6)"},
        Case{"Upsampling", "%x: float32(1, 3, 4, 5)",
             "nn.upsampling(%x) {scale_h = 2, scale_w = 1.5}", "float32(1, 3, 8, 8)"},
        Case{"UpsamplingRoundsHalvesToEven", "%x: float32(1, 3, 3, 5)",
             "nn.upsampling(%x) {scale_h = 1.5, scale_w = 1.5}", "float32(1, 3, 4, 8)"},
        Case{"Resize", "%x: float32(1, 4, 5, 3)",
             "image.resize2d(%x) {size = [8, 9], layout = \"NHWC\", out_dtype = float16}",
             "float16(1, 8, 9, 3)"},
        Case{"DepthToSpace", "%x: float32(1, 8, 2, 3)", "nn.depth_to_space(%x) {block_size = 2}",
             "float32(1, 2, 4, 6)"},
        Case{"SpaceToDepth", "%x: float32(1, 2, 4, 6)", "nn.space_to_depth(%x) {block_size = 2}",
             "float32(1, 8, 2, 3)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Reduce, InferTypes,
    testing::Values(Case{"All", "%x: float32(2, 3)", "mean(%x)", "float32()"},
                    Case{"EmptyListIsAll", "%x: float32(2, 3)", "sum(%x) {axis = []}", "float32()"},
                    Case{"Axes", "%x: int32(2, 3, 4, 5)", "mean(%x) {axis = [-1, 2]}",
                         "int32(2, 3)"},
                    Case{"KeepDims", "%x: float32(2, 3, 4)",
                         "max(%x) {axis = [1], keepdims = true}", "float32(2, 1, 4)"},
                    Case{"Exclude", "%x: float32(2, 3, 4)", "min(%x) {axis = [1], exclude = true}",
                         "float32(3)"},
                    Case{"Scalar", "%x: float32()", "prod(%x)", "float32()"},
                    Case{"Argmax", "%x: float32(2, 3)", "argmax(%x) {axis = [1]}", "int32(2)"},
                    Case{"Variance", "%x: float32(2, 3), %m: float32(2, 1)",
                         "variance(%x, %m) {axis = [1], keepdims = true}", "float32(2, 1)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Qnn, InferTypes,
    testing::Values(
        Case{"Quantize", "%x: float32(2, 3), %s: float32(), %z: int32()",
             "qnn.quantize(%x, %s, %z) {out_dtype = int8}", "int8(2, 3)"},
        Case{"QuantizePerChannel", "%x: float32(2, 3), %s: float32(3), %z: int32(3)",
             "qnn.quantize(%x, %s, %z) {out_dtype = uint8, axis = -1}", "uint8(2, 3)"},
        Case{"Dequantize", "%x: int32(2, 3), %s: float32(2), %z: int32()",
             "qnn.dequantize(%x, %s, %z) {out_dtype = float32, axis = 0}", "float32(2, 3)"},
        Case{"Requantize",
             "%x: int32(2, 3), %s: float32(3), %z: int32(), %t: float32(), %o: int32()",
             "qnn.requantize(%x, %s, %z, %t, %o) {out_dtype = int8, axis = 1}", "int8(2, 3)"},
        Case{"Conv2D",
             "%x: uint8(1, 3, 8, 8), %w: int8(4, 3, 3, 3), %a: int32(), %b: int32(), %s: float32(),"
             " %t: float32(4)",
             "qnn.conv2d(%x, %w, %a, %b, %s, %t) {out_dtype = int32, channels = 4, kernel_size = "
             "[3, 3]}",
             "int32(1, 4, 6, 6)"},
        Case{"Dense",
             "%x: uint8(1, 8), %w: int8(4, 8), %a: int32(), %b: int32(), %s: float32(), %t: "
             "float32()",
             "qnn.dense(%x, %w, %a, %b, %s, %t) {out_dtype = int32, units = 4}", "int32(1, 4)"},
        Case{"Add",
             "%x: int8(2, 3), %y: int8(3), %a: float32(), %b: int32(), %c: float32(3), %d: "
             "int32(), %e: float32(), %f: int32()",
             "qnn.add(%x, %y, %a, %b, %c, %d, %e, %f)", "int8(2, 3)"},
        Case{"AvgPool",
             "%x: uint8(1, 3, 4, 4), %a: float32(), %b: int32(), %c: float32(), %d: int32()",
             "qnn.avg_pool2d(%x, %a, %b, %c, %d) {pool_size = [2, 2], strides = [2, 2]}",
             "uint8(1, 3, 2, 2)"},
        Case{"LeakyRelu", "%x: uint8(1, 3), %a: float32(), %b: int32(), %c: float32(), %d: int32()",
             "qnn.leaky_relu(%x, %a, %b, %c, %d)", "uint8(1, 3)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Unknown, InferTypes,
    testing::Values(Case{"OpaqueOperator", "%x: float32(2)", "opaque \"nn.unheard_of\"(%x)", "?"},
                    Case{"CalledFunction", "%x: float32(2)", "invoke \"prefix\"(%x)", "?"},
                    Case{"UntypedOperand", "%x: float32(2), %y", "add(%x, %y)", "?"},
                    Case{"TupleWithUnknownField", "%x: float32(2), %y", "tuple(%x, %y)", "?"}),
    case_name);

TEST(InferTypesOfTuples, Concatenate) {
  constexpr std::string_view kInputs = "%x: int8(2, 3), %y: int8(2, 5)";
  EXPECT_EQ(type_of_tuple(kInputs, "%x, %y", "concatenate(%t) {axis = 1}"), "int8(2, 8)");
  EXPECT_EQ(type_of_tuple(kInputs, "%x, %y, %x", "concatenate(%t) {axis = -1}"), "int8(2, 11)");
}

// TVM takes a fixed size over an open one only where the joined dimension is open, too.
TEST(InferTypesOfTuples, ConcatenateWithOpenDimensions) {
  EXPECT_EQ(type_of_tuple("%x: int8(?, 3), %y: int8(?, ?)", "%x, %y", "concatenate(%t)"),
            "int8(?, 3)");
  EXPECT_EQ(type_of_tuple("%x: int8(1, 3), %y: int8(1, ?)", "%x, %y", "concatenate(%t)"),
            "int8(2, ?)");
}

TEST(InferTypesOfTuples, Stack) {
  EXPECT_EQ(type_of_tuple("%x: int8(2, 3)", "%x, %x", "stack(%t) {axis = -1}"), "int8(2, 3, 2)");
  EXPECT_EQ(type_of_tuple("%x: int8(2, 3)", "%x, %x", "stack(%t)"), "int8(2, 2, 3)");
}

TEST(InferTypesOfTuples, Field) {
  EXPECT_EQ(type_of_tuple("%x: int8(2), %y: bool()", "%x, %y", "field 1 of(%t)"), "bool()");
  EXPECT_EQ(type_of_tuple("%x: int8(2), %y", "%x, %y", "field 0 of(%t)"), "?");
}

TEST(InferTypesOfTuples, QnnConcatenate) {
  Graph graph = parse_graph(R"(
    graph(%x: int8(2, 3), %y: int8(2, 5), %s: float32(), %z: int32()) {
      %t = tuple(%x, %y)
      %u = tuple(%s, %s)
      %v = tuple(%z, %z)
      %r = qnn.concatenate(%t, %u, %v, %s, %z) {axis = 1}
      return %r
    })");
  infer_types(graph);
  EXPECT_EQ(to_string(graph[graph.output()].type), "int8(2, 8)");
}

TEST(InferTypes, ConstantsAndInputsGiveTheSame) {
  Graph graph = parse_graph(R"(
    graph(%x: float32(1, 2, 4, 4)) {
      %w = constant float32(3, 2, 3, 3) splat 0.5
      %r = nn.conv2d(%x, %w)
      return %r
    })");
  infer_types(graph);
  EXPECT_EQ(to_string(graph[graph.output()].type), "float32(1, 3, 2, 2)");
}

}  // namespace
}  // namespace tvmq::ir
