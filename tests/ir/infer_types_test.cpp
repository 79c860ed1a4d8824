// Types with known answers, family by family: operators that compute. Where TVM v0.19's own answer
// is surprising, the case says so.
#include "ir/type_case.h"

namespace tvmq::ir {
namespace {

class InferTypes : public testing::TestWithParam<TypeCase> {};

TEST_P(InferTypes, GivesTheKnownAnswer) {
  EXPECT_EQ(type_of(GetParam().inputs, GetParam().call), GetParam().type);
}

INSTANTIATE_TEST_SUITE_P(
    Convolution, InferTypes,
    testing::Values(
        TypeCase{"Plain", "%x: float32(1, 3, 32, 32), %w: float32(8, 3, 3, 3)",
                 "nn.conv2d(%x, %w) {padding = [1, 1, 1, 1], channels = 8, kernel_size = [3, 3]}",
                 "float32(1, 8, 32, 32)"},
        TypeCase{"ChannelsAndKernelFromTheWeight",
                 "%x: float32(1, 3, 32, 32), %w: float32(8, 3, 5, 3)", "nn.conv2d(%x, %w)",
                 "float32(1, 8, 28, 30)"},
        TypeCase{"StrideRoundsDown", "%x: float32(1, 3, 32, 32), %w: float32(8, 3, 3, 3)",
                 "nn.conv2d(%x, %w) {strides = [2, 3]}", "float32(1, 8, 15, 10)"},
        TypeCase{"OnePaddingValue", "%x: float32(1, 3, 8, 8), %w: float32(4, 3, 3, 3)",
                 "nn.conv2d(%x, %w) {padding = [1]}", "float32(1, 4, 8, 8)"},
        TypeCase{"TwoPaddingValues", "%x: float32(1, 3, 8, 8), %w: float32(4, 3, 3, 3)",
                 "nn.conv2d(%x, %w) {padding = [1, 2]}", "float32(1, 4, 8, 10)"},
        TypeCase{"FourPaddingValues", "%x: float32(1, 3, 8, 8), %w: float32(4, 3, 3, 3)",
                 "nn.conv2d(%x, %w) {padding = [0, 1, 3, 1]}", "float32(1, 4, 9, 8)"},
        TypeCase{"Dilation", "%x: float32(1, 3, 9, 9), %w: float32(4, 3, 3, 3)",
                 "nn.conv2d(%x, %w) {dilation = [2, 3]}", "float32(1, 4, 5, 3)"},
        TypeCase{"Groups", "%x: float32(1, 8, 9, 9), %w: float32(6, 4, 3, 3)",
                 "nn.conv2d(%x, %w) {groups = 2, channels = 6, kernel_size = [3, 3]}",
                 "float32(1, 6, 7, 7)"},
        TypeCase{"DepthwiseWithMultiplier", "%x: float32(1, 8, 9, 9), %w: float32(8, 2, 3, 3)",
                 "nn.conv2d(%x, %w) {groups = 8, channels = 16, kernel_size = [3, 3]}",
                 "float32(1, 16, 7, 7)"},
        TypeCase{"DepthwiseNhwc", "%x: float32(1, 9, 9, 8), %w: float32(3, 3, 8, 1)",
                 "nn.conv2d(%x, %w) {groups = 8, channels = 8, kernel_size = [3, 3], data_layout = "
                 "\"NHWC\", kernel_layout = \"HWOI\"}",
                 "float32(1, 7, 7, 8)"},
        TypeCase{"NhwcHwio", "%x: float32(2, 9, 7, 3), %w: float32(3, 3, 3, 4)",
                 "nn.conv2d(%x, %w) {data_layout = \"NHWC\", kernel_layout = \"HWIO\"}",
                 "float32(2, 7, 5, 4)"},
        TypeCase{"OutLayout", "%x: float32(2, 3, 9, 7), %w: float32(4, 3, 3, 3)",
                 "nn.conv2d(%x, %w) {out_layout = \"NHWC\"}", "float32(2, 7, 5, 4)"},
        TypeCase{
            "BlockedLayouts", "%x: float32(1, 2, 8, 8, 16), %w: float32(4, 2, 3, 3, 16, 8)",
            "nn.conv2d(%x, %w) {channels = 32, kernel_size = [3, 3], data_layout = \"NCHW16c\", "
            "kernel_layout = \"OIHW16i8o\", out_layout = \"NCHW8c\"}",
            "float32(1, 4, 6, 6, 8)"},
        TypeCase{
            "GroupAsDimension", "%x: float32(1, 8, 9, 9), %w: float32(2, 3, 4, 3, 3)",
            "nn.conv2d(%x, %w) {groups = 2, channels = 6, kernel_size = [3, 3], kernel_layout = "
            "\"GOIHW\"}",
            "float32(1, 6, 7, 7)"},
        TypeCase{"OutDtype", "%x: uint8(1, 3, 8, 8), %w: int8(4, 3, 1, 1)",
                 "nn.conv2d(%x, %w) {out_dtype = int32}", "int32(1, 4, 8, 8)"},
        TypeCase{"OpenBatchAndHeight", "%x: float32(?, 3, ?, 8), %w: float32(4, 3, 3, 3)",
                 "nn.conv2d(%x, %w)", "float32(?, 4, ?, 6)"},
        TypeCase{"OpenChannels", "%x: float32(1, ?, 8, 8), %w: float32(4, 3, 3, 3)",
                 "nn.conv2d(%x, %w) {channels = 4, kernel_size = [3, 3]}", "float32(1, 4, 6, 6)"},
        TypeCase{"OneDimension", "%x: float32(1, 3, 10), %w: float32(4, 3, 3)",
                 "nn.conv1d(%x, %w) {padding = [1, 2]}", "float32(1, 4, 11)"},
        TypeCase{"OneDimensionNwc", "%x: float32(1, 10, 3), %w: float32(3, 3, 4)",
                 "nn.conv1d(%x, %w) {data_layout = \"NWC\", kernel_layout = \"WIO\", channels = 4, "
                 "kernel_size = [3]}",
                 "float32(1, 8, 4)"},
        TypeCase{"ThreeDimensions", "%x: float32(1, 3, 4, 6, 8), %w: float32(2, 3, 1, 3, 3)",
                 "nn.conv3d(%x, %w) {padding = [0, 1, 1, 0, 1, 0]}", "float32(1, 2, 4, 6, 7)"},
        TypeCase{
            "Transposed", "%x: float32(1, 8, 5, 5), %w: float32(8, 4, 3, 3)",
            "nn.conv2d_transpose(%x, %w) {channels = 4, kernel_size = [3, 3], strides = [2, 2], "
            "padding = [1, 1, 1, 1], output_padding = [1, 0]}",
            "float32(1, 4, 10, 9)"},
        TypeCase{"TransposedGroups", "%x: float32(1, 8, 5, 5), %w: float32(8, 3, 2, 2)",
                 "nn.conv2d_transpose(%x, %w) {channels = 6, kernel_size = [2, 2], groups = 2}",
                 "float32(1, 6, 6, 6)"},
        TypeCase{"TransposedFromTheWeight", "%x: float32(1, 8, 5, 5), %w: float32(8, 3, 2, 2)",
                 "nn.conv2d_transpose(%x, %w) {groups = 2}", "float32(1, 6, 6, 6)"},
        TypeCase{"Transposed1D", "%x: float32(1, 8, 5), %w: float32(8, 4, 4)",
                 "nn.conv1d_transpose(%x, %w) {strides = [2]}", "float32(1, 4, 12)"},
        TypeCase{"Transposed3D", "%x: float32(1, 2, 3, 4, 5), %w: float32(2, 4, 2, 2, 2)",
                 "nn.conv3d_transpose(%x, %w) {dilation = [1, 2, 3]}", "float32(1, 4, 4, 6, 8)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Product, InferTypes,
    testing::Values(TypeCase{"Dense", "%x: float32(4, 16), %w: float32(10, 16)", "nn.dense(%x, %w)",
                             "float32(4, 10)"},
                    TypeCase{"DenseOfManyDimensions", "%x: int8(2, 3, 16), %w: int8(10, 16)",
                             "nn.dense(%x, %w) {units = 10, out_dtype = int32}", "int32(2, 3, 10)"},
                    TypeCase{"MatmulPlain", "%x: float32(4, 16), %w: float32(16, 10)",
                             "nn.matmul(%x, %w)", "float32(4, 10)"},
                    TypeCase{"MatmulBothTransposed", "%x: float32(16, 4), %w: float32(10, 16)",
                             "nn.matmul(%x, %w) {transpose_a = true, transpose_b = true}",
                             "float32(4, 10)"},
                    TypeCase{"BatchMatmul", "%x: float32(5, 4, 16), %y: float32(5, 16, 10)",
                             "nn.batch_matmul(%x, %y)", "float32(5, 4, 10)"},
                    TypeCase{"BatchMatmulTransposed",
                             "%x: float32(5, 16, 4), %y: float32(1, 10, 16)",
                             "nn.batch_matmul(%x, %y) {transpose_a = true, transpose_b = true}",
                             "float32(5, 4, 10)"},
                    TypeCase{"BatchMatmulOpen", "%x: float32(?, 4, 16), %y: float32(1, 16, 10)",
                             "nn.batch_matmul(%x, %y)", "float32(?, 4, 10)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Pooling, InferTypes,
    testing::Values(
        TypeCase{"Floor", "%x: float32(1, 8, 6, 6)",
                 "nn.max_pool2d(%x) {pool_size = [3, 3], strides = [2, 2]}", "float32(1, 8, 2, 2)"},
        TypeCase{"Ceil", "%x: float32(1, 8, 6, 6)",
                 "nn.max_pool2d(%x) {pool_size = [3, 3], strides = [2, 2], ceil_mode = true}",
                 "float32(1, 8, 3, 3)"},
        TypeCase{
            "PaddingAndDilation", "%x: float32(1, 8, 6, 6)",
            "nn.max_pool2d(%x) {pool_size = [2, 2], dilation = [2, 1], padding = [1, 0, 0, 1]}",
            "float32(1, 8, 5, 6)"},
        TypeCase{"Nhwc", "%x: int8(1, 6, 6, 8)",
                 "nn.avg_pool2d(%x) {pool_size = [2, 2], strides = [2, 2], layout = \"NHWC\"}",
                 "int8(1, 3, 3, 8)"},
        TypeCase{"Blocked", "%x: float32(1, 2, 6, 6, 4)",
                 "nn.avg_pool2d(%x) {pool_size = [2, 2], layout = \"NCHW4c\"}",
                 "float32(1, 2, 5, 5, 4)"},
        TypeCase{"OneDimension", "%x: float32(1, 8, 7)",
                 "nn.max_pool1d(%x) {pool_size = [3], strides = [2], padding = [0, 1]}",
                 "float32(1, 8, 3)"},
        TypeCase{"ThreeDimensions", "%x: float32(1, 8, 4, 6, 8)",
                 "nn.avg_pool3d(%x) {pool_size = [1, 2, 3]}", "float32(1, 8, 4, 5, 6)"},
        TypeCase{"Global", "%x: float32(2, 7, 7, 8)",
                 "nn.global_avg_pool2d(%x) {layout = \"NHWC\"}", "float32(2, 1, 1, 8)"},
        TypeCase{"AdaptiveOneValue", "%x: float32(2, 8, 7, 7)",
                 "nn.adaptive_avg_pool2d(%x) {output_size = [3]}", "float32(2, 8, 3, 3)"},
        TypeCase{"AdaptiveTwoValues", "%x: float32(2, 8, 7, 7)",
                 "nn.adaptive_max_pool2d(%x) {output_size = [3, 2]}", "float32(2, 8, 3, 2)"},
        TypeCase{"AdaptiveNoValue", "%x: float32(2, 8, 7, 7)", "nn.adaptive_avg_pool2d(%x)",
                 "float32(2, 8, 7, 7)"},
        TypeCase{"Adaptive1D", "%x: float32(2, 8, 7)",
                 "nn.adaptive_avg_pool1d(%x) {output_size = [2]}", "float32(2, 8, 2)"},
        TypeCase{"Adaptive3D", "%x: float32(2, 8, 7, 7, 7)",
                 "nn.adaptive_max_pool3d(%x) {output_size = [1, 2, 3]}", "float32(2, 8, 1, 2, 3)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Elementwise, InferTypes,
    testing::Values(
        TypeCase{"Broadcast", "%x: float32(2, 1, 4), %y: float32(3, 1)", "add(%x, %y)",
                 "float32(2, 3, 4)"},
        TypeCase{"BroadcastOpen", "%x: float32(?, 4), %y: float32(1, 4)", "multiply(%x, %y)",
                 "float32(?, 4)"},
        TypeCase{"OpenTakesTheOthersSize", "%x: float32(?, 4), %y: float32(3, 4)",
                 "multiply(%x, %y)", "float32(3, 4)"},
        TypeCase{"Comparison", "%x: int32(2), %y: int32()", "less(%x, %y)", "bool(2)"},
        TypeCase{"Logical", "%x: bool(2), %y: bool()", "logical_and(%x, %y)", "bool(2)"},
        TypeCase{"Where", "%c: bool(2, 1), %x: float32(3), %y: float32()", "where(%c, %x, %y)",
                 "float32(2, 3)"},
        TypeCase{"Cast", "%x: float32(2, 3)", "cast(%x) {dtype = int8}", "int8(2, 3)"},
        TypeCase{"CastHint", "%x: float32(2, 3)", "annotation.cast_hint(%x) {dtype = int8}",
                 "float32(2, 3)"},
        TypeCase{"Unary", "%x: float32(2, ?)", "sigmoid(%x)", "float32(2, ?)"},
        TypeCase{"FixedPointMultiply", "%x: int64(2)",
                 "fixed_point_multiply(%x) {multiplier = 1073741824, shift = -3}", "int64(2)"},
        TypeCase{"FixedPointMultiplyPerAxis",
                 "%x: int32(2, 3), %m: int32(3), %left: int32(3), %right: int32(3)",
                 "fixed_point_multiply_per_axis(%x, %m, %left, %right) {axes = [1]}",
                 "int32(2, 3)"},
        TypeCase{"SimulatedQuantize", "%x: float32(2)",
                 "relay.op.annotation.simulated_quantize(%x) {kind = 1}", "float32(2)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Norm, InferTypes,
    testing::Values(
        TypeCase{"BiasAdd", "%x: float32(1, 8, 4, 4), %b: float32(8)", "nn.bias_add(%x, %b)",
                 "float32(1, 8, 4, 4)"},
        TypeCase{"BiasAddLastAxis", "%x: float32(1, 4, 4, 8), %b: float32(8)",
                 "nn.bias_add(%x, %b) {axis = -1}", "float32(1, 4, 4, 8)"},
        TypeCase{"Softmax", "%x: float32(1, 8)", "nn.softmax(%x)", "float32(1, 8)"},
        TypeCase{"Prelu", "%x: float32(1, 8, 2), %a: float32(8)", "nn.prelu(%x, %a)",
                 "float32(1, 8, 2)"},
        TypeCase{"Dropout", "%x: float32(1, 8)", "nn.dropout(%x)",
                 "(float32(1, 8), float32(1, 8))"},
        TypeCase{
            "BatchNorm",
            "%x: float32(1, 8, 2), %g: float32(8), %b: float32(8), %m: float32(8), %v: float32(8)",
            "nn.batch_norm(%x, %g, %b, %m, %v)", "(float32(1, 8, 2), float32(8), float32(8))"},
        TypeCase{"LayerNorm", "%x: float32(1, 8, 6), %g: float32(6), %b: float32(6)",
                 "nn.layer_norm(%x, %g, %b)", "float32(1, 8, 6)"},
        TypeCase{"InstanceNorm", "%x: float32(1, 8, 6), %g: float32(8), %b: float32(8)",
                 "nn.instance_norm(%x, %g, %b)", "float32(1, 8, 6)"},
        TypeCase{"GroupNorm", "%x: float32(1, 8, 6), %g: float32(8), %b: float32(8)",
                 "nn.group_norm(%x, %g, %b) {num_groups = 2}", "float32(1, 8, 6)"},
        TypeCase{"Lrn", "%x: float32(1, 8, 6, 6)", "nn.lrn(%x)", "float32(1, 8, 6, 6)"},
        TypeCase{"Reverse", "%x: float32(1, 8)", "reverse(%x) {axis = -1}", "float32(1, 8)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Reduce, InferTypes,
    testing::Values(
        TypeCase{"All", "%x: float32(2, 3)", "mean(%x)", "float32()"},
        TypeCase{"EmptyListIsAll", "%x: float32(2, 3)", "sum(%x) {axis = []}", "float32()"},
        TypeCase{"Axes", "%x: int32(2, 3, 4, 5)", "mean(%x) {axis = [-1, 2]}", "int32(2, 3)"},
        TypeCase{"KeepDims", "%x: float32(2, 3, 4)", "max(%x) {axis = [1], keepdims = true}",
                 "float32(2, 1, 4)"},
        TypeCase{"Exclude", "%x: float32(2, 3, 4)", "min(%x) {axis = [1], exclude = true}",
                 "float32(3)"},
        TypeCase{"Scalar", "%x: float32()", "prod(%x)", "float32()"},
        TypeCase{"Argmax", "%x: float32(2, 3)", "argmax(%x) {axis = [1]}", "int32(2)"},
        TypeCase{"Variance", "%x: float32(2, 3), %m: float32(2, 1)",
                 "variance(%x, %m) {axis = [1], keepdims = true}", "float32(2, 1)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Qnn, InferTypes,
    testing::Values(
        TypeCase{"Quantize", "%x: float32(2, 3), %s: float32(), %z: int32()",
                 "qnn.quantize(%x, %s, %z) {out_dtype = int8}", "int8(2, 3)"},
        TypeCase{"QuantizePerChannel", "%x: float32(2, 3), %s: float32(3), %z: int32(3)",
                 "qnn.quantize(%x, %s, %z) {out_dtype = uint8, axis = -1}", "uint8(2, 3)"},
        TypeCase{"Dequantize", "%x: int32(2, 3), %s: float32(2), %z: int32()",
                 "qnn.dequantize(%x, %s, %z) {out_dtype = float32, axis = 0}", "float32(2, 3)"},
        TypeCase{"Requantize",
                 "%x: int32(2, 3), %s: float32(3), %z: int32(), %t: float32(), %o: int32()",
                 "qnn.requantize(%x, %s, %z, %t, %o) {out_dtype = int8, axis = 1}", "int8(2, 3)"},
        TypeCase{
            "Conv2D",
            "%x: uint8(1, 3, 8, 8), %w: int8(4, 3, 3, 3), %a: int32(), %b: int32(), %s: float32(),"
            " %t: float32(4)",
            "qnn.conv2d(%x, %w, %a, %b, %s, %t) {out_dtype = int32, channels = 4, kernel_size = "
            "[3, 3]}",
            "int32(1, 4, 6, 6)"},
        TypeCase{"Dense",
                 "%x: uint8(1, 8), %w: int8(4, 8), %a: int32(), %b: int32(), %s: float32(), %t: "
                 "float32()",
                 "qnn.dense(%x, %w, %a, %b, %s, %t) {out_dtype = int32, units = 4}", "int32(1, 4)"},
        TypeCase{"Add",
                 "%x: int8(2, 3), %y: int8(3), %a: float32(), %b: int32(), %c: float32(3), %d: "
                 "int32(), %e: float32(), %f: int32()",
                 "qnn.add(%x, %y, %a, %b, %c, %d, %e, %f)", "int8(2, 3)"},
        TypeCase{"AvgPool",
                 "%x: uint8(1, 3, 4, 4), %a: float32(), %b: int32(), %c: float32(), %d: int32()",
                 "qnn.avg_pool2d(%x, %a, %b, %c, %d) {pool_size = [2, 2], strides = [2, 2]}",
                 "uint8(1, 3, 2, 2)"},
        TypeCase{"LeakyRelu",
                 "%x: uint8(1, 3), %a: float32(), %b: int32(), %c: float32(), %d: int32()",
                 "qnn.leaky_relu(%x, %a, %b, %c, %d)", "uint8(1, 3)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Unknown, InferTypes,
    testing::Values(TypeCase{"OpaqueOperator", "%x: float32(2)", "opaque \"nn.unheard_of\"(%x)",
                             "?"},
                    TypeCase{"CalledFunction", "%x: float32(2)", "invoke \"prefix\"(%x)", "?"},
                    TypeCase{"UntypedOperand", "%x: float32(2), %y", "add(%x, %y)", "?"},
                    TypeCase{"TupleWithUnknownField", "%x: float32(2), %y", "tuple(%x, %y)", "?"}),
    case_name);

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
