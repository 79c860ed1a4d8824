#include "pass_case.h"
#include "passes/passes.h"

namespace tvmq::passes {
namespace {

ir::Graph as_tvm(const ir::Graph& graph) { return backward_fold_scale_axis(graph); }
ir::Graph safely(const ir::Graph& graph) {
  return backward_fold_scale_axis(graph, ScaleFolding::kSafe);
}

/// TVM's rules and the safe ones agree.
TEST(BackwardFoldScaleAxis, Folds) {
  const PassCase cases[] = {
      {.name = "conv2d",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(3, 1, 1) [1, -2, 3]
         %c = nn.conv2d(%x, %w)
         %y = multiply(%c, %s)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(3, 1, 1) [1, -2, 3]
         %q = squeeze(%s) {axis = [1, 2]}
         %e = expand_dims(%q) {axis = 1, num_newaxis = 3}
         %v = multiply(%w, %e)
         %y = nn.conv2d(%x, %v)
         return %y
       })"},
      {.name = "through bias, addition and relu; the scale on the left",
       .before =
           R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1), %b: float32(3), %a: float32(1, 3, 1, 1)) {
         %s = constant float32(1, 3, 1, 1) [1, 0, 3]
         %c = nn.conv2d(%x, %w)
         %d = nn.bias_add(%c, %b)
         %e = subtract(%a, %d)
         %r = nn.relu(%e)
         %y = multiply(%s, %r)
         return %y
       })",
       .after =
           R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1), %b: float32(3), %a: float32(1, 3, 1, 1)) {
         %s = constant float32(1, 3, 1, 1) [1, 0, 3]
         %q = squeeze(%s) {axis = [0, 2, 3]}
         %qa = expand_dims(%q) {axis = 1, num_newaxis = 2}
         %as = multiply(%a, %qa)
         %qw = expand_dims(%q) {axis = 1, num_newaxis = 3}
         %ws = multiply(%w, %qw)
         %c = nn.conv2d(%x, %ws)
         %bs = multiply(%b, %q)
         %d = nn.bias_add(%c, %bs)
         %e = subtract(%as, %d)
         %y = nn.relu(%e)
         return %y
       })"},
      {.name = "channels last: nothing to squeeze, nothing to expand",
       .before = R"(graph(%x: float32(1, 4, 4, 2), %w: float32(1, 1, 2, 3)) {
         %s = constant float32(3) [1, 2, 3]
         %c = nn.conv2d(%x, %w) {data_layout = "NHWC", kernel_layout = "HWIO"}
         %r = nn.leaky_relu(%c) {alpha = 0.1}
         %y = multiply(%r, %s)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 4, 4, 2), %w: float32(1, 1, 2, 3)) {
         %s = constant float32(3) [1, 2, 3]
         %v = multiply(%w, %s)
         %c = nn.conv2d(%x, %v) {data_layout = "NHWC", kernel_layout = "HWIO"}
         %y = nn.leaky_relu(%c) {alpha = 0.1}
         return %y
       })"},
      {.name = "depthwise, a single number",
       .before = R"(graph(%x: float32(1, 3, 4, 4), %w: float32(3, 1, 1, 1)) {
         %s = constant float32() [2]
         %c = nn.conv2d(%x, %w) {groups = 3}
         %y = multiply(%c, %s)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 3, 4, 4), %w: float32(3, 1, 1, 1)) {
         %s = constant float32() [2]
         %u = expand_dims(%s)
         %q = repeat(%u) {repeats = 3, axis = 0}
         %e = expand_dims(%q) {axis = 1, num_newaxis = 3}
         %v = multiply(%w, %e)
         %y = nn.conv2d(%x, %v) {groups = 3}
         return %y
       })"},
      {.name = "conv3d",
       .before = R"(graph(%x: float32(1, 2, 3, 3, 3), %w: float32(3, 2, 1, 1, 1)) {
         %s = constant float32(3, 1, 1, 1) [1, 2, 3]
         %c = nn.conv3d(%x, %w)
         %y = multiply(%c, %s)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 2, 3, 3, 3), %w: float32(3, 2, 1, 1, 1)) {
         %s = constant float32(3, 1, 1, 1) [1, 2, 3]
         %q = squeeze(%s) {axis = [1, 2, 3]}
         %e = expand_dims(%q) {axis = 1, num_newaxis = 4}
         %v = multiply(%w, %e)
         %y = nn.conv3d(%x, %v)
         return %y
       })"},
      {.name = "dense",
       .before = R"(graph(%x: float32(5, 2), %w: float32(3, 2)) {
         %s = constant float32(1, 3) [1, 2, 3]
         %c = nn.dense(%x, %w)
         %y = multiply(%c, %s)
         return %y
       })",
       .after = R"(graph(%x: float32(5, 2), %w: float32(3, 2)) {
         %s = constant float32(1, 3) [1, 2, 3]
         %q = squeeze(%s) {axis = [0]}
         %e = expand_dims(%q) {axis = 1}
         %v = multiply(%w, %e)
         %y = nn.dense(%x, %v)
         return %y
       })"},
      {.name = "both terms of an addition",
       .before = R"(graph(%x: float32(5, 2), %w: float32(3, 2), %v: float32(3, 2)) {
         %s = constant float32(3) [1, 2, 3]
         %c = nn.dense(%x, %w)
         %d = nn.dense(%x, %v)
         %e = add(%c, %d)
         %y = multiply(%e, %s)
         return %y
       })",
       .after = R"(graph(%x: float32(5, 2), %w: float32(3, 2), %v: float32(3, 2)) {
         %s = constant float32(3) [1, 2, 3]
         %p = expand_dims(%s) {axis = 1}
         %wp = multiply(%w, %p)
         %c = nn.dense(%x, %wp)
         %q = expand_dims(%s) {axis = 1}
         %vq = multiply(%v, %q)
         %d = nn.dense(%x, %vq)
         %y = add(%c, %d)
         return %y
       })"},
      {.name = "only the first of two scales",
       .before = R"(graph(%x: float32(5, 2), %w: float32(3, 2)) {
         %s = constant float32(3) [1, 2, 3]
         %t = constant float32(3) [4, 5, 6]
         %c = nn.dense(%x, %w)
         %d = multiply(%c, %s)
         %y = multiply(%d, %t)
         return %y
       })",
       .after = R"(graph(%x: float32(5, 2), %w: float32(3, 2)) {
         %s = constant float32(3) [1, 2, 3]
         %t = constant float32(3) [4, 5, 6]
         %e = expand_dims(%s) {axis = 1}
         %v = multiply(%w, %e)
         %c = nn.dense(%x, %v)
         %y = multiply(%c, %t)
         return %y
       })"},
  };
  check_cases(as_tvm, cases);
  check_cases(safely, cases);
}

