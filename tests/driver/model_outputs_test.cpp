// Compiled programs against TVM v0.19: the golden networks, float and quantized, and the trained
// models over real images. Integer results must equal the reference kernels'.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "data/npy.h"
#include "data/npz.h"
#include "data/preprocess.h"
#include "data/zip.h"
#include "exec/program.h"
#include "exec/reference_executor.h"
#include "ir/infer_types.h"
#include "relay/module_reader.h"
#include "relay/params.h"

namespace tvmq {
namespace {

namespace fs = std::filesystem;
using ir::Graph;
using ir::Tensor;

fs::path shared_folder() { return TVMQ_SHARED_DIR; }
fs::path nets_folder() { return shared_folder() / "golden" / "nets"; }

std::vector<Tensor> run(const Graph& graph, const std::vector<Tensor>& inputs) {
  exec::Session session(std::make_shared<const exec::Program>(graph));
  return session.run(inputs);
}

/// The largest difference relative to the largest expected magnitude; infinite if the tensors
/// cannot be compared.
double relative_error(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape()) return INFINITY;
  if (actual.dtype() != ir::DType::kFloat32) return actual.same_bytes(expected) ? 0 : INFINITY;
  double worst = 0;
  double scale = 1e-30;
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const double a = actual.data<float>()[i];
    const double e = expected.data<float>()[i];
    if (std::isnan(a) != std::isnan(e)) return INFINITY;
    if (std::isnan(e)) continue;
    worst = std::max(worst, std::abs(a - e));
    scale = std::max(scale, std::abs(e));
  }
  return worst / scale;
}

/// How many elements differ by more than float's last places.
double share_of_differences(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape()) return 1;
  const bool is_float = actual.dtype() == ir::DType::kFloat32;
  if (!is_float) return actual.same_bytes(expected) ? 0 : 1;
  double scale = 1e-30;
  for (const float e : expected.data<float>()) scale = std::max<double>(scale, std::abs(e));
  std::int64_t different = 0;
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const double a = actual.data<float>()[i];
    const double e = expected.data<float>()[i];
    if (std::abs(a - e) > 1e-5 * scale) ++different;
  }
  return static_cast<double>(different) /
         static_cast<double>(std::max<std::int64_t>(actual.size(), 1));
}

Graph typed_model(const fs::path& json, const fs::path& params) {
  Graph graph = relay::bind_params(relay::read_module(json).main(), relay::read_params(params));
  ir::infer_types(graph);
  return graph;
}

std::vector<std::string> net_names() {
  std::vector<std::string> names;
  if (fs::is_directory(nets_folder())) {
    for (const auto& entry : fs::directory_iterator(nets_folder())) {
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

class GoldenPrograms : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!fs::is_directory(nets_folder())) GTEST_SKIP() << "no golden networks beside this checkout";
  }
  [[nodiscard]] fs::path folder() const { return nets_folder() / GetParam(); }
};

TEST_P(GoldenPrograms, FloatNetworkEqualsTvm) {
  const Graph graph = typed_model(folder() / "model.json", folder() / "model.params");
  const data::NpzArrays inputs = data::read_npz(folder() / "inputs.npz");
  const data::NpzArrays expected = data::read_npz(folder() / "float_outputs.npz");
  int compared = 0;
  for (int test = 0; expected.contains(fmt::format("test{}.0", test)); ++test) {
    const std::vector<Tensor> outputs = run(graph, inputs_of(graph, inputs, test));
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const Tensor& wanted = expected.at(fmt::format("test{}.{}", test, k));
      EXPECT_LT(relative_error(outputs[k], wanted), 1e-4) << "test " << test << " output " << k;
      ++compared;
    }
  }
  EXPECT_GT(compared, 0);
}

