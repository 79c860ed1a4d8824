#include "ir/cost.h"

#include <gtest/gtest.h>

#include "ir/infer_types.h"
#include "ir/text.h"

namespace tvmq::ir {
namespace {

std::int64_t cost_of(const std::string& body) {
  Graph graph =
      parse_graph("graph(%x: float32(2, 8, 6, 6), %m: float32(3, 10)) {\n" + body + "}\n");
  infer_types(graph);
  return multiply_accumulates(graph);
}

TEST(Cost, MultiplyAccumulatesOfLayers) {
  EXPECT_EQ(cost_of("  %1 = constant float32(16, 8, 3, 3) splat 0\n"
                    "  %2 = nn.conv2d(%x, %1) {padding = [1, 1, 1, 1], strides = [2, 2]}\n"
                    "  return %2\n"),
            2 * 16 * 3 * 3 * 8 * 9);
  EXPECT_EQ(cost_of("  %1 = constant float32(8, 1, 3, 3) splat 0\n"
                    "  %2 = nn.conv2d(%x, %1) {padding = [1, 1, 1, 1], groups = 8, channels = 8, "
                    "kernel_size = [3, 3]}\n"
                    "  return %2\n"),
            2 * 8 * 36 * 9)
      << "depthwise";
  EXPECT_EQ(cost_of("  %1 = constant float32(8, 4, 2, 2) splat 0\n"
                    "  %2 = nn.conv2d_transpose(%x, %1) {strides = [2, 2], channels = 4, "
                    "kernel_size = [2, 2]}\n"
                    "  return %2\n"),
            2 * 8 * 36 * 4 * 4);
  EXPECT_EQ(cost_of("  %1 = constant float32(5, 10) splat 0\n"
                    "  %2 = nn.dense(%m, %1)\n"
                    "  return %2\n"),
            3 * 10 * 5);
  EXPECT_EQ(cost_of("  %1 = nn.relu(%m)\n  return %1\n"), 0);
}

TEST(Cost, ConstantsCountOnceAndOnlyIfUsed) {
  Graph graph = parse_graph(
      "graph(%m: float32(3)) {\n"
      "  %1 = constant float32(3) splat 1\n"
      "  %2 = constant float32(7) splat 1\n"
      "  %3 = add(%m, %1)\n"
      "  %4 = multiply(%3, %1)\n"
      "  return %4\n"
      "}\n");
  EXPECT_EQ(constant_elements(graph), 3);
}

}  // namespace
}  // namespace tvmq::ir
