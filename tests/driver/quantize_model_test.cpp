// The whole program on the example, and everything that can be wrong with what it is given.
#include "driver/quantize_model.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "exec/reference_executor.h"
#include "ir/infer_types.h"
#include "relay/module_reader.h"

namespace tvmq::driver {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using namespace std::string_view_literals;

const fs::path kExample = fs::path(TVMQ_TESTS_DIR) / "../examples/shapes";

class QuantizeModel : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              fmt::format("quantize_model_{}_{}", ::getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    config_.model = {.name = "shapes",
                     .model_json = kExample / "shapes.json",
                     .weights_params = kExample / "shapes.params"};
    config_.dataset.path = kExample / "calibration";
    config_.dataset.mean = {123.675, 116.28, 103.53};
    config_.dataset.std = {58.395, 57.12, 57.375};
    config_.dataset.image_resolution = {64, 64};
    config_.quantization.calib_samples = 8;
    config_.quantization.output_directory = folder_ / "out";
  }
  void TearDown() override { fs::remove_all(folder_); }

  QuantizeResult run(int threads = 1) {
    NullLog log;
    return quantize_model(config_, {.config_file = folder_ / "config.xml", .threads = threads},
                          log);
  }

  /// The message of the InputError that run() ends with; nothing may be written then.
  std::string error() {
    try {
      run();
    } catch (const InputError& caught) {
      const fs::path out = config_.quantization.output_directory;
      EXPECT_TRUE(!fs::is_directory(out) || fs::is_empty(out)) << "something was written";
      return caught.what();
    }
    ADD_FAILURE() << "no InputError";
    return {};
  }

