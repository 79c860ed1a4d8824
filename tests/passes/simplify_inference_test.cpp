#include "pass_case.h"
#include "passes/passes.h"

namespace tvmq::passes {
namespace {

TEST(SimplifyInference, Cases) {
  const PassCase cases[] = {
      {.name = "batch_norm behind channels first",
       .before =
           R"(graph(%x: float32(1, 2, 4, 4), %g: float32(2), %b: float32(2), %m: float32(2), %v: float32(2)) {
         %n = nn.batch_norm(%x, %g, %b, %m, %v) {epsilon = 0.5}
         %y = field 0 of(%n)
         return %y
       })",
       .after =
           R"(graph(%x: float32(1, 2, 4, 4), %g: float32(2), %b: float32(2), %m: float32(2), %v: float32(2)) {
         %eps = constant float32() [0.5]
         %one = constant float32() [1]
         %ve = add(%v, %eps)
         %sd = sqrt(%ve)
         %inv = divide(%one, %sd)
         %s = multiply(%inv, %g)
         %nm = negative(%m)
         %ms = multiply(%nm, %s)
         %t = add(%ms, %b)
         %S = expand_dims(%s) {axis = 1, num_newaxis = 2}
         %T = expand_dims(%t) {axis = 1, num_newaxis = 2}
         %xs = multiply(%x, %S)
         %y = add(%xs, %T)
         return %y
       })"},
      {.name = "neither scale nor center, channels last, counted from the end",
       .before =
           R"(graph(%x: float32(1, 4, 4, 2), %g: float32(2), %b: float32(2), %m: float32(2), %v: float32(2)) {
         %n = nn.batch_norm(%x, %g, %b, %m, %v) {axis = -1, epsilon = 0.5, center = false, scale = false}
         %y = field 0 of(%n)
         return %y
       })",
       .after =
           R"(graph(%x: float32(1, 4, 4, 2), %g: float32(2), %b: float32(2), %m: float32(2), %v: float32(2)) {
         %eps = constant float32() [0.5]
         %one = constant float32() [1]
         %ve = add(%v, %eps)
         %sd = sqrt(%ve)
         %s = divide(%one, %sd)
         %nm = negative(%m)
         %t = multiply(%nm, %s)
         %xs = multiply(%x, %s)
         %y = add(%xs, %t)
         return %y
       })"},
      {.name = "the statistics of a batch_norm keep it",
       .before =
           R"(graph(%x: float32(1, 2, 4, 4), %g: float32(2), %b: float32(2), %m: float32(2), %v: float32(2)) {
         %n = nn.batch_norm(%x, %g, %b, %m, %v)
         %y = field 1 of(%n)
         return %y
       })",
       .after = ""},
      {.name = "a field taken twice is expanded twice",
       .before =
           R"(graph(%x: float32(3, 2), %g: float32(2), %b: float32(2), %m: float32(2), %v: float32(2)) {
         %n = nn.batch_norm(%x, %g, %b, %m, %v) {epsilon = 0.5, center = false, scale = false}
         %p = field 0 of(%n)
         %q = field 0 of(%n)
         %y = add(%p, %q)
         return %y
       })",
       .after =
           R"(graph(%x: float32(3, 2), %g: float32(2), %b: float32(2), %m: float32(2), %v: float32(2)) {
         %eps = constant float32() [0.5]
         %one = constant float32() [1]
         %ve = add(%v, %eps)
         %sd = sqrt(%ve)
         %s = divide(%one, %sd)
         %nm = negative(%m)
         %t = multiply(%nm, %s)
         %xs = multiply(%x, %s)
         %p = add(%xs, %t)
         %eps2 = constant float32() [0.5]
         %one2 = constant float32() [1]
         %ve2 = add(%v, %eps2)
         %sd2 = sqrt(%ve2)
         %s2 = divide(%one2, %sd2)
         %nm2 = negative(%m)
         %t2 = multiply(%nm2, %s2)
         %xs2 = multiply(%x, %s2)
         %q = add(%xs2, %t2)
         %y = add(%p, %q)
         return %y
       })"},
      {.name = "dropout is its operand",
       .before = R"(graph(%x: float32(1, 2)) {
         %r = nn.relu(%x)
         %d = nn.dropout(%r)
         %y = field 0 of(%d)
         %z = exp(%y)
         return %z
       })",
       .after = R"(graph(%x: float32(1, 2)) {
         %r = nn.relu(%x)
         %z = exp(%r)
         return %z
       })"},
      {.name = "the mask of a dropout keeps it",
       .before = R"(graph(%x: float32(1, 2)) {
         %d = nn.dropout(%x)
         %y = field 1 of(%d)
         return %y
       })",
       .after = ""},
      {.name = "layer_norm, its axis as written",
       .before = R"(graph(%x: float32(2, 3, 4), %g: float32(4), %b: float32(4)) {
         %y = nn.layer_norm(%x, %g, %b) {epsilon = 0.5}
         return %y
       })",
       .after = R"(graph(%x: float32(2, 3, 4), %g: float32(4), %b: float32(4)) {
         %m = mean(%x) {axis = [-1], keepdims = true}
         %d = subtract(%x, %m)
         %v = variance(%x, %m) {axis = [-1], keepdims = true}
         %eps = constant float32() [0.5]
         %ve = add(%v, %eps)
         %sd = sqrt(%ve)
         %n = divide(%d, %sd)
         %ng = multiply(%n, %g)
         %y = add(%ng, %b)
         return %y
       })"},
      {.name = "instance_norm: all axes but the batch and the channels",
       .before = R"(graph(%x: float32(2, 3, 4, 5), %g: float32(3), %b: float32(3)) {
         %y = nn.instance_norm(%x, %g, %b) {epsilon = 0.5, center = false}
         return %y
       })",
       .after = R"(graph(%x: float32(2, 3, 4, 5), %g: float32(3), %b: float32(3)) {
         %m = mean(%x) {axis = [2, 3], keepdims = true}
         %d = subtract(%x, %m)
         %v = variance(%x, %m) {axis = [2, 3], keepdims = true}
         %eps = constant float32() [0.5]
         %ve = add(%v, %eps)
         %sd = sqrt(%ve)
         %n = divide(%d, %sd)
         %G = expand_dims(%g) {axis = 1, num_newaxis = 2}
         %y = multiply(%n, %G)
         return %y
       })"},
      {.name = "group_norm: the channels in groups",
       .before = R"(graph(%x: float32(2, 6, 4, 5), %g: float32(6), %b: float32(6)) {
         %y = nn.group_norm(%x, %g, %b) {num_groups = 3, epsilon = 0.5, scale = false}
         return %y
       })",
       .after = R"(graph(%x: float32(2, 6, 4, 5), %g: float32(6), %b: float32(6)) {
         %r = reshape(%x) {newshape = [2, 3, 2, 4, 5]}
         %m = mean(%r) {axis = [2, 3, 4], keepdims = true}
         %d = subtract(%r, %m)
         %v = variance(%r, %m) {axis = [2, 3, 4], keepdims = true}
         %eps = constant float32() [0.5]
         %ve = add(%v, %eps)
         %sd = sqrt(%ve)
         %n = divide(%d, %sd)
         %f = reshape(%n) {newshape = [2, 6, 4, 5]}
         %B = expand_dims(%b) {axis = 1, num_newaxis = 2}
         %y = add(%f, %B)
         return %y
       })"},
      {.name = "l2_normalize",
       .before = R"(graph(%x: float32(2, 6)) {
         %y = nn.l2_normalize(%x) {eps = 0.5, axis = [1]}
         return %y
       })",
       .after = R"(graph(%x: float32(2, 6)) {
         %q = multiply(%x, %x)
         %s = sum(%q) {axis = [1], keepdims = true}
         %eps = constant float32() [0.5]
         %m = maximum(%s, %eps)
         %l = sqrt(%m)
         %y = divide(%x, %l)
         return %y
       })"},
      {.name = "epsilon passes through float32 on its way to float64",
       .before = R"(graph(%x: float64(2, 6), %g: float64(6), %b: float64(6)) {
         %y = nn.layer_norm(%x, %g, %b) {epsilon = 0.1, center = false, scale = false}
         return %y
       })",
       .after = R"(graph(%x: float64(2, 6), %g: float64(6), %b: float64(6)) {
         %m = mean(%x) {axis = [-1], keepdims = true}
         %d = subtract(%x, %m)
         %v = variance(%x, %m) {axis = [-1], keepdims = true}
         %eps = constant float64() [0.10000000149011612]
         %ve = add(%v, %eps)
         %sd = sqrt(%ve)
         %y = divide(%d, %sd)
         return %y
       })"},
      {.name = "data of unknown type stays",
       .before = R"(graph(%x: float32(1, 2), %g: float32(2), %b: float32(2)) {
         %o = opaque "vision.mystery"(%x)
         %y = nn.layer_norm(%o, %g, %b)
         return %y
       })",
       .after = ""},
      {.name = "nobody looked at the axis of a call with an operand of unknown type",
       .before = R"(graph(%x: float32(1, 2), %b: float32(2)) {
         %o = opaque "vision.mystery"(%b)
         %y = nn.layer_norm(%x, %o, %b) {axis = 2}
         %n = nn.batch_norm(%y, %b, %o, %b, %b) {axis = -3}
         %z = field 0 of(%n)
         return %z
       })",
       .after = ""},
      {.name = "nothing to do",
       .before = R"(graph(%x: float32(1, 2)) {
         %t = tuple(%x, %x)
         %y = field 0 of(%t)
         return %y
       })",
       .after = ""},
  };
  check_cases(simplify_inference, cases);
}

}  // namespace
}  // namespace tvmq::passes
