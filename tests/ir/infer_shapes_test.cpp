// Types with known answers: operators that move, cut and join.
#include "ir/type_case.h"

namespace tvmq::ir {
namespace {

class InferShapes : public testing::TestWithParam<TypeCase> {};

TEST_P(InferShapes, GivesTheKnownAnswer) {
  EXPECT_EQ(type_of(GetParam().inputs, GetParam().call), GetParam().type);
}

INSTANTIATE_TEST_SUITE_P(
    Shape, InferShapes,
    testing::Values(
        TypeCase{"Reshape", "%x: float32(2, 3, 4)", "reshape(%x) {newshape = [6, 4]}",
                 "float32(6, 4)"},
        TypeCase{"ReshapeInferred", "%x: float32(2, 3, 4)", "reshape(%x) {newshape = [4, -1]}",
                 "float32(4, 6)"},
        TypeCase{"ReshapeCopied", "%x: float32(2, 3, 4)", "reshape(%x) {newshape = [0, -1]}",
                 "float32(2, 12)"},
        TypeCase{"ReshapeRest", "%x: float32(2, 3, 4)", "reshape(%x) {newshape = [0, -2]}",
                 "float32(2, 3, 4)"},
        TypeCase{"ReshapeMerged", "%x: float32(2, 3, 4, 5)", "reshape(%x) {newshape = [-3, -3]}",
                 "float32(6, 20)"},
        TypeCase{"ReshapeSplit", "%x: float32(2, 12)", "reshape(%x) {newshape = [0, -4, 3, -1]}",
                 "float32(2, 3, 4)"},
        TypeCase{"ReshapeSplitMergedRest", "%x: float32(2, 3, 4, 5, 6)",
                 "reshape(%x) {newshape = [-4, 1, 2, -3, -2]}", "float32(1, 2, 12, 5, 6)"},
        TypeCase{"ReshapeAllowZero", "%x: float32(0, 3)",
                 "reshape(%x) {newshape = [3, 0], allowzero = true}", "float32(3, 0)"},
        TypeCase{"ReshapeOpenBatch", "%x: float32(?, 3, 4)", "reshape(%x) {newshape = [0, -1]}",
                 "float32(?, 12)"},
        TypeCase{"ReshapeOpenInferred", "%x: float32(?, 3, 4)", "reshape(%x) {newshape = [-1, 12]}",
                 "float32(?, 12)"},
        TypeCase{"ReshapeToScalar", "%x: float32(1, 1)", "reshape(%x)", "float32()"},
        TypeCase{"BatchFlatten", "%x: float32(2, 3, 4, 5)", "nn.batch_flatten(%x)",
                 "float32(2, 60)"},
        TypeCase{"Transpose", "%x: float32(2, 3, 4)", "transpose(%x) {axes = [0, -1, 1]}",
                 "float32(2, 4, 3)"},
        TypeCase{"TransposeReversed", "%x: float32(2, 3, 4)", "transpose(%x)", "float32(4, 3, 2)"},
        TypeCase{"SqueezeAll", "%x: float32(1, 3, 1)", "squeeze(%x)", "float32(3)"},
        TypeCase{"SqueezeSome", "%x: float32(1, 3, 1)", "squeeze(%x) {axis = [-1]}",
                 "float32(1, 3)"},
        TypeCase{"SqueezeOpen", "%x: float32(?, 3, 1)", "squeeze(%x)", "?"},
        TypeCase{"ExpandDims", "%x: float32(2, 3)", "expand_dims(%x) {axis = -1, num_newaxis = 2}",
                 "float32(2, 3, 1, 1)"},
        TypeCase{"Repeat", "%x: float32(2, 3)", "repeat(%x) {repeats = 2, axis = -1}",
                 "float32(2, 6)"},
        TypeCase{"Tile", "%x: float32(2, 3)", "tile(%x) {reps = [4, 1, 2]}", "float32(4, 2, 6)"},
        TypeCase{"BroadcastTo", "%x: float32(1, 3)", "broadcast_to(%x) {shape = [2, 4, 3]}",
                 "float32(2, 4, 3)"},
        TypeCase{"BroadcastToLike", "%x: float32(1, 3), %y: float32(4, 3)",
                 "broadcast_to_like(%x, %y)", "float32(4, 3)"},
        TypeCase{"Zeros", "", "zeros() {shape = [2, 3], dtype = int8}", "int8(2, 3)"},
        TypeCase{"Full", "%v: float32()", "full(%v) {shape = [2]}", "float32(2)"},
        TypeCase{"FullLike", "%x: float32(2), %v: float32()", "full_like(%x, %v)", "float32(2)"},
        TypeCase{"LayoutTransform", "%x: float32(1, 8, 8, 30)",
                 "layout_transform(%x) {src_layout = \"NHWC\", dst_layout = \"NCHW16c\"}",
                 "float32(1, 2, 8, 8, 16)"},
        TypeCase{"LayoutTransformBack", "%x: float32(1, 2, 8, 8, 16)",
                 "layout_transform(%x) {src_layout = \"NCHW16c\", dst_layout = \"NCHW4c\"}",
                 "float32(1, 8, 8, 8, 4)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Slice, InferShapes,
    testing::Values(
        TypeCase{"EqualSections", "%x: float32(2, 6)",
                 "split(%x) {indices_or_sections = 3, axis = -1}",
                 "(float32(2, 2), float32(2, 2), float32(2, 2))"},
        TypeCase{"Indices", "%x: float32(2, 6)",
                 "split(%x) {indices_or_sections = [1, 4], axis = 1}",
                 "(float32(2, 1), float32(2, 3), float32(2, 2))"},
        TypeCase{"PlainSlice", "%x: float32(4, 6)",
                 "strided_slice(%x) {begin = [1, 2], end = [3, 5], strides = [1, 1]}",
                 "float32(2, 3)"},
        TypeCase{"NegativePositions", "%x: float32(4, 6)",
                 "strided_slice(%x) {begin = [0, -3], end = [-1, -1], strides = [1, 1]}",
                 "float32(3, 2)"},
        TypeCase{
            "PositionsOutside", "%x: float32(4, 6)",
            "strided_slice(%x) {begin = [-100, 0], end = [100, 9223372036854775807], strides = "
            "[1, 4]}",
            "float32(4, 2)"},
        TypeCase{"NegativeStride", "%x: float32(4, 6)",
                 "strided_slice(%x) {begin = [-1, 4], end = [-5, 0], strides = [-1, -2]}",
                 "float32(4, 2)"},
        TypeCase{"ShortLists", "%x: float32(4, 6)",
                 "strided_slice(%x) {begin = [1], end = [2], strides = [1]}", "float32(1, 6)"},
        TypeCase{"SliceSize", "%x: float32(4, 6)",
                 "strided_slice(%x) {begin = [1, 2], end = [2, -1], strides = [1, 1], slice_mode = "
                 "\"size\"}",
                 "float32(2, 4)"},
        TypeCase{"SliceAxes", "%x: float32(4, 6, 8)",
                 "strided_slice(%x) {begin = [1], end = [3], strides = [1], axes = [1]}",
                 "float32(4, 2, 8)"},
        TypeCase{"SliceOpen", "%x: float32(?, 6)",
                 "strided_slice(%x) {begin = [1, 1], end = [3, 3], strides = [1, 1]}",
                 "float32(?, 2)"},
        TypeCase{"TakeFlat", "%x: float32(4, 6), %i: int32(2, 2)", "take(%x, %i)", "float32(2, 2)"},
        TypeCase{"TakeAxis", "%x: float32(4, 6), %i: int32(2, 2)", "take(%x, %i) {axis = 1}",
                 "float32(4, 2, 2)"},
        TypeCase{"TakeBatched", "%x: float32(4, 6, 5), %i: int64(4, 3)",
                 "take(%x, %i) {axis = 1, batch_dims = 1}", "float32(4, 3, 5)"},
        TypeCase{"TakeScalar", "%x: float32(4, 6), %i: int32()", "take(%x, %i) {axis = -1}",
                 "float32(4)"},
        TypeCase{"Gather", "%x: float32(4, 6), %i: int32(4, 2)", "gather(%x, %i) {axis = 1}",
                 "float32(4, 2)"},
        TypeCase{"OneHot", "%i: int32(2, 3), %a: float32(), %b: float32()",
                 "one_hot(%i, %a, %b) {depth = 5, axis = 1, dtype = float32}", "float32(2, 5, 3)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Image, InferShapes,
    testing::Values(
        TypeCase{"Pad", "%x: float32(1, 3), %v: float32()",
                 "nn.pad(%x, %v) {pad_width = [[0, 0], [1, 2]]}", "float32(1, 6)"},
        TypeCase{"PadNegative", "%x: float32(1, 3), %v: float32()",
                 "nn.pad(%x, %v) {pad_width = [[0, 0], [-1, -1]]}", "float32(1, 1)"},
        TypeCase{"MirrorPad", "%x: float32(1, 3)",
                 "nn.mirror_pad(%x) {pad_width = [[0, 0], [1, 2]]}", "float32(1, 6)"},
        TypeCase{"Upsampling", "%x: float32(1, 3, 4, 5)",
                 "nn.upsampling(%x) {scale_h = 2, scale_w = 1.5}", "float32(1, 3, 8, 8)"},
        TypeCase{"UpsamplingRoundsHalvesToEven", "%x: float32(1, 3, 3, 5)",
                 "nn.upsampling(%x) {scale_h = 1.5, scale_w = 1.5}", "float32(1, 3, 4, 8)"},
        TypeCase{"Resize", "%x: float32(1, 4, 5, 3)",
                 "image.resize2d(%x) {size = [8, 9], layout = \"NHWC\", out_dtype = float16}",
                 "float16(1, 8, 9, 3)"},
        TypeCase{"DepthToSpace", "%x: float32(1, 8, 2, 3)",
                 "nn.depth_to_space(%x) {block_size = 2}", "float32(1, 2, 4, 6)"},
        TypeCase{"SpaceToDepth", "%x: float32(1, 2, 4, 6)",
                 "nn.space_to_depth(%x) {block_size = 2}", "float32(1, 8, 2, 3)"}),
    case_name);

/// The type of a call of one tuple of all inputs.
std::string type_of_tuple(std::string_view inputs, std::string_view labels, std::string_view call) {
  Graph graph = parse_graph("graph(" + std::string(inputs) + ") { %t = tuple(" +
                            std::string(labels) + ") %r = " + std::string(call) + " return %r }");
  infer_types(graph);
  return to_string(graph[graph.output()].type);
}

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

}  // namespace
}  // namespace tvmq::ir