  fs::path write(const std::string& name, std::string_view text) {
    fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  fs::path folder_;
  Config config_;
};

TEST_F(QuantizeModel, BothSchemesInEveryModeWriteAModuleThatReadsBack) {
  for (const Scheme scheme : {Scheme::kTvm, Scheme::kInteger}) {
    for (const CalibMode mode : {CalibMode::kKlDivergence, CalibMode::kGlobalScale,
                                 CalibMode::kPercentile, CalibMode::kMinmax, CalibMode::kMse}) {
      config_.quantization.scheme = scheme;
      config_.quantization.calib_mode = mode;
      const QuantizeResult result = run();
      ir::Module module = relay::read_module(result.written.json);
      ASSERT_EQ(module.functions.size(), 1U);
      ir::infer_types(module.functions[0].graph);
      int integer_convolutions = 0;
      for (const ir::Node& node : module.main().nodes()) {
        integer_convolutions +=
            node.is_call(ir::Op::kConv2D) && node.tensor_type().dtype == ir::DType::kInt32 ? 1 : 0;
      }
      const auto wide = std::ranges::count_if(
          result.report.layers, [](const report::Layer& layer) { return layer.wide; });
      const bool may_be_wide = scheme == Scheme::kInteger && mode != CalibMode::kGlobalScale;
      EXPECT_EQ(wide > 0, may_be_wide) << "of 8 images little is seen";
      EXPECT_EQ(integer_convolutions, scheme == Scheme::kTvm ? 14 : 15 + wide);
    }
  }
}

TEST_F(QuantizeModel, TheSameBytesForAnyNumberOfThreads) {
  for (const Scheme scheme : {Scheme::kTvm, Scheme::kInteger}) {
    config_.quantization.scheme = scheme;
    config_.quantization.calib_mode = CalibMode::kKlDivergence;
    const std::string one = read_file(run(1).written.json);
    EXPECT_EQ(one, read_file(run(3).written.json));
    EXPECT_EQ(one, read_file(run(7).written.json));
  }
}

TEST_F(QuantizeModel, TheCalibrationCacheReplacesTheImages) {
  config_.quantization.scheme = Scheme::kTvm;
  config_.quantization.calibration_cache = folder_ / "cache.json";
  const std::string with_images = read_file(run().written.json);
  config_.dataset.path = folder_ / "no such folder";
  EXPECT_EQ(read_file(run().written.json), with_images);
  config_.quantization.calib_mode = CalibMode::kMinmax;  // derived from the histograms
  EXPECT_NE(read_file(run().written.json), with_images);
}

TEST_F(QuantizeModel, ACacheChangesNoResult) {
  for (const Scheme scheme : {Scheme::kTvm, Scheme::kInteger}) {
    config_.quantization.scheme = scheme;
    config_.quantization.calibration_cache.reset();
    const std::string without = read_file(run().written.json);
    config_.quantization.calibration_cache =
        folder_ / (scheme == Scheme::kTvm ? "tvm.json" : "integer.json");
    EXPECT_EQ(read_file(run().written.json), without) << "made";
    EXPECT_EQ(read_file(run().written.json), without) << "read";
  }
}

TEST_F(QuantizeModel, ACacheServesTheOtherSchemeAndOtherBitsWithoutImages) {
  config_.quantization.calibration_cache = folder_ / "cache.json";
  run();
  config_.dataset.path.clear();
  for (const int bits : {8, 6}) {
    for (const Scheme scheme : {Scheme::kTvm, Scheme::kInteger}) {
      config_.quantization.scheme = scheme;
      config_.quantization.activation_bits = bits;
      EXPECT_EQ(run().report.verdict.status, report::Status::kUnchecked);
    }
  }
  fs::remove_all(config_.quantization.output_directory);
  config_.quantization.weight_rounding = WeightRounding::kGptq;
  EXPECT_THAT(error(), HasSubstr("WeightRounding gptq looks at images"));
}

TEST_F(QuantizeModel, TheReportHasTheTimeOfEveryLayerInBothNetworks) {
  const report::Report report = run().report;
  ASSERT_TRUE(report.latency.has_value());
  std::size_t layers = 0;
  for (const report::OperatorTime& each : report.latency->operators) {
    if (each.op != "nn.conv2d" && each.op != "nn.dense") continue;
    ++layers;
    EXPECT_GT(each.float_us, 0) << each.name;
    EXPECT_GT(each.integer_us, 0) << each.name;
  }
  EXPECT_EQ(layers, report.layers.size());
}

TEST_F(QuantizeModel, ACacheOfOtherPreprocessingIsRefused) {
  config_.quantization.scheme = Scheme::kTvm;
  config_.quantization.calibration_cache = folder_ / "cache.json";
  run();
  fs::remove_all(config_.quantization.output_directory);
  config_.dataset.mean = {0, 0, 0};
  EXPECT_THAT(error(), HasSubstr("cache.json"));
}

TEST_F(QuantizeModel, AnOldResultStaysWhenARunFails) {
  const fs::path json = run().written.json;
  const std::string before = read_file(json);
  config_.dataset.path = folder_ / "missing";
  NullLog log;
  EXPECT_THROW(quantize_model(config_, {}, log), InputError);
  EXPECT_EQ(read_file(json), before);
}

TEST_F(QuantizeModel, MissingFilesAreNamed) {
  config_.model.model_json = folder_ / "nothing.json";
  EXPECT_THAT(error(), HasSubstr("nothing.json"));
  config_.model.model_json = kExample / "shapes.json";
  config_.model.weights_params = folder_ / "nothing.params";
  EXPECT_THAT(error(), HasSubstr("nothing.params"));
}

TEST_F(QuantizeModel, BrokenParams) {
  const std::string good = read_file(kExample / "shapes.params");
  config_.model.weights_params = write("w.params", "not a params file at all");
  EXPECT_THAT(error(), HasSubstr("w.params"));
  write("w.params", good.substr(0, good.size() / 2));
  EXPECT_THAT(error(), HasSubstr("w.params"));
  write("w.params", "");
  EXPECT_THAT(error(), HasSubstr("w.params"));
}

TEST_F(QuantizeModel, WeightsOfAnotherModel) {
  const std::string good = read_file(kExample / "shapes.params");
  std::string renamed = good;
  for (std::size_t at = renamed.find("weight"); at < 4096; at = renamed.find("weight", at + 1)) {
    renamed.replace(at, 6, "wEIGHT");
  }
  config_.model.weights_params = write("other.params", renamed);
  EXPECT_THAT(error(), HasSubstr("weights of another model"));
  // An empty dictionary: every weight stays an input of the network.
  config_.model.weights_params = write(
      "empty.params", std::string("\xb7\x9c\x04\x05\x4f\x8d\xe5\xf7", 8) + std::string(24, '\0'));
  EXPECT_THAT(error(), HasSubstr("inputs"));
}

TEST_F(QuantizeModel, JsonThatIsNoModule) {
  constexpr std::string_view kReadsItself =
      R"({"root": 1, "b64ndarrays": [],
          "nodes": [{"type_key": ""}, {"type_key": "Array", "data": [1]}]})";
  for (const std::string_view text :
       {""sv, "{"sv, "[]"sv, R"({"root": 1})"sv, R"({"root": 1, "nodes": []})"sv,
        R"({"root": 7, "nodes": [{"type_key": ""}]})"sv, kReadsItself}) {
    config_.model.model_json = write("m.json", text);
    EXPECT_THAT(error(), HasSubstr("m.json")) << text;
  }
}

