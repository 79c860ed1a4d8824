#include "pass_case.h"
#include "passes/passes.h"

namespace tvmq::passes {
namespace {

TEST(FoldConstant, Cases) {
  const PassCase cases[] = {
      {.name = "a chain of calls, rounded after each",
       .before = R"(graph(%x: float32(2)) {
         %a = constant float32(2) [1, 16777216]
         %b = constant float32() [1]
         %c = add(%a, %b)
         %d = add(%c, %b)
         %y = multiply(%x, %d)
         return %y
       })",
       .after = R"(graph(%x: float32(2)) {
         %d = constant float32(2) [3, 16777216]
         %y = multiply(%x, %d)
         return %y
       })"},
      {.name = "a quotient is divided, not multiplied by a reciprocal",
       .before = R"(graph(%x: float32()) {
         %a = constant float32() [5]
         %b = constant float32() [3]
         %c = divide(%a, %b)
         %y = multiply(%x, %c)
         return %y
       })",
       .after = R"(graph(%x: float32()) {
         %c = constant float32() [1.6666666]
         %y = multiply(%x, %c)
         return %y
       })"},
      {.name = "what is shared stays shared",
       .before = R"(graph(%x: float32()) {
         %a = constant float32() [4]
         %s = sqrt(%a)
         %p = add(%x, %s)
         %y = multiply(%p, %s)
         return %y
       })",
       .after = R"(graph(%x: float32()) {
         %s = constant float32() [2]
         %p = add(%x, %s)
         %y = multiply(%p, %s)
         return %y
       })"},
      {.name = "equal calls stay two nodes",
       .before = R"(graph(%x: float32()) {
         %a = constant float32() [4]
         %s = sqrt(%a)
         %t = sqrt(%a)
         %p = add(%x, %s)
         %y = multiply(%p, %t)
         return %y
       })",
       .after = R"(graph(%x: float32()) {
         %s = constant float32() [2]
         %t = constant float32() [2]
         %p = add(%x, %s)
         %y = multiply(%p, %t)
         return %y
       })"},
      {.name = "a field of a tuple",
       .before = R"(graph(%x: float32(), %y: float32()) {
         %t = tuple(%x, %y)
         %z = field 1 of(%t)
         return %z
       })",
       .after = R"(graph(%x: float32(), %y: float32()) {
         return %y
       })"},
      {.name = "calls that take and give tuples",
       .before = R"(graph(%x: float32(2)) {
         %a = constant float32(1) [1]
         %b = constant float32(3) [2, 3, 4]
         %t = tuple(%a, %b)
         %c = concatenate(%t)
         %s = split(%c) {indices_or_sections = 2}
         %h = field 1 of(%s)
         %y = add(%x, %h)
         return %y
       })",
       .after = R"(graph(%x: float32(2)) {
         %h = constant float32(2) [3, 4]
         %y = add(%x, %h)
         return %y
       })"},
      {.name = "annotations of constants are values like any other",
       .before = R"(graph(%x: float32()) {
         %a = constant float32() [4]
         %s = annotation.stop_fusion(%a)
         %h = annotation.cast_hint(%s) {dtype = int8}
         %y = add(%x, %h)
         return %y
       })",
       .after = R"(graph(%x: float32()) {
         %s = constant float32() [4]
         %y = add(%x, %s)
         return %y
       })"},
      {.name = "shapes are known without values",
       .before = R"(graph(%x: float32(2, 3)) {
         %s = opaque "shape_of"(%x) with "ShapeOfAttrs" {"dtype" = dtype int32}
         %n = opaque "ndarray_size"(%x) with "NdarraySizeAttrs" {"dtype" = dtype int64}
         %t = tuple(%s, %n)
         return %t
       })",
       .after = R"(graph(%x: float32(2, 3)) {
         %s = constant int32(2) [2, 3]
         %n = constant int64() [6]
         %t = tuple(%s, %n)
         return %t
       })"},
      {.name = "calls without arguments stay",
       .before = R"(graph(%x: float32(2)) {
         %z = zeros() {shape = [2], dtype = float32}
         %y = add(%x, %z)
         return %y
       })",
       .after = ""},
      {.name = "qnn stays",
       .before = R"(graph() {
         %a = constant float32(2) [1, 2]
         %s = constant float32() [0.5]
         %z = constant int32() [0]
         %q = qnn.quantize(%a, %s, %z) {out_dtype = int8}
         return %q
       })",
       .after = ""},
      {.name = "a value that does not exist stays a call",
       .before = R"(graph(%x: int32()) {
         %a = constant int32() [1]
         %z = constant int32() [0]
         %q = divide(%a, %z)
         %y = add(%x, %q)
         return %y
       })",
       .after = ""},
      {.name = "results out of all proportion stay calls",
       .before = R"(graph(%x: float32()) {
         %a = constant float32(1) [1]
         %t = tile(%a) {reps = [1000000000000]}
         %m = max(%t) {axis = [0]}
         %y = add(%x, %m)
         return %y
       })",
       .after = ""},
      {.name = "an unknown operator stays",
       .before = R"(graph(%x: float32()) {
         %a = constant float32() [1]
         %o = opaque "vision.mystery"(%a)
         %t = tuple(%x, %o)
         return %t
       })",
       .after = ""},
  };
  check_cases(fold_constant, cases);
}

TEST(FoldConstant, KeepsTheNameOfTheFirstConstant) {
  const ir::Graph graph = fold_constant(typed(R"(graph(%x: float32()) {
    %a = constant float32() [4] "layer.weight"
    %s = sqrt(%a)
    %y = multiply(%x, %s)
    return %y
  })"));
  EXPECT_EQ(graph[graph[graph.output()].inputs[1]].name, "layer.weight");
}

}  // namespace
}  // namespace tvmq::passes
