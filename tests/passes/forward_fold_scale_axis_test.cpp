#include "pass_case.h"
#include "passes/passes.h"

namespace tvmq::passes {
namespace {

ir::Graph as_tvm(const ir::Graph& graph) { return forward_fold_scale_axis(graph); }
ir::Graph safely(const ir::Graph& graph) {
  return forward_fold_scale_axis(graph, ScaleFolding::kSafe);
}

TEST(ForwardFoldScaleAxis, Folds) {
  const PassCase cases[] = {
      {.name = "conv2d",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(2, 1, 1) [1, -2]
         %m = multiply(%x, %s)
         %y = nn.conv2d(%m, %w)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1)) {
         %s = constant float32(2, 1, 1) [1, -2]
         %q = squeeze(%s) {axis = [1, 2]}
         %e = expand_dims(%q) {axis = 1, num_newaxis = 2}
         %v = multiply(%w, %e)
         %y = nn.conv2d(%x, %v)
         return %y
       })"},
      {.name = "bn-relu-conv: what is added is divided",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1), %b: float32(2, 1, 1)) {
         %s = constant float32(2, 1, 1) [1, 2]
         %m = multiply(%s, %x)
         %a = add(%b, %m)
         %r = nn.relu(%a)
         %y = nn.conv2d(%r, %w)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 2, 4, 4), %w: float32(3, 2, 1, 1), %b: float32(2, 1, 1)) {
         %s = constant float32(2, 1, 1) [1, 2]
         %q = squeeze(%s) {axis = [1, 2]}
         %d = expand_dims(%q) {axis = 1, num_newaxis = 2}
         %bd = divide(%b, %d)
         %a = add(%bd, %x)
         %r = nn.relu(%a)
         %e = expand_dims(%q) {axis = 1, num_newaxis = 2}
         %v = multiply(%w, %e)
         %y = nn.conv2d(%r, %v)
         return %y
       })"},
      {.name = "depthwise takes it on its output channels, dense as it is",
       .before =
           R"(graph(%x: float32(1, 2, 1, 1), %w: float32(2, 1, 1, 1), %z: float32(1, 2), %v: float32(3, 2)) {
         %s = constant float32(1, 2, 1, 1) [1, 2]
         %t = constant float32(2) [3, 4]
         %m = multiply(%x, %s)
         %c = nn.conv2d(%m, %w) {groups = 2}
         %n = multiply(%z, %t)
         %d = nn.dense(%n, %v)
         %y = tuple(%c, %d)
         return %y
       })",
       .after =
           R"(graph(%x: float32(1, 2, 1, 1), %w: float32(2, 1, 1, 1), %z: float32(1, 2), %v: float32(3, 2)) {
         %s = constant float32(1, 2, 1, 1) [1, 2]
         %q = squeeze(%s) {axis = [0, 2, 3]}
         %e = expand_dims(%q) {axis = 1, num_newaxis = 3}
         %ws = multiply(%w, %e)
         %c = nn.conv2d(%x, %ws) {groups = 2}
         %t = constant float32(2) [3, 4]
         %vt = multiply(%v, %t)
         %d = nn.dense(%z, %vt)
         %y = tuple(%c, %d)
         return %y
       })"},
      {.name = "two consumers that both take it",
       .before = R"(graph(%x: float32(1, 2), %w: float32(3, 2), %v: float32(3, 2)) {
         %s = constant float32(2) [1, 2]
         %m = multiply(%x, %s)
         %r = nn.relu(%m)
         %c = nn.dense(%r, %w)
         %d = nn.dense(%m, %v)
         %y = add(%c, %d)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 2), %w: float32(3, 2), %v: float32(3, 2)) {
         %s = constant float32(2) [1, 2]
         %r = nn.relu(%x)
         %ws = multiply(%w, %s)
         %c = nn.dense(%r, %ws)
         %vs = multiply(%v, %s)
         %d = nn.dense(%x, %vs)
         %y = add(%c, %d)
         return %y
       })"},
      {.name = "fields of tuples are taken out on the way",
       .before = R"(graph(%x: float32(1, 2), %w: float32(3, 2)) {
         %s = constant float32(2) [1, 2]
         %t = tuple(%x, %s)
         %f = field 0 of(%t)
         %m = multiply(%f, %s)
         %y = nn.dense(%m, %w)
         return %y
       })",
       .after = R"(graph(%x: float32(1, 2), %w: float32(3, 2)) {
         %s = constant float32(2) [1, 2]
         %ws = multiply(%w, %s)
         %y = nn.dense(%x, %ws)
         return %y
       })"},
  };
  check_cases(as_tvm, cases);
  check_cases(safely, cases);
}