/// A scale along two axes, where data and weight are blocked alike.
TEST(BackwardFoldScaleAxis, BlockedLayout) {
  const PassCase cases[] = {
      {.name = "NCHW2c",
       .before = R"(graph(%x: float32(1, 2, 4, 4, 2), %w: float32(3, 2, 1, 1, 2, 2)) {
         %s = constant float32(3, 1, 1, 2) [1, 2, 3, 4, 5, 6]
         %c = nn.conv2d(%x, %w) {channels = 6, kernel_size = [1, 1], data_layout = "NCHW2c", kernel_layout = "OIHW2i2o"}
         %y = multiply(%c, %s)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 2, 4, 4, 2), %w: float32(3, 2, 1, 1, 2, 2)) {
         %s = constant float32(3, 1, 1, 2) [1, 2, 3, 4, 5, 6]
         %q = squeeze(%s) {axis = [1, 2]}
         %e = reshape(%q) {newshape = [3, 1, 1, 1, 1, 2]}
         %v = multiply(%w, %e)
         %y = nn.conv2d(%x, %v) {channels = 6, kernel_size = [1, 1], data_layout = "NCHW2c", kernel_layout = "OIHW2i2o"}
         return %y
       })"},
  };
  check_cases(as_tvm, cases);
}

TEST(BackwardFoldScaleAxis, Refusals) {
  const PassCase cases[] = {
      {.name = "the convolution has another user",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(3, 1, 1) [1, 2, 3]
         %c = nn.conv2d(%x, %w)
         %m = multiply(%c, %s)
         %y = add(%m, %c)
         return %y
       })"},
      {.name = "a negative scale behind relu",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(3, 1, 1) [1, -2, 3]
         %c = nn.conv2d(%x, %w)
         %r = nn.relu(%c)
         %y = multiply(%r, %s)
         return %y
       })"},
      {.name = "a computed scale behind relu",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1), %s: float32(3, 1, 1)) {
         %c = nn.conv2d(%x, %w)
         %r = nn.relu(%c)
         %y = multiply(%r, %s)
         return %y
       })"},
      {.name = "clip is not a straight line",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(3, 1, 1) [1, 2, 3]
         %c = nn.conv2d(%x, %w)
         %r = clip(%c) {a_min = 0, a_max = 6}
         %y = multiply(%r, %s)
         return %y
       })"},
      {.name = "a scale along another axis",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(4) [1, 2, 3, 4]
         %c = nn.conv2d(%x, %w)
         %y = multiply(%c, %s)
         return %y
       })"},
      {.name = "one number in a vector is not a single number",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(1) [2]
         %c = nn.conv2d(%x, %w)
         %y = multiply(%c, %s)
         return %y
       })"},
      {.name = "grouped, and depthwise with two filters per channel",
       .before =
           R"(graph(%x: float32(1, 4, 4, 4), %w: float32(4, 2, 1, 1), %v: float32(8, 1, 1, 1)) {
         %s = constant float32(4, 1, 1) [1, 2, 3, 4]
         %t = constant float32(8, 1, 1) splat 2
         %c = nn.conv2d(%x, %w) {groups = 2}
         %m = multiply(%c, %s)
         %d = nn.conv2d(%m, %v) {groups = 4}
         %y = multiply(%d, %t)
         return %y
       })"},
      {.name = "addition of what is not constant along the channels",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(2, 2, 1, 1)) {
         %s = constant float32(2, 1, 1) [1, 2]
         %c = nn.conv2d(%x, %w)
         %a = add(%c, %x)
         %y = multiply(%a, %s)
         return %y
       })"},
      {.name = "a bias whose axis is counted from the end",
       .before = R"(graph(%x: float32(5, 2), %w: float32(3, 2), %b: float32(3)) {
         %s = constant float32(3) [1, 2, 3]
         %c = nn.dense(%x, %w)
         %d = nn.bias_add(%c, %b) {axis = -1}
         %y = multiply(%d, %s)
         return %y
       })"},
      {.name = "transposed convolution, pooling",
       .before =
           R"(graph(%x: float32(1, 2, 4, 4), %w: float32(2, 3, 1, 1), %v: float32(3, 3, 1, 1)) {
         %s = constant float32(3, 1, 1) [1, 2, 3]
         %c = nn.conv2d_transpose(%x, %w)
         %m = multiply(%c, %s)
         %d = nn.conv2d(%m, %v)
         %p = nn.max_pool2d(%d) {pool_size = [1, 1]}
         %y = multiply(%p, %s)
         return %y
       })"},
      {.name = "a weight of another type", .before = R"(graph(%x: int8(5, 2), %w: int8(3, 2)) {
         %s = constant int32(3) [1, 2, 3]
         %c = nn.dense(%x, %w) {out_dtype = int32}
         %y = multiply(%c, %s)
         return %y
       })"},
      {.name = "the middle axis of 3-d data that does not fit the weight",
       .before = R"(graph(%x: float32(1, 4, 2), %w: float32(3, 2)) {
         %s = constant float32() [2]
         %c = nn.dense(%x, %w)
         %y = multiply(%c, %s)
         return %y
       })"},
  };
  check_cases(as_tvm, cases);
  check_cases(safely, cases);
}

