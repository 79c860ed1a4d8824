#include "driver/check_preprocessing.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "driver/model_files.h"

namespace tvmq::driver {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const fs::path kExample = fs::path(TVMQ_TESTS_DIR) / "../examples/shapes";

std::vector<std::string> findings(const Config& config) {
  NullLog log;
  const RunOptions run{.config_file = {}, .threads = 2};
  const ir::Graph graph = load_model(config.model.model_json, config.model.weights_params);
  Samples samples(graph, config, run, log);
  return check_preprocessing(graph, samples, config, run, log);
}

Config example() {
  Config config;
  config.model = {.name = "shapes",
                  .model_json = kExample / "shapes.json",
                  .weights_params = kExample / "shapes.params"};
  config.dataset.path = kExample / "calibration";
  config.dataset.mean = {123.675, 116.28, 103.53};
  config.dataset.std = {58.395, 57.12, 57.375};
  config.dataset.image_resolution = {64, 64};
  config.quantization.calib_samples = 8;
  return config;
}

TEST(CheckPreprocessing, HasNothingToSayWhereAllIsWell) {
  Config config = example();
  EXPECT_THAT(findings(config), IsEmpty());
  config.dataset.labels = kExample / "validation.txt";
  EXPECT_THAT(findings(config), IsEmpty());
}

struct Broken {
  std::string name;
  std::function<void(DatasetConfig&)> change;
  std::string found;
  std::string remedy;
};
void PrintTo(const Broken& each, std::ostream* out) { *out << each.name; }

class BrokenPreprocessing : public testing::TestWithParam<Broken> {};

TEST_P(BrokenPreprocessing, IsSaidWithWhatToChange) {
  Config config = example();
  GetParam().change(config.dataset);
  const std::vector<std::string> found = findings(config);
  EXPECT_THAT(found, Contains(HasSubstr(GetParam().found)));
  EXPECT_THAT(found, Contains(HasSubstr(GetParam().remedy)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenPreprocessing,
    testing::Values(Broken{"twice", [](DatasetConfig& d) { d.normalization = true; }, "hardly vary",
                           "set it to False"},
                    Broken{"wide_std", [](DatasetConfig& d) { d.std = {5000}; }, "hardly vary",
                           "Std is too large"},
                    Broken{"small_std",
                           [](DatasetConfig& d) {
                             d.mean = {0.485, 0.456, 0.406};
                             d.std = {0.229, 0.224, 0.225};
                           },
                           "no trained network expects", "set Normalization to True"},
                    Broken{"raw",
                           [](DatasetConfig& d) {
                             d.mean = {0};
                             d.std = {1};
                           },
                           "raw pixels", "give Mean and Std"}),
    [](const auto& test) { return test.param.name; });

TEST(CheckPreprocessing, LeavesArraysAndMissingImagesAlone) {
  Config config = example();
  config.dataset.normalization = true;
  config.dataset.image_resolution.reset();  // as for arrays
  EXPECT_THAT(findings(config), IsEmpty());
  config = example();
  config.dataset.normalization = true;
  config.quantization.calib_mode = CalibMode::kGlobalScale;
  EXPECT_THAT(findings(config), IsEmpty());
}

// ---- trained networks

struct Model {
  std::string name;
  std::string images;
  std::string labels;
};
void PrintTo(const Model& each, std::ostream* out) { *out << each.name; }

class TrainedNetworks : public testing::TestWithParam<Model> {
 protected:
  void SetUp() override {
    const fs::path folder = fs::path(TVMQ_SHARED_DIR) / "models" / GetParam().name;
    if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
    config_ = *read_configs(folder / "config.xml").at(0).config;
    const fs::path images = fs::path(TVMQ_SHARED_DIR) / "images" / GetParam().images;
    config_.model.model_json = folder / config_.model.model_json;
    config_.model.weights_params = folder / config_.model.weights_params;
    config_.dataset.path = images / "calibration";
    labels_ = images / GetParam().labels;
  }
  Config config_;
  fs::path labels_;
};

TEST_P(TrainedNetworks, AreNotSuspectedWithTheirOwnPreprocessing) {
  EXPECT_THAT(findings(config_), IsEmpty());
  config_.dataset.labels = labels_;
  EXPECT_THAT(findings(config_), IsEmpty());
}

TEST_P(TrainedNetworks, AreSuspectedWhenNormalisedTwice) {
  config_.dataset.normalization = true;
  EXPECT_THAT(findings(config_), Contains(HasSubstr("hardly vary")));
}

TEST_P(TrainedNetworks, AreSuspectedWithRawPixels) {
  config_.dataset.mean = {0};
  config_.dataset.std = {1};
  EXPECT_THAT(findings(config_), Contains(HasSubstr("raw pixels")));
}

TEST_P(TrainedNetworks, AreSuspectedWithoutStd) {
  if (GetParam().name == "squeezenet1.1") GTEST_SKIP() << "has none";
  config_.dataset.std = {1};
  config_.dataset.labels = labels_;
  EXPECT_THAT(findings(config_), Not(IsEmpty()));
}

TEST_P(TrainedNetworks, TellTheOrderOfTheirChannelsByLabels) {
  // Barely trained, it hardly knows colours.
  if (GetParam().name == "efficientnet_b0_cifar10") GTEST_SKIP() << "tells no orders apart";
  config_.dataset.labels = labels_;
  std::swap(config_.dataset.channel_swap[0], config_.dataset.channel_swap[2]);
  EXPECT_THAT(findings(config_), Contains(HasSubstr("set ChannelSwap to")));
}

INSTANTIATE_TEST_SUITE_P(
    Shared, TrainedNetworks,
    testing::Values(Model{"squeezenet1.1", "imagenet", "validation.txt"},
                    Model{"tinydarknet", "imagenet", "validation_tinydarknet.txt"},
                    Model{"mobilenet_v1_0.25", "imagenet", "validation.txt"},
                    Model{"resnet20", "cifar10", "validation.txt"},
                    Model{"resnet56", "cifar10", "validation.txt"},
                    Model{"mobilenet_v2_cifar10", "cifar10", "validation.txt"},
                    Model{"efficientnet_b0_cifar10", "cifar10", "validation.txt"}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::ranges::replace(name, '.', '_');
      return name;
    });

}  // namespace
}  // namespace tvmq::driver
