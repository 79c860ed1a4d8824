// Calls that no type fits: every one is an InputError that names the node and the reason, whatever
// the attributes hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "ir/infer_types.h"
#include "ir/text.h"

namespace tvmq::ir {
namespace {

struct Case {
  const char* inputs;
  const char* call;
  const char* message;  ///< a part of it
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.inputs << " | " << each.call; }

class IllTyped : public testing::TestWithParam<Case> {};

TEST_P(IllTyped, IsAnInputErrorThatNamesTheNode) {
  Graph graph = parse_graph("graph(" + std::string(GetParam().inputs) + ") { %t = tuple() %r = " +
                            GetParam().call + " \"the layer\" return %r }");
  try {
    infer_types(graph);
    ADD_FAILURE() << "no error, but " << to_string(graph[graph.output()].type);
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the layer"));
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
  }
}

constexpr const char* kConv = "%x: float32(1, 4, 8, 8), %w: float32(6, 4, 3, 3)";
constexpr const char* kData = "%x: float32(2, 3, 4)";

INSTANTIATE_TEST_SUITE_P(
    Convolution, IllTyped,
    testing::Values(
        Case{kConv, "nn.conv2d(%x)", "1 arguments, expected 2"},
        Case{kConv, "nn.conv2d(%x, %t)", "expected a tensor"},
        Case{kConv, "nn.conv2d(%x, %w) {strides = [0, 1]}", "stride is 0"},
        Case{kConv, "nn.conv2d(%x, %w) {strides = [-1, 1]}", "stride is -1"},
        Case{kConv, "nn.conv2d(%x, %w) {strides = [1]}", "strides has 1 values, expected 2"},
        Case{kConv, "nn.conv2d(%x, %w) {strides = []}", "strides has 0 values"},
        Case{kConv, "nn.conv2d(%x, %w) {padding = []}", "padding has 0 values, expected 1, 2 or 4"},
        Case{kConv, "nn.conv2d(%x, %w) {padding = [1, 1, 1]}", "padding has 3 values"},
        Case{kConv, "nn.conv2d(%x, %w) {padding = [9223372036854775807, 9223372036854775807]}",
             "padding is"},
        Case{kConv, "nn.conv2d(%x, %w) {padding = [-1]}", "padding is -1"},
        Case{kConv, "nn.conv2d(%x, %w) {padding = [1099511627776]}", "output size would be larger"},
        Case{kConv, "nn.conv2d(%x, %w) {dilation = [9223372036854775807, 1]}", "dilation is"},
        Case{kConv, "nn.conv2d(%x, %w) {dilation = [1, 0]}", "dilation is 0"},
        Case{kConv, "nn.conv2d(%x, %w) {dilation = [1, 4]}", "window is longer than the data"},
        Case{kConv, "nn.conv2d(%x, %w) {groups = 0}", "groups is 0"},
        Case{kConv, "nn.conv2d(%x, %w) {groups = -2}", "groups is -2"},
        Case{kConv, "nn.conv2d(%x, %w) {groups = 3}", "cannot be divided into 3 groups"},
        Case{kConv, "nn.conv2d(%x, %w) {groups = 2}", "takes 4 input channels, expected 2"},
        Case{kConv, "nn.conv2d(%x, %w) {channels = 7}", "channels is 7"},
        Case{kConv, "nn.conv2d(%x, %w) {channels = -1, kernel_size = [3, 3]}", "channels is -1"},
        Case{kConv, "nn.conv2d(%x, %w) {channels = 8, kernel_size = [3, 3]}",
             "weight is float32(6, 4, 3, 3), expected float32(8, 4, 3, 3)"},
        Case{kConv, "nn.conv2d(%x, %w) {kernel_size = [3, 5]}", "kernel_size is (3, 5)"},
        Case{kConv, "nn.conv2d(%x, %w) {kernel_size = [3, -1]}", "kernel_size is -1"},
        Case{kConv, "nn.conv2d(%x, %w) {kernel_size = [3]}", "kernel_size has 1 values"},
        Case{kConv, "nn.conv2d(%x, %w) {data_layout = \"NHWC\"}", "input channels, expected 8"},
        Case{kConv, "nn.conv2d(%x, %w) {data_layout = \"\"}", "'' is not a layout"},
        Case{kConv, "nn.conv2d(%x, %w) {data_layout = \"NCHW16\"}", "is not a layout"},
        Case{kConv, "nn.conv2d(%x, %w) {data_layout = \"NCHW0c\"}", "is not a layout"},
        Case{kConv, "nn.conv2d(%x, %w) {data_layout = \"NCHW99999999999999999999c\"}",
             "is not a layout"},
        Case{kConv, "nn.conv2d(%x, %w) {data_layout = \"NCHWW\"}", "is not a layout"},
        Case{kConv, "nn.conv2d(%x, %w) {data_layout = \"NCW\"}", "cannot be brought"},
        Case{kConv, "nn.conv2d(%x, %w) {data_layout = \"NCHW2c\"}", "cannot be brought"},
        Case{kConv, "nn.conv2d(%x, %w) {out_layout = \"NCDHW\"}", "cannot be brought"},
        Case{kConv, "nn.conv2d(%x, %w) {kernel_layout = \"OIDW\"}", "cannot be brought"},
        Case{kConv, "nn.conv1d(%x, %w)", "cannot be brought"},
        Case{"%x: float32(1, 4, 8, 8), %w: float32(4, 6, 3, 3)",
             "nn.conv2d_transpose(%x, %w) {padding = [99]}", "output size would be negative"},
        Case{"%x: float32(1, 4, 8, 8), %w: float32(4, 6, 3, 3)",
             "nn.conv2d_transpose(%x, %w) {output_padding = [-1, 0]}", "output_padding is -1"},
        Case{"%x: float32(1, 4, 8, 8), %w: float32(4, 6, 3, 3)",
             "nn.conv2d_transpose(%x, %w) {strides = [1099511627776, 1]}", "would be larger"},
        Case{"%x: float32(1, 4, 8, 8), %w: float32(5, 6, 3, 3)", "nn.conv2d_transpose(%x, %w)",
             "takes 5 input channels, expected 4"}));

INSTANTIATE_TEST_SUITE_P(
    ProductAndPool, IllTyped,
    testing::Values(
        Case{"%x: float32(), %w: float32(2, 2)", "nn.dense(%x, %w)", "at least 1 dimensions"},
        Case{"%x: float32(2), %w: float32(2)", "nn.dense(%x, %w)", "expected 2 dimensions"},
        Case{"%x: float32(2), %w: float32(2, 3)", "nn.dense(%x, %w)",
             "weight is float32(2, 3), expected float32(2, 2)"},
        Case{"%x: float32(2), %w: float32(2, 2)", "nn.dense(%x, %w) {units = -1}", "units is -1"},
        Case{"%x: float32(2), %w: float32(2, 2)", "nn.matmul(%x, %w) {transpose_a = true}",
             "at least 2 dimensions"},
        Case{"%x: float32(2, 2, 3), %w: float32(3, 3, 2)", "nn.batch_matmul(%x, %w)",
             "cannot be multiplied"},
        Case{"%x: float32(2, 2), %w: float32(2, 2)", "nn.batch_matmul(%x, %w)", "3 dimensions"},
        Case{"%x: float32(1, 2, 3, 3)", "nn.max_pool2d(%x)", "pool_size has 0 values"},
        Case{"%x: float32(1, 2, 3, 3)", "nn.max_pool2d(%x) {pool_size = [0, 1]}",
             "window size is 0"},
        Case{"%x: float32(1, 2, 3, 3)", "nn.max_pool2d(%x) {pool_size = [4, 1]}",
             "window is longer"},
        Case{"%x: float32(1, 2, 3, 3)", "nn.max_pool2d(%x) {pool_size = [2, 2], strides = [0, 1]}",
             "stride is 0"},
        Case{"%x: float32(1, 2, 3, 3)", "nn.max_pool2d(%x) {pool_size = [2, 2], strides = [1]}",
             "strides has 1"},
        Case{"%x: float32(1, 2, 3)", "nn.avg_pool2d(%x) {pool_size = [2, 2]}",
             "expected 4 dimensions"},
        Case{"%x: float32(1, 2, 3)", "nn.global_avg_pool2d(%x) {layout = \"NCW\"}",
             "whole dimension H"},
        Case{"%x: float32(1, 2, 3, 4)", "nn.adaptive_avg_pool2d(%x) {output_size = [0]}",
             "output_size is 0"},
        Case{"%x: float32(1, 2, 3, 4)", "nn.adaptive_avg_pool2d(%x) {output_size = [1, 2, 3]}",
             "output_size has 3"}));

INSTANTIATE_TEST_SUITE_P(
    ElementwiseAndNorm, IllTyped,
    testing::Values(
        Case{"%x: float32(2), %y: int32(2)", "add(%x, %y)", "expected the same dtype"},
        Case{"%x: float32(2), %y: float32(3)", "add(%x, %y)", "cannot be broadcast"},
        Case{"%x: float32(2)", "cast(%x)", "has no dtype"},
        Case{"%x: float32(2)", "nn.relu(%t)", "expected a tensor"},
        Case{"%x: float32(2, 3), %b: float32(2)", "nn.bias_add(%x, %b)",
             "is float32(2), expected float32(3)"},
        Case{"%x: float32(2, 3), %b: float32(3)", "nn.bias_add(%x, %b) {axis = 2}", "axis 2"},
        Case{"%x: float32(), %b: float32(3)", "nn.bias_add(%x, %b)", "axis 1"},
        Case{kData, "nn.softmax(%x) {axis = -4}", "axis -4"},
        Case{"%x: float32(2, 3), %a: float32(2)", "nn.prelu(%x, %a) {axis = -2}", "axis is -2"},
        Case{kData, "nn.l2_normalize(%x) {eps = 1.0, axis = [3]}", "axis 3"},
        Case{kData, "nn.l2_normalize(%x) {eps = 1.0, axis = [1, -2]}", "axis 1 is normalized"},
        Case{kData, "nn.lrn(%x) {axis = -4}", "axis -4"},
        Case{"%x: int32(2, 3), %m: int32(3)",
             "fixed_point_multiply_per_axis(%x, %m, %m, %m) {axes = [2]}", "axis 2"},
        Case{"%x: int32(2, 3), %m: int32(3)",
             "fixed_point_multiply_per_axis(%x, %m, %m, %m) {axes = [0]}", "operand 1 is int32(3)"},
        Case{"%x: int32(2, 3), %m: int32(3), %s: int32(2)",
             "fixed_point_multiply_per_axis(%x, %m, %s, %s) {axes = [1]}", "operand 3 is int32(2)"},
        Case{"%x: int32(2, 3), %m: int32(3)",
             "fixed_point_multiply_per_axis(%x, %m, %m, %m) {axes = []}", "operand 1"},
        Case{"%x: float32(1, 8, 6), %a: float32(8)", "nn.group_norm(%x, %a, %a) {num_groups = 3}",
             "8 channels do not make 3 groups"},
        Case{"%x: float32(1, 8, 6), %a: float32(8)",
             "nn.group_norm(%x, %a, %a) {num_groups = 4294967296}", "do not make"},
        Case{"%x: float32(1, 8, 6), %a: float32(8)", "nn.group_norm(%x, %a, %a) {num_groups = 0}",
             "num_groups is 0"},
        Case{"%x: float32(1, 0, 6), %a: float32(0)", "nn.group_norm(%x, %a, %a) {num_groups = -1}",
             "num_groups is -1"},
        Case{"%x: float32(2, 3), %a: float32(3)", "nn.instance_norm(%x, %a, %a)",
             "at least 3 dimensions"},
        Case{kData, "nn.batch_norm(%x, %x, %x, %x, %x)", "expected float32(3)"}));

INSTANTIATE_TEST_SUITE_P(
    Shape, IllTyped,
    testing::Values(
        Case{kData, "reshape(%x) {newshape = [5, 5]}", "24 elements against 25"},
        Case{kData, "reshape(%x) {newshape = [-1, 7]}", "24 elements against 21"},
        Case{kData, "reshape(%x) {newshape = [-1, -1]}", "two dimensions of newshape are -1"},
        Case{kData, "reshape(%x) {newshape = [24, 1, 1, 0]}", "refers to dimension 3"},
        Case{kData, "reshape(%x) {newshape = [-2, -3]}", "refers to dimension 3"},
        Case{kData, "reshape(%x) {newshape = [-4, 2]}", "not followed by two"},
        Case{kData, "reshape(%x) {newshape = [-4, -1, -1, -2]}", "both dimensions after -4"},
        Case{kData, "reshape(%x) {newshape = [-4, -1, 0, -2]}", "a dimension after -4 is 0"},
        Case{kData, "reshape(%x) {newshape = [-5]}", "a value of newshape is -5"},
        Case{kData, "reshape(%x) {newshape = [9223372036854775807, 9223372036854775807]}",
             "a value of newshape is"},
        Case{kData, "reshape(%x) {newshape = [1000000000, 1000000000, -1]}", "would be larger"},
        Case{"%x: float32(0)", "reshape(%x) {newshape = [0, -1], allowzero = true}",
             "cannot be found"},
        Case{kData, "transpose(%x) {axes = [0, 1]}", "axes has 2 values"},
        Case{kData, "transpose(%x) {axes = [0, 1, 1]}", "axis 1 occurs twice"},
        Case{kData, "transpose(%x) {axes = [0, 1, 3]}", "axis 3"},
        Case{kData, "squeeze(%x) {axis = [0]}", "only 1 can be squeezed"},
        Case{kData, "expand_dims(%x) {num_newaxis = 1000000}", "num_newaxis is"},
        Case{kData, "expand_dims(%x) {num_newaxis = 64}", "67 dimensions"},
        Case{kData, "expand_dims(%x) {axis = 4}", "axis 4"},
        Case{kData, "repeat(%x) {repeats = 1099511627776, axis = 0}", "would be larger"},
        Case{kData, "repeat(%x) {repeats = 2}", "not given"},
        Case{"%x: float32()", "repeat(%x) {repeats = 2, axis = 0}", "axis 0"},
        Case{kData, "tile(%x) {reps = [0]}", "reps is 0"},
        Case{kData, "tile(%x) {reps = [1048576, 1048576, 1]}", "elements"},
        Case{kData, "broadcast_to(%x) {shape = [3, 4]}", "cannot be broadcast to"},
        Case{kData, "broadcast_to(%x) {shape = [-1, 3, 4]}", "a dimension is -1"},
        Case{kData, "broadcast_to(%x)", "no shape is given"},
        Case{"", "zeros() {shape = [1]}", "has no dtype"},
        Case{"", "zeros() {shape = [1048576, 1048576, 2], dtype = int8}", "elements"},
        Case{"%x: float32(1)", "full(%x) {shape = [1]}", "expected a scalar"},
        Case{kData, "layout_transform(%x) {src_layout = \"NCH\", dst_layout = \"NHW\"}",
             "cannot be brought"}));

INSTANTIATE_TEST_SUITE_P(
    Slice, IllTyped,
    testing::Values(
        Case{kData, "concatenate(%t)", "the tuple is empty"},
        Case{kData, "concatenate(%x)", "expected a tuple"},
        Case{kData, "stack(%t)", "the tuple is empty"},
        Case{kData, "split(%x) {indices_or_sections = 0}", "number of sections is 0"},
        Case{kData, "split(%x) {indices_or_sections = 1000000000000}", "number of sections is"},
        Case{"%x: float32(0)", "split(%x) {indices_or_sections = 100000}", "number of sections is"},
        Case{kData, "split(%x) {indices_or_sections = 2, axis = 1}", "into 2 equal sections"},
        Case{kData, "split(%x) {indices_or_sections = [2, 1], axis = 2}", "index of the ascending"},
        Case{kData, "split(%x) {indices_or_sections = [4], axis = 2}", "index of the ascending"},
        Case{kData, "strided_slice(%x)", "not given"},
        Case{kData, "strided_slice(%x) {begin = [0], end = [1], strides = [0]}", "a stride is 0"},
        Case{kData, "strided_slice(%x) {begin = [1], end = [0], strides = [1]}", "leave nothing"},
        Case{kData, "strided_slice(%x) {begin = [0, 0, 0, 0], end = [], strides = []}", "4 slices"},
        Case{kData, "strided_slice(%x) {begin = [0], end = [1], strides = [1], axes = [3]}",
             "an axis is 3"},
        Case{kData, "strided_slice(%x) {begin = [0], end = [1], strides = [1, 1], axes = [0]}",
             "strides has 2 values"},
        Case{kData,
             "strided_slice(%x) {begin = [0, 0], end = [1, 1], strides = [1, 1], axes = [0, 0]}",
             "axis 0 is sliced twice"},
        Case{kData,
             "strided_slice(%x) {begin = [0], end = [1], strides = [1], slice_mode = \"huh\"}",
             "slice_mode is 'huh'"},
        Case{"%x: float32(2), %i: float32(2)", "take(%x, %i)", "expected integers"},
        Case{"%x: float32(2), %i: int32(2)", "take(%x, %i) {mode = \"huh\"}", "mode is 'huh'"},
        Case{"%x: float32(2), %i: int32(2)", "take(%x, %i) {axis = 0, batch_dims = 1}",
             "batch_dims is 1"},
        Case{"%x: float32(2), %i: int32(2)", "take(%x, %i) {axis = 1}", "axis 1"},
        Case{"%x: float32(2, 3), %i: int32(3, 3)", "take(%x, %i) {axis = 1, batch_dims = 1}",
             "expected the same 1 first dimensions"},
        Case{"%x: float32(2, 3), %i: int32(3, 3)", "gather(%x, %i) {axis = 1}", "for data of"},
        Case{"%i: int32(2), %v: float32(), %w: float32(2)",
             "one_hot(%i, %v, %w) {depth = 3, dtype = float32}", "expected a scalar"},
        Case{"%i: int32(2), %v: float32()", "one_hot(%i, %v, %v) {depth = 0, dtype = int8}",
             "depth is 0"},
        Case{"%i: int32(2), %v: float32()", "one_hot(%i, %v, %v) {axis = 2, dtype = int8}",
             "axis is 2"}));

INSTANTIATE_TEST_SUITE_P(
    ImageAndReduce, IllTyped,
    testing::Values(
        Case{"%x: float32(2), %v: float32()", "nn.pad(%x, %v)", "pad_width has 0 pairs"},
        Case{"%x: float32(2), %v: float32(3)", "nn.pad(%x, %v) {pad_width = [[0, 1]]}",
             "value to pad with (operand 1) is float32(3)"},
        Case{"%x: float32(2), %v: float32()", "nn.pad(%x, %v) {pad_width = [[1]]}", "expected 2"},
        Case{"%x: float32(2), %v: float32()",
             "nn.pad(%x, %v) {pad_width = [[9223372036854775807, 1]]}", "pad_width is"},
        Case{"%x: float32(2), %v: float32()", "nn.pad(%x, %v) {pad_width = [[-3, 0]]}",
             "would be negative"},
        Case{"%x: float32(2)", "nn.mirror_pad(%x) {pad_width = [[-1, 0]]}", "pad_width is -1"},
        Case{"%x: float32(1, 1, 2, 2)", "nn.upsampling(%x) {scale_h = nan}", "scaled by nan"},
        Case{"%x: float32(1, 1, 2, 2)", "nn.upsampling(%x) {scale_h = inf}", "scaled by inf"},
        Case{"%x: float32(1, 1, 2, 2)", "nn.upsampling(%x) {scale_w = -1}", "scaled by -1"},
        Case{"%x: float32(1, 1, 2, 2)", "image.resize2d(%x)", "no size is given"},
        Case{"%x: float32(1, 1, 2, 2)", "image.resize2d(%x) {size = [0, 1]}", "height is 0"},
        Case{"%x: float32(1, 3, 2, 2)", "nn.depth_to_space(%x) {block_size = 2}",
             "cannot be divided by 4"},
        Case{"%x: float32(1, 3, 2, 2)", "nn.depth_to_space(%x) {block_size = 0}",
             "block_size is 0"},
        Case{"%x: float32(1, 3, 2, 2)", "nn.space_to_depth(%x) {block_size = 4294967296}",
             "block_size is"},
        Case{kData, "mean(%x) {axis = [3]}", "axis 3"},
        Case{kData, "mean(%x) {axis = [1, -2]}", "axis 1 is reduced twice"},
        Case{"%x: float32()", "argmax(%x)", "is a scalar"},
        Case{"%x: float32(2), %m: float32()", "variance(%x, %m)", "the mean is float32()"},
        Case{"%x: float32(2), %m: uint16(1)", "variance(%x, %m)", "the mean is uint16(1)"},
        Case{"%x: float32(2, 3), %m: float32(2, 2)", "variance(%x, %m)", "expected the dtype"}));

INSTANTIATE_TEST_SUITE_P(
    Qnn, IllTyped,
    testing::Values(
        Case{"%x: int8(2), %s: float32(), %z: int32()",
             "qnn.quantize(%x, %s, %z) {out_dtype = int8}",
             "dtype 'int8', expected one of float32"},
        Case{"%x: float32(2), %s: float32(), %z: int32()", "qnn.quantize(%x, %s, %z)",
             "dtype '', expected one of int8"},
        Case{"%x: float32(2), %s: float32(3), %z: int32()",
             "qnn.quantize(%x, %s, %z) {out_dtype = int8}", "scale (operand 1) is float32(3)"},
        Case{"%x: float32(2), %s: float32(), %z: int8()",
             "qnn.quantize(%x, %s, %z) {out_dtype = int8}", "zero point (operand 2) is int8()"},
        Case{"%x: int32(2), %s: float32(), %z: int32()",
             "qnn.requantize(%x, %s, %z, %s, %z) {out_dtype = int8, axis = 5}", "axis 5"},
        Case{"%x: float32(1, 1, 2, 2), %s: float32(), %z: int32()",
             "qnn.avg_pool2d(%x, %s, %z, %s, %z) {pool_size = [1, 1]}", "expected one of int8"}));

TEST(IllTypedInput, IsNamed) {
  for (const char* type :
       {"float32(-2)", "void(2)", "int8(1099511627776, 2)", "(int8(2), int8(1099511627777))"}) {
    Graph graph = parse_graph("graph(%the.input: " + std::string(type) + ") { return %the.input }");
    EXPECT_THROW(infer_types(graph), InputError) << type;
  }
}

TEST(IllTypedField, IsAnInputError) {
  for (const char* operand : {"%x", "%t"}) {
    Graph graph = parse_graph("graph(%x: float32(2)) { %t = tuple() %r = field 0 of(" +
                              std::string(operand) + ") return %r }");
    EXPECT_THROW(infer_types(graph), InputError) << operand;
  }
}

/// What hostile files may put into any field.
struct Poison {
  std::int64_t value;