/// Rounding a float that another order of summation moved by one unit can change one integer, which
/// the rest of the network carries on: a handful of such elements is no error, more is.
TEST_P(GoldenPrograms, QuantizedNetworksEqualTheReference) {
  const data::NpzArrays inputs = data::read_npz(folder() / "inputs.npz");
  for (const auto& entry : fs::directory_iterator(folder())) {
    const std::string variant = entry.path().stem().string();
    const fs::path module_path = folder() / (variant + ".json");
    if (entry.path().extension() != ".npz" || !fs::exists(module_path)) continue;
    const ir::Module module = relay::read_module(module_path);
    if (module.functions.size() > 1) continue;  // programs take one function
    SCOPED_TRACE(variant);
    Graph graph = module.main();
    ir::infer_types(graph);
    const std::vector<Tensor> test = inputs_of(graph, inputs, 0);
    const std::vector<Tensor> expected = exec::run_reference(graph, test);
    const std::vector<Tensor> actual = run(graph, test);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t k = 0; k < actual.size(); ++k) {
      EXPECT_LT(share_of_differences(actual[k], expected[k]), 0.005) << "output " << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Nets, GoldenPrograms, testing::ValuesIn(net_names()),
                         [](const auto& net) { return net.param; });

struct ModelCase {
  std::string name;
  std::string images;
  data::ImageOptions options;
};
void PrintTo(const ModelCase& model, std::ostream* out) { *out << model.name; }

class ModelOutputs : public testing::TestWithParam<ModelCase> {};

/// The strings of NumPy's "<U..." arrays, which hold 4 bytes per character. ASCII.
std::vector<std::string> read_names(const fs::path& npz) {
  const std::string archive = read_file(npz);
  std::vector<std::string> names;
  for (const data::ZipMember& member : data::read_zip_directory(archive, npz.string())) {
    if (member.name != "files.npy") continue;
    const std::string bytes = data::unpack(member, npz.string());
    const std::size_t letter = bytes.find("'<U");
    const std::size_t length = std::stoul(bytes.substr(letter + 3));
    for (std::size_t at = bytes.find('\n') + 1; at + 4 * length <= bytes.size(); at += 4 * length) {
      std::string name;
      for (std::size_t i = 0; i < length && bytes[at + 4 * i] != 0; ++i) name += bytes[at + 4 * i];
      names.push_back(name);
    }
  }
  return names;
}

Tensor read_output(const fs::path& npz) {
  const std::string archive = read_file(npz);
  for (const data::ZipMember& member : data::read_zip_directory(archive, npz.string())) {
    if (member.name == "output.npy") {
      return data::parse_npy(data::unpack(member, npz.string()), npz.string());
    }
  }
  return {};
}

TEST_P(ModelOutputs, EqualTvm) {
  const ModelCase& model = GetParam();
  const fs::path folder = shared_folder() / "models" / model.name;
  if (!fs::is_directory(folder)) GTEST_SKIP() << "no models beside this checkout";
  const Graph graph =
      typed_model(folder / (model.name + ".json"), folder / (model.name + ".params"));
  const auto program = std::make_shared<const exec::Program>(graph);
  for (const exec::Fallback& fallback : program->fallbacks()) {
    ADD_FAILURE() << ir::describe(graph, fallback.node) << ": " << fallback.reason;
  }
  exec::Session session(program);
  const ir::Node& input = graph[graph.inputs()[0]];
  const data::Preprocessor preprocessor(model.options, 1,
                                        {.name = input.name, .type = input.tensor_type()});
  const std::vector<std::string> names = read_names(folder / "float_outputs.npz");
  const Tensor expected = read_output(folder / "float_outputs.npz");
  ASSERT_FALSE(names.empty());
  const std::int64_t classes = expected.size() / static_cast<std::int64_t>(names.size());
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 4); ++i) {
    const fs::path path = shared_folder() / "images" / model.images / "validation" / names[i];
    data::Image image = data::decode_image(read_file(path), path.string()).image;
    image = data::resize(std::move(image), preprocessor.image_size());
    Tensor batch = preprocessor.make_batch();
    preprocessor.store(image, 0, batch);
    const std::vector<Tensor> inputs = {batch};
    const Tensor output = session.run(inputs)[0];
    Tensor wanted(ir::DType::kFloat32, output.shape());
    ASSERT_EQ(wanted.size(), classes);
    std::memcpy(wanted.mutable_bytes(),
                expected.bytes() + i * static_cast<std::size_t>(classes) * sizeof(float),
                static_cast<std::size_t>(classes) * sizeof(float));
    EXPECT_LT(relative_error(output, wanted), 1e-4) << names[i];
  }
}

data::ImageOptions image_net(std::int64_t size, double mean, double std) {
  return {.mean = {mean}, .std = {std}, .resolution = {{size, size}}};
}
data::ImageOptions cifar(std::int64_t size) {
  return {.mean = {123.675, 116.28, 103.53},
          .std = {58.395, 57.12, 57.375},
          .resolution = {{size, size}}};
}

// As in the config.xml of each model.
std::vector<ModelCase> models() {
  return {{"squeezenet1.1",
           "imagenet",
           {.mean = {104, 117, 123}, .resolution = {{227, 227}}, .channel_swap = {0, 1, 2}}},
          {"tinydarknet", "imagenet", image_net(224, 0, 255)},
          {"mobilenet_v1_0.25", "imagenet", image_net(224, 127.5, 127.5)},
          {"resnet20", "cifar10", cifar(32)},
          {"resnet56", "cifar10", cifar(32)},
          {"mobilenet_v2_cifar10", "cifar10", cifar(64)},
          {"efficientnet_b0_cifar10", "cifar10", cifar(32)}};
}

INSTANTIATE_TEST_SUITE_P(Models, ModelOutputs, testing::ValuesIn(models()), [](const auto& model) {
  std::string name = model.param.name;
  std::ranges::replace(name, '.', '_');
  return name;
});

}  // namespace
}  // namespace tvmq
