// The prepared network computes what the network computed, and is TVM's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "exec/reference_executor.h"
#include "ir/structural_equal.h"
#include "ir/text.h"
#include "passes/pipeline.h"
#include "random_network.h"
#include "relay/module_reader.h"
#include "relay/params.h"

namespace tvmq::passes {
namespace {

namespace fs = std::filesystem;

std::vector<ir::Tensor> random_inputs(const ir::Graph& graph, std::uint32_t seed) {
  RandomNetwork random(seed, Scales::kAny);
  std::vector<ir::Tensor> inputs;
  for (const ir::NodeId id : graph.inputs()) {
    inputs.push_back(random.tensor(graph[id].tensor_type().shape));
  }
  return inputs;
}

/// Folding moves roundings: outputs are compared relative to the largest one.
void expect_close(const std::vector<ir::Tensor>& expected, const std::vector<ir::Tensor>& actual) {
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(expected[i].shape(), actual[i].shape());
    const auto left = expected[i].data<float>();
    const auto right = actual[i].data<float>();
    float largest = 1e-6F;
    for (const float each : left) largest = std::max(largest, std::abs(each));
    for (std::size_t k = 0; k < left.size(); ++k) {
      ASSERT_NEAR(left[k], right[k], 2e-4F * largest) << "output " << i << " element " << k;
    }
  }
}

constexpr TvmOptLevel kLevels[] = {TvmOptLevel::k2, TvmOptLevel::k3};

void expect_same_function(const ir::Graph& graph, ScaleFolding folding) {
  NullLog log;
  const std::vector<ir::Tensor> inputs = random_inputs(graph, 7);
  const std::vector<ir::Tensor> expected = exec::run_reference(graph, inputs);
  for (const TvmOptLevel level : kLevels) {
    const ir::Graph prepared = prepare(graph, level, log, folding);
    expect_close(expected, exec::run_reference(prepared, inputs));
  }
  if (folding == ScaleFolding::kSafe) {
    expect_close(expected, exec::run_reference(prepare_for_integers(graph, log), inputs));
  }
}

TEST(PrepareNumbers, RandomNetworksWithPositiveScales) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const ir::Graph graph = RandomNetwork(seed, Scales::kPositive).build();
    expect_same_function(graph, ScaleFolding::kAsTvm);
    expect_same_function(graph, ScaleFolding::kSafe);
  }
}

/// Where TVM would divide by zero, or push a negative scale through a relu.
TEST(PrepareNumbers, RandomNetworksWithAnyScales) {
  for (std::uint32_t seed = 1000; seed < 1300; ++seed) {
    SCOPED_TRACE(seed);
    expect_same_function(RandomNetwork(seed, Scales::kAny).build(), ScaleFolding::kSafe);
  }
}

TEST(PrepareNumbers, Level2IsIdempotent) {
  NullLog log;
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    const ir::Graph graph = RandomNetwork(seed, Scales::kAny).build();
    const ir::Graph once = prepare(graph, TvmOptLevel::k2, log);
    const ir::Graph twice = prepare(once, TvmOptLevel::k2, log);
    EXPECT_EQ(ir::first_difference(once, twice), std::nullopt) << seed;
  }
}

/// Each file holds a network and what TVM v0.19's prerequisite_optimize made of it at levels 2 and
/// 3, to the bit.
TEST(PrepareNumbers, FixturesAreWhatTvmMade) {
  constexpr std::string_view kSeparator = "=====\n";
  NullLog log;
  int compared = 0;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(TVMQ_TESTS_DIR) / "fixtures" / "passes")) {
    const std::string text = read_file(entry.path());
    const std::size_t level2 = text.find(kSeparator);
    const std::size_t level3 = text.find(kSeparator, level2 + 1);
    ASSERT_NE(level3, std::string::npos) << entry.path();
    const std::string_view view = text;
    const ir::Graph graph = ir::parse_graph(view.substr(0, level2));
    const std::string_view expected[] = {
        view.substr(level2 + kSeparator.size(), level3 - level2 - kSeparator.size()),
        view.substr(level3 + kSeparator.size())};
    for (std::size_t i = 0; i < 2; ++i) {
      const ir::Graph prepared = prepare(graph, kLevels[i], log);
      EXPECT_EQ(ir::first_difference(prepared, ir::parse_graph(expected[i])), std::nullopt)
          << entry.path() << " level " << i + 2 << '\n'
          << ir::to_text(prepared);
      ++compared;
    }
  }
  EXPECT_GE(compared, 40);
}

TEST(PrepareNumbers, GoldenNetworksComputeTheSame) {
  const fs::path folder = fs::path(TVMQ_SHARED_DIR) / "golden" / "nets";
  if (!fs::exists(folder)) GTEST_SKIP() << "no shared data beside the repository";
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename().string());
    ir::Graph graph = relay::bind_params(relay::read_module(entry.path() / "model.json").main(),
                                         relay::read_params(entry.path() / "model.params"));
    ir::infer_types(graph);
    expect_same_function(graph, ScaleFolding::kAsTvm);
    expect_same_function(graph, ScaleFolding::kSafe);
  }
}

TEST(PrepareNumbers, IntegersFindChannelsFirst) {
  const fs::path folder = fs::path(TVMQ_SHARED_DIR) / "golden" / "nets" / "nhwc";
  if (!fs::exists(folder)) GTEST_SKIP() << "no shared data beside the repository";
  NullLog log;
  const ir::Graph prepared =
      prepare_for_integers(relay::bind_params(relay::read_module(folder / "model.json").main(),
                                              relay::read_params(folder / "model.params")),
                           log);
  int convolutions = 0;
  int transposes = 0;
  for (const ir::Node& node : prepared.nodes()) {
    transposes += node.is_call(ir::Op::kTranspose) ? 1 : 0;
    if (!node.is_call(ir::Op::kConv2D)) continue;
    EXPECT_EQ(node.attrs_as<ir::Conv2DAttrs>().data_layout, "NCHW");
    EXPECT_TRUE(prepared[node.inputs[1]].is_constant());
    ++convolutions;
  }
  EXPECT_GT(convolutions, 1);
  EXPECT_EQ(transposes, 1) << "of the input\n" << ir::to_text(prepared);
}

}  // namespace
}  // namespace tvmq::passes