  void operator()(std::int64_t& field) const { field = value; }
  void operator()(bool& field) const { field = !field; }
  void operator()(double& field) const { field = static_cast<double>(value); }
  void operator()(DType& field) const { field = value < 0 ? DType::kVoid : DType::kInt8; }
  void operator()(std::string& field) const { field = value < 0 ? "" : "NCHW32767c32767c"; }
  void operator()(SectionsOrIndices& field) const {
    if (value % 2 == 0) {
      field = value;
    } else {
      field = IntList(3, value);
    }
  }
  template <class T>
  void operator()(std::vector<T>& field) const {
    field.assign(static_cast<std::size_t>(value & 7), T{});
    for (T& each : field) (*this)(each);
  }
  template <class T>
  void operator()(std::optional<T>& field) const {
    (*this)(field.emplace());
  }
};

/// `attrs` with field number `which` poisoned; nothing if there are fewer fields.
std::optional<Attrs> poisoned(Attrs attrs, std::size_t which, std::int64_t value) {
  bool found = false;
  std::visit(
      [&]<class T>(T& typed) {
        if constexpr (requires { T::fields(); }) {
          std::size_t i = 0;
          for_each_field(typed, [&](const auto& /*field*/, auto& member) {
            if (i++ != which) return;
            found = true;
            Poison{value}(member);
          });
        }
      },
      attrs);
  if (!found) return std::nullopt;
  return attrs;
}

/// A call of `op` whose operands all have `type`; whatever it is, only InputError may come out.
void infer_call(Op op, const Attrs& attrs, const Type& type) {
  Graph graph;
  std::vector<NodeId> operands;
  for (std::size_t i = 0; i < op_info(op).arguments; ++i) {
    operands.push_back(graph.add_input("x", type));
  }
  const NodeId call = graph.add_call(op, operands, attrs);
  try {
    graph.set_type(call, infer_type(graph, call));
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(op_info(op).name));
  }
}

// Run under the sanitizers this shows that no attribute value leads to undefined behaviour.
TEST(HostileAttributes, GiveATypeOrAnInputError) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const std::vector<Shape> shapes{{},
                                  {0},
                                  {3},
                                  {2, 3},
                                  {2, 3, 4},
                                  {2, 3, 4, 4},
                                  {1, 2, 4, 4, 4},
                                  {-1, -1, -1, -1},
                                  {kMax, kMin, 5},
                                  {0, 0, 0, 0},
                                  {kMax, kMax, kMax, kMax}};
  std::vector<Type> types{Type{}, TupleType{}};
  for (const Shape& shape : shapes) {
    types.emplace_back(TensorType{DType::kFloat32, shape});
    types.emplace_back(TensorType{DType::kInt8, shape});
    types.emplace_back(TupleType{{{DType::kInt32, shape}, {DType::kInt32, shape}}});
  }
  for (int i = 1; i <= static_cast<int>(Op::kSimulatedQuantize); ++i) {
    const Op op = static_cast<Op>(i);
    for (const Type& type : types) infer_call(op, op_info(op).default_attrs, type);
    for (const std::int64_t value :
         {kMin, kMin + 1, std::int64_t{-4}, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1},
          std::int64_t{2}, std::int64_t{4}, std::int64_t{1} << 40, kMax - 1, kMax}) {
      for (std::size_t which = 0;; ++which) {
        const auto attrs = poisoned(op_info(op).default_attrs, which, value);
        if (!attrs) break;
        for (const Type& type : types) infer_call(op, *attrs, type);
      }
    }
  }
}

}  // namespace
}  // namespace tvmq::ir
