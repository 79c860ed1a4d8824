#include "passes/pipeline.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "pass_case.h"

namespace tvmq::passes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LineLog final : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    EXPECT_EQ(level, LogLevel::kDebug);
    lines.emplace_back(line);
  }
  void progress(std::string_view /*title*/, std::int64_t /*done*/,
                std::int64_t /*total*/) override {}

  std::vector<std::string> lines;
};

constexpr std::string_view kConvBnRelu = R"(graph(%x: float32(1, 2, 4, 4)) {
  %w = constant float32(2, 2, 1, 1) [1, 2, 3, 4] "conv.weight"
  %b = constant float32(2) [5, 6] "conv.bias"
  %g = constant float32(2) [2, 4]
  %h = constant float32(2) [0.5, 0.25]
  %m = constant float32(2) [1, -1]
  %v = constant float32(2) [3.75, 15.75]
  %c = nn.conv2d(%x, %w) "conv"
  %d = nn.bias_add(%c, %b)
  %n = nn.batch_norm(%d, %g, %h, %m, %v) {epsilon = 0.25} "bn"
  %f = field 0 of(%n)
  %y = nn.relu(%f)
  return %y
})";

/// What TVM makes of it without asking: the scale and the bias stay.
TEST(Prepare, Level2) {
  const ir::Graph expected = typed(R"(graph(%x: float32(1, 2, 4, 4)) {
    %w = constant float32(2, 2, 1, 1) [1, 2, 3, 4]
    %b = constant float32(2) [5, 6]
    %s = constant float32(2, 1, 1) [1, 1]
    %t = constant float32(2, 1, 1) [-0.5, 1.25]
    %c = nn.conv2d(%x, %w)
    %d = nn.bias_add(%c, %b)
    %m = multiply(%d, %s)
    %f = add(%m, %t)
    %y = nn.relu(%f)
    return %y
  })");
  NullLog log;
  const ir::Graph graph = prepare(typed(kConvBnRelu), TvmOptLevel::k2, log);
  EXPECT_EQ(ir::first_difference(expected, graph), std::nullopt) << ir::to_text(graph);
}

TEST(Prepare, Level3) {
  const ir::Graph expected = typed(R"(graph(%x: float32(1, 2, 4, 4)) {
    %w = constant float32(2, 2, 1, 1) [1, 2, 3, 4]
    %b = constant float32(2, 1, 1) [5, 6]
    %t = constant float32(2, 1, 1) [-0.5, 1.25]
    %c = nn.conv2d(%x, %w)
    %d = add(%c, %b)
    %f = add(%d, %t)
    %y = nn.relu(%f)
    return %y
  })");
  NullLog log;
  const ir::Graph graph = prepare(typed(kConvBnRelu), TvmOptLevel::k3, log);
  EXPECT_EQ(ir::first_difference(expected, graph), std::nullopt) << ir::to_text(graph);
}

TEST(Prepare, LayersAndWeightsKeepTheirNames) {
  NullLog log;
  const ir::Graph graph = prepare(typed(kConvBnRelu), TvmOptLevel::k3, log);
  std::vector<std::string> names;
  for (const ir::Node& node : graph.nodes()) {
    if (node.is_call(ir::Op::kConv2D)) {
      EXPECT_EQ(node.name, "conv");
      EXPECT_EQ(graph[node.inputs[1]].name, "conv.weight");
    }
  }
}

TEST(Prepare, TypesTheGraphItself) {
  NullLog log;
  const ir::Graph untyped = ir::parse_graph(kConvBnRelu);
  EXPECT_EQ(ir::first_violation(prepare(untyped, TvmOptLevel::k2, log)), std::nullopt);
}

TEST(Prepare, IsIdempotent) {
  NullLog log;
  for (const TvmOptLevel level : {TvmOptLevel::k2, TvmOptLevel::k3}) {
    const ir::Graph once = prepare(typed(kConvBnRelu), level, log);
    EXPECT_EQ(ir::first_difference(once, prepare(once, level, log)), std::nullopt);
  }
}

TEST(Prepare, SaysWhatEachPassDid) {
  LineLog log;
  (void)prepare(typed(kConvBnRelu), TvmOptLevel::k3, log);
  const auto line = [](std::string_view name, std::string_view what) {
    return ::testing::AllOf(HasSubstr(std::string(name)), HasSubstr(std::string(what)));
  };
  EXPECT_THAT(
      log.lines,
      ElementsAre(line("SimplifyInference", " changed"), line("FoldConstant", " changed"),
                  line("BackwardFoldScaleAxis", " changed"),
                  line("ForwardFoldScaleAxis", "(unchanged)"), line("FoldConstant", " changed"),
                  line("CanonicalizeOps", " changed"), line("FoldConstant", " changed")));
}

TEST(Prepare, RefusesAnIllTypedGraph) {
  NullLog log;
  const ir::Graph graph = ir::parse_graph(R"(graph(%x: float32(1, 2), %w: float32(3, 4)) {
    %y = nn.dense(%x, %w)
    return %y
  })");
  EXPECT_THROW((void)prepare(graph, TvmOptLevel::k2, log), InputError);
}

TEST(PassTable, NamesAreUnique) {
  for (const Pass& pass : pass_table()) {
    int same = 0;
    for (const Pass& other : pass_table()) same += other.name == pass.name ? 1 : 0;
    EXPECT_EQ(same, 1) << pass.name;
    EXPECT_FALSE(pass.summary.empty()) << pass.name;
  }
}

}  // namespace
}  // namespace tvmq::passes