/// What TVM does and the safe rules do not: its graph is another function, or has computed weights.
TEST(BackwardFoldScaleAxis, SafeRulesRefuseWhatTvmDoes) {
  constexpr std::string_view kReluOnTheRight =
      R"(graph(%x: float32(5, 2), %w: float32(3, 2), %v: float32(3, 2)) {
        %s = constant float32(3) [1, -2, 3]
        %c = nn.dense(%x, %w)
        %d = nn.dense(%x, %v)
        %r = nn.relu(%d)
        %e = add(%c, %r)
        %y = multiply(%e, %s)
        return %y
      })";
  constexpr std::string_view kComputedScale =
      R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1), %s: float32(1, 3, 1, 1)) {
        %c = nn.conv2d(%x, %w)
        %y = multiply(%c, %s)
        return %y
      })";
  constexpr std::string_view kMiddleAxis = R"(graph(%x: float32(1, 3, 2), %w: float32(3, 2)) {
        %s = constant float32(3, 1) [1, 2, 3]
        %c = nn.dense(%x, %w)
        %y = multiply(%c, %s)
        return %y
      })";
  for (const std::string_view text : {kReluOnTheRight, kComputedScale, kMiddleAxis}) {
    const ir::Graph before = typed(text);
    EXPECT_NE(ir::first_difference(before, as_tvm(before)), std::nullopt) << text;
    EXPECT_EQ(ir::first_difference(before, safely(before)), std::nullopt) << text;
  }
}