TEST_F(QuantizeModel, ADirectoryOrADeviceIsNoModel) {
  config_.model.model_json = folder_;
  EXPECT_THAT(error(), HasSubstr("directory"));
  config_.model.model_json = "/dev/zero";
  EXPECT_THAT(error(), HasSubstr("/dev/zero"));
}

TEST_F(QuantizeModel, ALayoutOrResolutionThatDoesNotFitTheModel) {
  config_.dataset.layout = "NHWC";
  EXPECT_THAT(error(), HasSubstr("Layout"));
  config_.dataset.layout = "NCHW";
  config_.dataset.image_resolution = {32, 64};
  EXPECT_THAT(error(), HasSubstr("ImageResolution"));
  config_.dataset.image_resolution = {64, 64};
  config_.dataset.batch_size = 2;
  EXPECT_THAT(error(), HasSubstr("BatchSize"));
}

TEST_F(QuantizeModel, AFolderWithoutImages) {
  config_.dataset.path = folder_ / "missing";
  EXPECT_THAT(error(), HasSubstr("missing"));
  fs::create_directories(folder_ / "empty");
  config_.dataset.path = folder_ / "empty";
  EXPECT_THAT(error(), HasSubstr("empty"));
  write("empty/notes.txt", "no image");
  EXPECT_THAT(error(), HasSubstr("empty"));
}

TEST_F(QuantizeModel, MoreSamplesThanThereAreUsesAll) {
  config_.quantization.calib_samples = 1'000'000;
  EXPECT_GT(run().written.json_bytes, 0U);
}

TEST_F(QuantizeModel, AnOutputDirectoryThatCannotBeMade) {
  config_.quantization.output_directory = write("file", "in the way");
  EXPECT_THAT(error(), HasSubstr("OutputDirectory"));
  config_.quantization.output_directory = "/proc/nowhere";
  EXPECT_THAT(error(), HasSubstr("/proc/nowhere"));
}

TEST_F(QuantizeModel, AWrongInputName) {
  config_.quantization.input_name = "image";
  EXPECT_THAT(error(), HasSubstr("'data'"));
}

TEST_F(QuantizeModel, PartitionedConversionsKnow16BitsBetweenTheEnds) {
  config_.quantization.partition_conversions = PartitionConversions::kEnabled;
  config_.quantization.dtype_input = ir::DType::kInt16;
  const report::Report report = run().report;
  ASSERT_EQ(report.layers.size(), 16U);
  EXPECT_FALSE(report.layers.front().wide);
  EXPECT_FALSE(report.layers.back().wide);
  EXPECT_EQ(std::ranges::count_if(report.layers, &report::Layer::wide), 14);
}

