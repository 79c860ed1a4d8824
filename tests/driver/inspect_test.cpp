// The facts that `inspect` shows, and the configuration that `template` writes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "driver/config_template.h"
#include "driver/inspect_model.h"
#include "driver/model_files.h"

namespace tvmq::driver {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kExample = fs::path(TVMQ_TESTS_DIR) / "../examples/shapes";
const fs::path kNets = fs::path(TVMQ_SHARED_DIR) / "golden" / "nets";

std::string filled(std::string text, const std::string& key, const std::string& value) {
  const std::string empty = fmt::format("<{0}></{0}>", key);
  const std::size_t at = text.find(empty);
  EXPECT_NE(at, std::string::npos) << key;
  return text.replace(at, empty.size(), fmt::format("<{0}>{1}</{0}>", key, value));
}

TEST(ConfigTemplate, HasEveryKeyOfTheReference) {
  const std::string text = config_template();
  for (const ConfigKey& key : config_reference()) {
    EXPECT_THAT(text, HasSubstr(fmt::format("<{}>", key.key)));
  }
}

TEST(ConfigTemplate, MeansTheDefaultsOnceTheRequiredKeysAreFilled) {
  std::string text = filled(config_template(), "Name", "net");
  text = filled(text, "ModelJson", "net.json");
  text = filled(text, "WeightsParams", "net.params");
  text = filled(text, "Path", "images");
  const auto parsed = parse_configs(text, "template");
  ASSERT_EQ(parsed.size(), 1U);
  ASSERT_TRUE(parsed[0].config) << parsed[0].error;
  Config expected;
  expected.model = {.name = "net", .model_json = "net.json", .weights_params = "net.params"};
  expected.dataset.path = "images";
  EXPECT_EQ(*parsed[0].config, expected);
}

TEST(ConfigTemplate, UnfilledItSaysWhatIsMissing) {
  const auto parsed = parse_configs(config_template(), "template");
  ASSERT_EQ(parsed.size(), 1U);
  EXPECT_FALSE(parsed[0].config);
  EXPECT_THAT(parsed[0].error, HasSubstr("ModelJson"));
}

TEST(InspectModel, CountsTheExample) {
  const ir::Graph graph = load_network(kExample / "shapes.json", kExample / "shapes.params");
  const Inspection found = inspect_model(graph);
  ASSERT_EQ(found.inputs.size(), 1U);
  EXPECT_EQ(found.inputs[0].type, "float32(1, 3, 64, 64)");
  EXPECT_EQ(found.operators.at("nn.conv2d").calls, 15);
  EXPECT_EQ(found.operators.at("nn.dense").multiply_accumulates, 128 * 10);
  EXPECT_EQ(found.layers.size(), 16U);
  // 3x3 over 3 channels into 16, at half of 64x64.
  EXPECT_EQ(found.layers[0].multiply_accumulates, 32 * 32 * 16 * 3 * 3 * 3);
  EXPECT_EQ(found.layers[0].weights, 16 * 3 * 3 * 3);
  EXPECT_EQ(found.layers[2].weights, 64 * 3 * 3) << "depthwise, behind a reshape";
  EXPECT_FALSE(found.layers[0].integer);
  std::int64_t sum = 0;
  for (const LayerCost& layer : found.layers) sum += layer.multiply_accumulates;
  EXPECT_EQ(found.multiply_accumulates, sum);
  EXPECT_FALSE(found.dtypes.contains("?"));
}

TEST(InspectModel, SaysWhatWouldBeQuantized) {
  NullLog log;
  const ir::Graph graph = load_network(kExample / "shapes.json", kExample / "shapes.params");
  QuantizationConfig quantization;
  quantization.skip_conv_layers = {0};
  quantization.skip_dense_layer = true;
  const auto preview = preview_quantization(graph, quantization, log);
  ASSERT_TRUE(preview);
  ASSERT_EQ(preview->size(), 16U);
  EXPECT_FALSE(preview->front().quantized);
  EXPECT_NE(preview->front().reason, "");
  EXPECT_TRUE((*preview)[1].quantized);
  EXPECT_FALSE(preview->back().quantized);
}

TEST(InspectModel, LooksIntoWhatTvmQuantized) {
  const fs::path net = kNets / "residual";
  if (!fs::exists(net)) GTEST_SKIP() << "no golden networks";
  NullLog log;
  int quantized = 0;
  for (const auto& entry : fs::directory_iterator(net)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".json") || name.ends_with(".config.json") || name == "model.json" ||
        name.ends_with(".thresholds.json")) {
      continue;
    }
    const ir::Graph graph = load_network(entry.path(), {});
    const Inspection found = inspect_model(graph);
    EXPECT_GT(found.multiply_accumulates, 0) << name;
    if (!preview_quantization(graph, {}, log)) ++quantized;
  }
  EXPECT_GT(quantized, 0);
}

TEST(InspectModel, FilesThatDoNotBelongTogether) {
  EXPECT_THROW(load_network(kExample / "shapes.json", kExample / "shapes.json"), InputError);
  EXPECT_THROW(load_network(kExample / "config.xml", {}), InputError);
  EXPECT_THROW(load_network("/nonexistent.json", {}), InputError);
}

}  // namespace
}  // namespace tvmq::driver
