#include "pass_case.h"
#include "passes/passes.h"

namespace tvmq::passes {
namespace {

TEST(CanonicalizeOps, Cases) {
  const PassCase cases[] = {
      {.name = "channels first",
       .before = R"(graph(%x: float32(1, 2, 4, 4), %b: float32(2)) {
         %y = nn.bias_add(%x, %b)
         %z = nn.relu(%y)
         return %z
       })",
       .after = R"(graph(%x: float32(1, 2, 4, 4), %b: float32(2)) {
         %B = expand_dims(%b) {axis = 1, num_newaxis = 2}
         %y = add(%x, %B)
         %z = nn.relu(%y)
         return %z
       })"},
      {.name = "channels last: the bias broadcasts as it is",
       .before = R"(graph(%x: float32(1, 4, 4, 2), %b: float32(2)) {
         %y = nn.bias_add(%x, %b) {axis = -1}
         return %y
       })",
       .after = R"(graph(%x: float32(1, 4, 4, 2), %b: float32(2)) {
         %y = add(%x, %b)
         return %y
       })"},
      {.name = "data of unknown type stays",
       .before = R"(graph(%x: float32(1, 2), %b: float32(2)) {
         %o = opaque "vision.mystery"(%x)
         %y = nn.bias_add(%o, %b)
         return %y
       })",
       .after = ""},
      {.name = "nobody looked at the axis of a call with a bias of unknown type",
       .before = R"(graph(%x: float32(1, 2), %b: float32(2)) {
         %o = opaque "vision.mystery"(%b)
         %y = nn.bias_add(%x, %o) {axis = 2}
         return %y
       })",
       .after = ""},
      {.name = "nothing to do",
       .before = R"(graph(%x: float32(1, 2), %b: float32(2)) {
         %y = add(%x, %b)
         return %y
       })",
       .after = ""},
  };
  check_cases(canonicalize_ops, cases);
}

}  // namespace
}  // namespace tvmq::passes
