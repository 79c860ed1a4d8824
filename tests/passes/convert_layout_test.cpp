#include "pass_case.h"
#include "passes/passes.h"

namespace tvmq::passes {
namespace {

TEST(ConvertLayout, Cases) {
  const PassCase cases[] = {
      {.name = "a convolution between transposes",
       .before = R"(graph(%x: float32(1, 6, 5, 3), %w: float32(3, 3, 3, 8)) {
         %y = nn.conv2d(%x, %w) {padding = [1, 0, 1, 0], channels = 8, kernel_size = [3, 3], data_layout = "NHWC", kernel_layout = "HWIO"}
         return %y
       })",
       .after = R"(graph(%x: float32(1, 6, 5, 3), %w: float32(3, 3, 3, 8)) {
         %a = transpose(%x) {axes = [0, 3, 1, 2]}
         %k = transpose(%w) {axes = [3, 2, 0, 1]}
         %y = nn.conv2d(%a, %k) {padding = [1, 0, 1, 0], channels = 8, kernel_size = [3, 3]}
         %z = transpose(%y) {axes = [0, 2, 3, 1]}
         return %z
       })"},
      {.name = "what follows works on channels first; biases broadcast to them",
       .before =
           R"(graph(%x: float32(1, 4, 4, 8), %w: float32(3, 3, 8, 1), %b: float32(8), %m: float32(4, 8)) {
         %y = nn.conv2d(%x, %w) {padding = [1, 1, 1, 1], groups = 8, channels = 8, kernel_size = [3, 3], data_layout = "NHWC", kernel_layout = "HWOI"}
         %c = add(%y, %b)
         %d = multiply(%c, %m)
         %r = nn.relu(%d)
         %q = constant float32() [0]
         %p = nn.pad(%r, %q) {pad_width = [[0, 0], [1, 2], [3, 4], [0, 0]]}
         %o = nn.max_pool2d(%p) {pool_size = [2, 2], layout = "NHWC"}
         %n = mean(%o) {axis = [1, 2]}
         return %n
       })",
       .after =
           R"(graph(%x: float32(1, 4, 4, 8), %w: float32(3, 3, 8, 1), %b: float32(8), %m: float32(4, 8)) {
         %a = transpose(%x) {axes = [0, 3, 1, 2]}
         %k = transpose(%w) {axes = [2, 3, 0, 1]}
         %y = nn.conv2d(%a, %k) {padding = [1, 1, 1, 1], groups = 8, channels = 8, kernel_size = [3, 3]}
         %b3 = expand_dims(%b) {axis = 1, num_newaxis = 2}
         %c = add(%y, %b3)
         %m4 = reshape(%m) {newshape = [1, 1, 4, 8]}
         %mt = transpose(%m4) {axes = [0, 3, 1, 2]}
         %d = multiply(%c, %mt)
         %r = nn.relu(%d)
         %q = constant float32() [0]
         %p = nn.pad(%r, %q) {pad_width = [[0, 0], [0, 0], [1, 2], [3, 4]]}
         %o = nn.max_pool2d(%p) {pool_size = [2, 2]}
         %n = mean(%o) {axis = [2, 3]}
         return %n
       })"},
      {.name = "branches meet in a concatenation; a pixel is flattened without a transpose",
       .before = R"(graph(%x: float32(1, 1, 1, 4), %w: float32(1, 1, 4, 2)) {
         %y = nn.conv2d(%x, %w) {channels = 2, kernel_size = [1, 1], data_layout = "NHWC", kernel_layout = "HWIO"}
         %t = tuple(%y, %x)
         %c = concatenate(%t) {axis = -1}
         %f = nn.batch_flatten(%c)
         return %f
       })",
       .after = R"(graph(%x: float32(1, 1, 1, 4), %w: float32(1, 1, 4, 2)) {
         %a = reshape(%x) {newshape = [1, 4, 1, 1]}
         %k = transpose(%w) {axes = [3, 2, 0, 1]}
         %y = nn.conv2d(%a, %k) {channels = 2, kernel_size = [1, 1]}
         %t = tuple(%y, %a)
         %c = concatenate(%t) {axis = 1}
         %l = reshape(%c) {newshape = [1, 1, 1, 6]}
         %f = nn.batch_flatten(%l)
         return %f
       })"},
      {.name = "a transpose that the model brings along vanishes",
       .before = R"(graph(%x: float32(1, 3, 4, 5), %w: float32(1, 1, 3, 2)) {
         %a = transpose(%x) {axes = [0, 2, 3, 1]}
         %y = nn.conv2d(%a, %w) {channels = 2, kernel_size = [1, 1], data_layout = "NHWC", kernel_layout = "HWIO"}
         %z = transpose(%y) {axes = [0, 3, 1, 2]}
         return %z
       })",
       .after = R"(graph(%x: float32(1, 3, 4, 5), %w: float32(1, 1, 3, 2)) {
         %k = transpose(%w) {axes = [3, 2, 0, 1]}
         %y = nn.conv2d(%x, %k) {channels = 2, kernel_size = [1, 1]}
         return %y
       })"},
      {.name = "a step without a form for channels first gets what it had",
       .before = R"(graph(%x: float32(1, 4, 4, 3), %w: float32(1, 1, 3, 2)) {
         %y = nn.conv2d(%x, %w) {channels = 2, kernel_size = [1, 1], data_layout = "NHWC", kernel_layout = "HWIO"}
         %s = nn.softmax(%y) {axis = -1}
         return %s
       })",
       .after = R"(graph(%x: float32(1, 4, 4, 3), %w: float32(1, 1, 3, 2)) {
         %a = transpose(%x) {axes = [0, 3, 1, 2]}
         %k = transpose(%w) {axes = [3, 2, 0, 1]}
         %y = nn.conv2d(%a, %k) {channels = 2, kernel_size = [1, 1]}
         %l = transpose(%y) {axes = [0, 2, 3, 1]}
         %s = nn.softmax(%l) {axis = -1}
         return %s
       })"},
      {.name = "several filters per channel stay",
       .before = R"(graph(%x: float32(1, 4, 4, 3), %w: float32(1, 1, 3, 2)) {
         %y = nn.conv2d(%x, %w) {groups = 3, channels = 6, kernel_size = [1, 1], data_layout = "NHWC", kernel_layout = "HWOI"}
         return %y
       })"},
      {.name = "channels first already",
       .before = R"(graph(%x: float32(1, 3, 4, 4), %w: float32(2, 3, 1, 1)) {
         %y = nn.conv2d(%x, %w) {channels = 2, kernel_size = [1, 1]}
         %z = nn.relu(%y)
         return %z
       })"},
  };
  check_cases(convert_layout, cases);
}

}  // namespace
}  // namespace tvmq::passes
