// Runs the networks that TVM v0.19 made and ran, and compares the outputs: the float networks, and
// every module that TVM's quantizer returned for them. This is what "the reference kernels compute
// what TVM computes" rests on.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "data/npz.h"
#include "exec/reference_executor.h"
#include "ir/infer_types.h"
#include "relay/module_reader.h"
#include "relay/params.h"

namespace tvmq {
namespace {

namespace fs = std::filesystem;
using ir::Graph;
using ir::Tensor;

const fs::path kNets = fs::path(TVMQ_SHARED_DIR) / "golden" / "nets";

std::vector<std::string> net_names() {
  std::vector<std::string> names;
  if (fs::is_directory(kNets)) {
    for (const auto& entry : fs::directory_iterator(kNets)) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::ranges::sort(names);
  if (names.empty()) names.emplace_back("absent");
  return names;
}

std::vector<Tensor> inputs_of(const Graph& graph, const data::NpzArrays& arrays, int test) {
  std::vector<Tensor> inputs;
  for (const ir::NodeId id : graph.inputs()) {
    const auto found = arrays.find(fmt::format("test{}.{}", test, graph[id].name));
    inputs.push_back(found == arrays.end() ? Tensor() : found->second);
  }
  return inputs;
}

/// How far two results are apart.
struct Difference {
  std::size_t elements = 0;  ///< that are not equal
  double relative = 0;       ///< the largest one, relative to the largest expected magnitude
  bool comparable = true;    ///< same dtype and shape
};

template <class T>
Difference compare_elements(const Tensor& got, const Tensor& expected) {
  Difference difference;
  double largest = 0;
  double off = 0;
  const auto a = got.data<T>();
  const auto b = expected.data<T>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]);
    const auto y = static_cast<double>(b[i]);
    largest = std::max(largest, std::abs(y));
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    ++difference.elements;
    off = std::isnan(x) || std::isnan(y) ? INFINITY : std::max(off, std::abs(x - y));
  }
  difference.relative = off == 0 ? 0 : off / largest;
  return difference;
}

Difference compare(const Tensor& got, const Tensor& expected) {
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape()) {
    return {.comparable = false};
  }
  switch (got.dtype()) {
    case ir::DType::kFloat32:
      return compare_elements<float>(got, expected);
    case ir::DType::kInt8:
      return compare_elements<std::int8_t>(got, expected);
    case ir::DType::kInt32:
      return compare_elements<std::int32_t>(got, expected);
    default:
      return {.comparable = false};
  }
}

/// The worst difference over all test inputs and outputs.
template <class Runnable>
Difference worst_difference(const Runnable& runnable, const Graph& main,
                            const data::NpzArrays& inputs, const data::NpzArrays& expected) {
  Difference worst;
  int compared = 0;
  for (int test = 0; expected.contains(fmt::format("test{}.0", test)); ++test) {
    const std::vector<Tensor> outputs =
        exec::run_reference(runnable, inputs_of(main, inputs, test));
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const auto found = expected.find(fmt::format("test{}.{}", test, k));
      if (found == expected.end()) return {.comparable = false};
      const Difference difference = compare(outputs[k], found->second);
      worst.elements += difference.elements;
      worst.relative = std::max(worst.relative, difference.relative);
      worst.comparable = worst.comparable && difference.comparable;
      ++compared;
    }
  }
  worst.comparable = worst.comparable && compared > 0;
  return worst;
}

class GoldenOutputs : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!fs::is_directory(kNets)) GTEST_SKIP() << "no golden networks beside this checkout";
  }
  [[nodiscard]] fs::path folder() const { return kNets / GetParam(); }
};

TEST_P(GoldenOutputs, FloatNetworkEqualsTvm) {
  Graph graph = relay::bind_params(relay::read_module(folder() / "model.json").main(),
                                   relay::read_params(folder() / "model.params"));
  ir::infer_types(graph);
  const Difference difference =
      worst_difference(graph, graph, data::read_npz(folder() / "inputs.npz"),
                       data::read_npz(folder() / "float_outputs.npz"));
  EXPECT_TRUE(difference.comparable);
  if (GetParam() == "attention") {  // a last bit of layer_norm and softmax differs
    EXPECT_LE(difference.relative, 1e-6);
  } else {
    EXPECT_EQ(difference.elements, 0U) << "relative difference " << difference.relative;
  }
}

TEST_P(GoldenOutputs, QuantizedNetworksEqualTvmBitForBit) {
  for (const auto& entry : fs::directory_iterator(folder())) {
    const std::string variant = entry.path().stem().string();
    const fs::path module_path = folder() / (variant + ".json");
    if (entry.path().extension() != ".npz" || !fs::exists(module_path)) continue;
    SCOPED_TRACE(variant);
    const ir::Module module = relay::read_module(module_path);
    const Difference difference =
        worst_difference(module, module.main(), data::read_npz(folder() / "inputs.npz"),
                         data::read_npz(entry.path()));
    EXPECT_TRUE(difference.comparable);
    EXPECT_EQ(difference.elements, 0U) << "relative difference " << difference.relative;
  }
}

INSTANTIATE_TEST_SUITE_P(Nets, GoldenOutputs, testing::ValuesIn(net_names()),
                         [](const auto& net) { return net.param; });

}  // namespace
}  // namespace tvmq