TEST_F(QuantizeModel, PartitionedConversionsComputeTheSame) {
  config_.quantization.wide_layers.emplace();  // those at the ends would differ
  const auto module = [&](PartitionConversions partition) {
    config_.quantization.partition_conversions = partition;
    return relay::read_module(run().written.json);
  };
  ir::Graph whole = module(PartitionConversions::kDisabled).main();
  const ir::Module parts = module(PartitionConversions::kEnabled);
  std::vector<std::string> names;
  for (const ir::Function& function : parts.functions) names.push_back(function.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("main", "quantize_inputs", "quantized_main",
                                                   "dequantize_outputs"));
  ir::infer_types(whole);
  std::vector<float> pixels(3 * 64 * 64);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<float>((i * 7919) % 509) / 127 - 2;
  }
  const std::vector<ir::Tensor> inputs{
      ir::Tensor::from<float>({1, 3, 64, 64}, std::span<const float>(pixels))};
  const auto expected = exec::run_reference(whole, inputs);
  const auto found = exec::run_reference(parts, inputs);
  ASSERT_EQ(expected.size(), 1U);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].data<float>(), testing::ElementsAreArray(expected[0].data<float>()));
}

TEST_F(QuantizeModel, OptionsThatMeanNothingToASchemeAreRefused) {
  config_.quantization.tvm_opt_level = 3;
  EXPECT_THAT(error(), HasSubstr("TvmOptLevel"));
  config_.quantization.tvm_opt_level.reset();
  config_.quantization.dtype_input = ir::DType::kInt32;
  EXPECT_THAT(error(), HasSubstr("DtypeInput int32"));
  config_.quantization.dtype_input = ir::DType::kInt16;
  config_.quantization.wide_layers.emplace();
  EXPECT_THAT(error(), HasSubstr("WideLayers: DtypeInput int16 gives 16 bits to every layer"));
  config_.quantization.wide_layers.reset();
  config_.quantization.activation_bits = 12;
  EXPECT_THAT(error(), HasSubstr("ActivationBits"));
  config_.quantization.activation_bits = 8;
  config_.quantization.dtype_input = ir::DType::kInt8;
  config_.quantization.dtype_weight = ir::DType::kInt16;
  EXPECT_THAT(error(), HasSubstr("DtypeWeight"));
  config_.quantization.dtype_weight = ir::DType::kInt8;
  config_.quantization.partition_conversions = PartitionConversions::kFullyIntegral;
  EXPECT_THAT(error(), HasSubstr("in float32"));
  config_.quantization.partition_conversions = PartitionConversions::kDisabled;
  config_.quantization.scheme = Scheme::kTvm;
  config_.quantization.equalization = true;
  EXPECT_THAT(error(), HasSubstr("Equalization"));
  config_.quantization.equalization.reset();
  config_.quantization.wide_layers.emplace();
  EXPECT_THAT(error(), HasSubstr("WideLayers"));
}

TEST_F(QuantizeModel, WideLayersAreThoseThatTheConfigurationNames) {
  const struct {
    ir::DType dtype;
    std::optional<std::vector<std::string>> wide;
    std::size_t expected;
  } rows[] = {
      {ir::DType::kInt8, std::vector<std::string>{}, 0},
      {ir::DType::kInt8, std::vector<std::string>{"aten::_convolution_3", "*_1"}, 2},
      {ir::DType::kInt16, {}, 16},
  };
  double last = 0;
  for (const auto& row : rows) {
    config_.quantization.dtype_input = row.dtype;
    config_.quantization.wide_layers = row.wide;
    const report::Report report = run().report;
    const auto wide = std::ranges::count_if(report.layers, &report::Layer::wide);
    EXPECT_EQ(wide, row.expected);
    EXPECT_GT(report.verification.value().outputs.at(0).sqnr_db, last) << row.expected;
    last = report.verification.value().outputs.at(0).sqnr_db;
  }
  config_.quantization.dtype_input = ir::DType::kInt8;
  config_.quantization.wide_layers.emplace({std::string("no such layer")});
  fs::remove_all(config_.quantization.output_directory);
  EXPECT_THAT(error(), HasSubstr("WideLayers: 'no such layer' matches none of the 16 layers"));
}

}  // namespace
}  // namespace tvmq::driver