/// The scale is what stands in the graph before the pass, although it is rewritten elsewhere.
TEST(BackwardFoldScaleAxis, TakesTheScaleAsItWasBefore) {
  const PassCase cases[] = {
      {.name = "a gate computed by a layer with a scale of its own",
       .before =
           R"(graph(%x: float32(1, 2), %w: float32(3, 2), %v: float32(3, 2)) {
         %s = constant float32(3) [1, 2, 3]
         %c = nn.dense(%x, %w)
         %d = nn.dense(%x, %v)
         %e = multiply(%d, %s)
         %g = sigmoid(%e)
         %m = multiply(%c, %g)
         %y = add(%m, %g)
         return %y
       })",
       .after =
           R"(graph(%x: float32(1, 2), %w: float32(3, 2), %v: float32(3, 2)) {
         %s = constant float32(3) [1, 2, 3]
         %d = nn.dense(%x, %v)
         %e = multiply(%d, %s)
         %g = sigmoid(%e)
         %gq = squeeze(%g) {axis = [0]}
         %ge = expand_dims(%gq) {axis = 1}
         %wg = multiply(%w, %ge)
         %m = nn.dense(%x, %wg)
         %se = expand_dims(%s) {axis = 1}
         %vs = multiply(%v, %se)
         %d2 = nn.dense(%x, %vs)
         %g2 = sigmoid(%d2)
         %y = add(%m, %g2)
         return %y
       })"},
  };
  check_cases(as_tvm, cases);
}

TEST(BackwardFoldScaleAxis, DeepNetworksDoNotRecurse) {
  ir::Graph graph;
  const ir::NodeId x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 2}});
  const ir::NodeId w = graph.add_constant(ir::Tensor::from<float>({1, 2}, {1, 2}));
  ir::NodeId value = graph.add_call(ir::Op::kDense, {x, w}, ir::DenseAttrs{});
  for (int i = 0; i < 50000; ++i) value = graph.add_call(ir::Op::kRelu, {value});
  const ir::NodeId s = graph.add_constant(ir::Tensor::from<float>({1}, {3}));
  graph.set_output(graph.add_call(ir::Op::kMultiply, {value, s}));
  ir::infer_types(graph);
  const ir::Graph folded = as_tvm(graph);
  EXPECT_TRUE(folded[folded.output()].is_call(ir::Op::kRelu));
}

}  // namespace
}  // namespace tvmq::passes