TEST(ForwardFoldScaleAxis, Refusals) {
  const PassCase cases[] = {
      {.name = "a consumer that cannot take it",
       .before = R"(graph(%x: float32(1, 2), %w: float32(2, 2)) {
         %s = constant float32(2) [1, 2]
         %m = multiply(%x, %s)
         %c = nn.dense(%m, %w)
         %e = exp(%m)
         %y = add(%c, %e)
         return %y
       })"},
      {.name = "the result of the network",
       .before = R"(graph(%x: float32(1, 2), %w: float32(3, 2)) {
         %s = constant float32(2) [1, 2]
         %m = multiply(%x, %s)
         %c = nn.dense(%m, %w)
         %y = tuple(%c, %m)
         return %y
       })"},
      {.name = "a negative scale before relu",
       .before = R"(graph(%x: float32(1, 2), %w: float32(3, 2)) {
         %s = constant float32(2) [1, -2]
         %m = multiply(%x, %s)
         %r = nn.relu(%m)
         %y = nn.dense(%r, %w)
         return %y
       })"},
      {.name = "bias_add does not pass it on, nor does clip",
       .before = R"(graph(%x: float32(1, 2), %w: float32(2, 2), %b: float32(2)) {
         %s = constant float32(2) [1, 2]
         %m = multiply(%x, %s)
         %a = nn.bias_add(%m, %b)
         %y = nn.dense(%a, %w)
         %n = multiply(%y, %s)
         %k = clip(%n) {a_min = 0, a_max = 6}
         %z = nn.dense(%k, %w)
         return %z
       })"},
      {.name = "the scale of a weight", .before = R"(graph(%x: float32(1, 2), %w: float32(3, 2)) {
         %s = constant float32(2) [1, 2]
         %m = multiply(%w, %s)
         %y = nn.dense(%x, %m)
         return %y
       })"},
      {.name = "a scale along another axis",
       .before = R"(graph(%x: float32(2, 2), %w: float32(3, 2)) {
         %s = constant float32(2, 1) [1, 2]
         %m = multiply(%x, %s)
         %y = nn.dense(%m, %w)
         return %y
       })"},
      {.name = "grouped", .before = R"(graph(%x: float32(1, 4, 4, 4), %w: float32(4, 2, 1, 1)) {
         %s = constant float32(4, 1, 1) [1, 2, 3, 4]
         %m = multiply(%x, %s)
         %y = nn.conv2d(%m, %w) {groups = 2}
         return %y
       })"},
  };
  check_cases(as_tvm, cases);
  check_cases(safely, cases);
}

/// 0 is a "positive" scale for TVM, and then a divisor.
TEST(ForwardFoldScaleAxis, ZeroScale) {
  const ir::Graph before = typed(R"(graph(%x: float32(1, 2), %w: float32(3, 2)) {
    %s = constant float32(2) [0, 2]
    %b = constant float32(2) [1, 1]
    %m = multiply(%x, %s)
    %a = add(%m, %b)
    %r = nn.relu(%a)
    %y = nn.dense(%r, %w)
    return %y
  })");
  const ir::Graph expected = typed(R"(graph(%x: float32(1, 2), %w: float32(3, 2)) {
    %b = constant float32(2) [inf, 0.5]
    %a = add(%x, %b)
    %r = nn.relu(%a)
    %s = constant float32(2) [0, 2]
    %v = multiply(%w, %s)
    %y = nn.dense(%r, %v)
    return %y
  })");
  EXPECT_EQ(ir::first_difference(expected, fold_constant(as_tvm(before))), std::nullopt);
  EXPECT_EQ(ir::first_difference(before, safely(before)), std::nullopt);
}

}  // namespace
}  // namespace tvmq::passes
