#include "driver/memory_budget.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "driver/quantize_model.h"
#include "ir/infer_types.h"
#include "support/process_memory.h"
#include "support/sanitizer.h"

namespace tvmq::driver {
namespace {

namespace fs = std::filesystem;
using ir::Graph;
using ir::NodeId;
using ir::Op;
using testing::AllOf;
using testing::HasSubstr;

/// `layers` times what `append` adds to a value of three channels.
Graph repeated(int layers, const std::function<NodeId(Graph&, NodeId)>& append) {
  Graph graph;
  NodeId x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 3, 4, 4}});
  for (int i = 0; i < layers; ++i) x = append(graph, x);
  graph.set_output(x);
  ir::infer_types(graph);
  return graph;
}

NodeId tanh(Graph& graph, NodeId x) { return graph.add_call(Op::kTanh, {x}); }

/// Nearly the identity, so that a thousand of them neither explode nor die.
NodeId convolution(Graph& graph, NodeId x) {
  ir::Tensor weight(ir::DType::kFloat32, {3, 3, 1, 1});
  const auto values = weight.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float noise = static_cast<float>((graph.size() * 7919 + i * 104729) % 1000) / 1000 - 0.5F;
    values[i] = (i / 3 == i % 3 ? 1.0F : 0.0F) + 0.1F * noise;
  }
  return graph.add_call(Op::kConv2D, {x, graph.add_constant(weight)}, ir::Conv2DAttrs{});
}

/// The message of the InputError; "" if there is none.
std::string error_of(const Graph& graph, const OperatorBudget& budget, std::uint64_t file_bytes) {
  try {
    require_few_operators(graph, budget, file_bytes, "model.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(MemoryBudget, OperatorsFitInMemoryAndEightTimesTheFile) {
  const Graph graph = repeated(10, [](Graph& g, NodeId x) { return tanh(g, convolution(g, x)); });
  const auto error_with = [&](std::uint64_t most, std::uint64_t file_bytes) {
    return error_of(graph, {.layer = 5'000'000, .other = 1'000'000, .most = most}, file_bytes);
  };
  EXPECT_EQ(error_with(60'000'000, 0), "");
  EXPECT_EQ(error_with(52'000'000, 1'000'000), "");
  EXPECT_EQ(error_of(graph, {.layer = 0, .other = 1, .most = 9}, 1), "");
  EXPECT_NE(error_of(graph, {.layer = 0, .other = 1, .most = 9}, 0), "");
  EXPECT_THAT(
      error_with(51'999'999, 1'000'000),
      AllOf(HasSubstr("model.json: 20 operators, 10 of them convolutions"),
            HasSubstr("about 60 MB"), HasSubstr("at most 59 MB"), HasSubstr("1000000 bytes")));
}

struct Case {
  const char* name;
  std::function<NodeId(Graph&, NodeId)> append;
  int layers, others;  ///< operators of append()
};

const Case kCases[] = {
    {"convolution", convolution, 1, 0},
    {"with a residual",
     [](Graph& g, NodeId x) {
       return tanh(g, g.add_call(Op::kAdd, {convolution(g, x), x}));
     },
     1, 2},
    {"with a pooling",
     [](Graph& g, NodeId x) {
       ir::AvgPool2DAttrs attrs;
       attrs.pool_size = {3, 3};
       attrs.padding = {1, 1, 1, 1};
       return g.add_call(Op::kAvgPool2D, {convolution(g, x)}, attrs);
     },
     2, 0},
};

// What the estimate is made of is what such networks take.
TEST(MemoryBudget, LayersTakeNoMoreThanIsSaid) {
  if (kSanitizer) GTEST_SKIP() << "sanitizers have memory of their own";
  constexpr int kLayers = 100;
  const fs::path folder = fs::path(testing::TempDir()) / fmt::format("memory_{}", ::getpid());
  fs::create_directories(folder);
  for (const Case& each : kCases) {
    const WrittenModel files =
        write_model(ir::Module{{{"main", repeated(kLayers, each.append)}}}, folder, "m");
    Config config;
    config.model = {.name = "m", .model_json = files.json, .weights_params = files.params};
    config.dataset.path = fs::path(TVMQ_TESTS_DIR) / "../examples/shapes/calibration";
    config.dataset.std = {255, 255, 255};
    config.dataset.image_resolution = {4, 4};
    config.quantization.output_directory = folder / "out";
    for (const Scheme scheme : {Scheme::kInteger, Scheme::kTvm}) {
      config.quantization.scheme = scheme;
      NullLog log;
      const support::ProcessMemory memory;
      quantize_model(config, {.config_file = folder / "config.xml", .threads = 2}, log);
      constexpr std::uint64_t kProgram = 10'000'000;  // whatever the network
      EXPECT_LE(memory.most(), kProgram + kLayers * (each.layers * kQuantizedNetwork.layer +
                                                     each.others * kQuantizedNetwork.other))
          << each.name << ", scheme " << static_cast<int>(scheme);
    }
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tvmq::driver
