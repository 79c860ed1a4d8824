// What a run says about its own result.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "driver/quantize_model.h"
#include "driver/report_layers.h"
#include "driver/verdict.h"

namespace tvmq::driver {
namespace {

namespace fs = std::filesystem;
using report::Status;
using testing::HasSubstr;

const fs::path kExample = fs::path(TVMQ_TESTS_DIR) / "../examples/shapes";

class LinesLog final : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    lines.push_back((level == LogLevel::kWarning ? "warning: " : "") + std::string(line));
  }
  void progress(std::string_view /*title*/, std::int64_t /*done*/,
                std::int64_t /*total*/) override {}
  std::vector<std::string> lines;
};

class Verification : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              fmt::format("verification_{}_{}", ::getpid(),
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

  report::Report run(int threads = 2) {
    log_.lines.clear();
    return quantize_model(config_, {.config_file = {}, .threads = threads}, log_).report;
  }
  std::string error() {
    try {
      run();
    } catch (const InputError& caught) {
      EXPECT_FALSE(fs::exists(config_.quantization.output_directory)) << "something was written";
      return caught.what();
    }
    return "no InputError";
  }
  fs::path write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  /// The first line of what is said once the result is there.
  std::string verdict_line() const {
    for (const std::string& line : log_.lines) {
      if (line.find("shapes: good") != std::string::npos ||
          line.find("shapes: bad") != std::string::npos ||
          line.find("shapes: unchecked") != std::string::npos) {
        return line;
      }
    }
    return "none";
  }

  fs::path folder_;
  Config config_;
  LinesLog log_;
};

TEST_F(Verification, UsesImagesThatCalibrationDidNotSee) {
  for (const Scheme scheme : {Scheme::kInteger, Scheme::kTvm}) {
    config_.quantization.scheme = scheme;
    const report::Report report = run();
    ASSERT_TRUE(report.verification);
    EXPECT_EQ(report.verification->source, "held out");
    EXPECT_EQ(report.verification->images, 56) << "64 in the folder, 8 to calibrate";
    EXPECT_EQ(report.verdict.status, Status::kGood) << report.verdict.summary;
    EXPECT_GE(report.verification->top1_agreement, 0.9);
    EXPECT_GT(report.verification->outputs.at(0).sqnr_db, 20);
    EXPECT_FALSE(report.accuracy);
    EXPECT_EQ(report.calibration.samples, 8);
    EXPECT_THAT(verdict_line(), HasSubstr("shapes: good"));
    EXPECT_TRUE(fs::exists(folder_ / "out/shapes.report.json"));
    EXPECT_TRUE(fs::exists(folder_ / "out/shapes.report.html"));
  }
}

TEST_F(Verification, EveryLayerAndStoredValueIsMeasured) {
  for (const Scheme scheme : {Scheme::kInteger, Scheme::kTvm}) {
    config_.quantization.scheme = scheme;
    config_.quantization.skip_conv_layers = std::vector<std::int64_t>{0};
    const report::Report report = run();
    ASSERT_EQ(report.layers.size(), 16U) << "15 convolutions and a product";
    EXPECT_FALSE(report.layers[0].integer);
    EXPECT_THAT(report.layers[0].reason, testing::Not(testing::IsEmpty()));
    EXPECT_TRUE(std::isnan(report.layers[0].isolated_sqnr_db)) << "it is float";
    for (std::size_t i = 1; i < 15; ++i) {
      const report::Layer& layer = report.layers[i];
      EXPECT_TRUE(layer.integer) << layer.name;
      EXPECT_GT(layer.isolated_sqnr_db, 10) << layer.name;
      EXPECT_GT(layer.accumulated_sqnr_db, 10) << layer.name;
      EXPECT_LE(layer.isolated_sqnr_db,
                std::min(layer.weight_sqnr_db, layer.activation_sqnr_db) + 1.5)
          << layer.name;
      EXPECT_GT(layer.macs, 0);
      EXPECT_EQ(layer.bytes_float, 4 * layer.bytes_integer) << layer.name;
      ASSERT_TRUE(layer.weight_range) << layer.name;
      EXPECT_EQ(static_cast<std::int64_t>(layer.weight_range->low.size()), layer.output_shape[1]);
    }
    EXPECT_FALSE(report.activations.empty());
    for (const report::Activation& activation : report.activations) {
      EXPECT_GT(activation.scale, 0) << activation.name;
      EXPECT_LE(activation.low, activation.high) << activation.name;
      EXPECT_LT(activation.saturated, 0.1) << activation.name;
      ASSERT_TRUE(activation.histogram) << activation.name;
      EXPECT_LE(activation.histogram->low, activation.observed_low + 1e-6) << activation.name;
      EXPECT_GE(activation.histogram->high, activation.observed_high - 1e-6) << activation.name;
    }
    EXPECT_EQ(report.operations.float_macs,
              report.layers[0].macs + (report.layers[15].integer ? 0 : report.layers[15].macs));
    EXPECT_TRUE(report.latency);
    EXPECT_FALSE(report.graph.empty());
    for (std::size_t i = 0; i < report.graph.size(); ++i) {
      for (const std::size_t input : report.graph[i].inputs) EXPECT_LT(input, i);
    }
  }
}

TEST(CoarseHistogram, JoinsTheBinsThatHoldValues) {
  quant::CalibrationEntry entry{.name = "x", .absmax = 4, .min = 0, .max = 4};
  EXPECT_FALSE(coarse_histogram(entry));
  entry.histogram = quant::SparseCounts(8001);
  EXPECT_FALSE(coarse_histogram(entry)) << "of no values";
  entry.histogram.add(4000, 5);  // zero
  entry.histogram.add(8000, 7);
  const auto histogram = coarse_histogram(entry);
  ASSERT_TRUE(histogram);
  EXPECT_LE(histogram->counts.size(), report::kMostHistogramBins);
  EXPECT_EQ(histogram->counts.front(), 5U);
  EXPECT_EQ(histogram->counts.back(), 7U);
  EXPECT_NEAR(histogram->low, -4.0 / 8001, 1e-6) << "half a bin below zero";
  EXPECT_GE(histogram->high, 4);
  EXPECT_LT(histogram->high, 4.1);
}

TEST_F(Verification, SaysWhenThereAreNoOtherImages) {
  config_.quantization.calib_samples = 64;
  EXPECT_EQ(run().verification->source, "calibration");
  EXPECT_THAT(log_.lines, testing::Contains(HasSubstr("flatter")));
}

TEST_F(Verification, AccuracyOfLabelledImages) {
  config_.dataset.labels = kExample / "validation.txt";
  const report::Report report = run();
  EXPECT_EQ(report.verification->source, "labelled");
  ASSERT_TRUE(report.accuracy);
  EXPECT_EQ(report.accuracy->images, report.verification->images);
  EXPECT_GT(report.accuracy->of_float.top1.value, 0.9);
  const report::Share& difference = report.accuracy->difference;
  EXPECT_DOUBLE_EQ(difference.value,
                   report.accuracy->of_integer.top1.value - report.accuracy->of_float.top1.value);
  EXPECT_LE(difference.low, difference.value);
  EXPECT_GE(difference.high, difference.value);
  const double disagree = 1 - report.verification->top1_agreement;
  EXPECT_NEAR(static_cast<double>(report.accuracy->flipped.size()),
              disagree * static_cast<double>(report.accuracy->images), 1e-6);
  for (const auto& flip : report.accuracy->flipped) {
    EXPECT_TRUE(fs::exists(kExample / "validation" / flip.file)) << flip.file;
  }
}

TEST_F(Verification, LabelsThatCannotBeMeantAreRefusedBeforeTimeIsSpent) {
  config_.dataset.labels = folder_ / "nothing.txt";
  EXPECT_THAT(error(), HasSubstr("nothing.txt"));
  config_.dataset.labels = write("l.txt", "0000_circle.png\n");
  EXPECT_THAT(error(), HasSubstr("line 1"));
  config_.dataset.labels = write("l.txt", "no_such_image.png 1\n");
  EXPECT_THAT(error(), HasSubstr("no_such_image.png"));
  config_.dataset.labels = write("l.txt", "0000_circle.png 1000\n");
  EXPECT_THAT(error(), HasSubstr("found the class 1000"));
  config_.dataset.labels = write("l.txt", std::string(1 << 16, '\xff'));
  EXPECT_LT(error().size(), 1000U);
}

TEST_F(Verification, ABadResultIsWrittenAndCalledBadFirst) {
  config_.quantization.activation_bits = 2;
  config_.quantization.weight_bits = 2;
  config_.quantization.calib_mode = CalibMode::kMinmax;
  const report::Report report = run();
  EXPECT_EQ(report.verdict.status, Status::kBad) << report.verdict.summary;
  EXPECT_THAT(verdict_line(), HasSubstr("warning: shapes: bad: SQNR"));
  EXPECT_THAT(report.verdict.advice, testing::Contains(HasSubstr("CalibMode mse")));
  EXPECT_THAT(report.verdict.advice, testing::Contains(HasSubstr("WeightBits of 8")));
  EXPECT_TRUE(fs::exists(folder_ / "out/shapes.json"));
}

TEST_F(Verification, WithoutSamplesTheResultIsUnchecked) {
  config_.quantization.calib_mode = CalibMode::kGlobalScale;
  config_.dataset.path.clear();
  const report::Report report = run();
  EXPECT_EQ(report.verdict.status, Status::kUnchecked);
  EXPECT_FALSE(report.verification);
  EXPECT_THAT(verdict_line(), HasSubstr("warning: shapes: unchecked"));
}

TEST_F(Verification, TheReportIsTheSameForAnyNumberOfThreads) {
  const auto text = [&](int threads) {
    report::Report report = run(threads);
    report.calibration.seconds = 0;
    report.latency.reset();
    return report::to_json(report);
  };
  const std::string one = text(1);
  EXPECT_EQ(one, text(3));
  EXPECT_EQ(one, text(8));
}

TEST(Verdict, BoundsForClassifiersAndOthers) {
  const auto status = [](double sqnr, double agreement) {
    report::Report report;
    report.verification = report::Verification{
        .images = 64,
        .top1_agreement = agreement,
        .outputs = {{.name = "o", .sqnr_db = 40}, {.name = "p", .sqnr_db = sqnr}}};
    return judge(report, {}, {}).status;
  };
  const double none = report::kUnknown;
  EXPECT_EQ(status(9, 0.79), Status::kBad);
  EXPECT_EQ(status(9, 0.81), Status::kGood) << "classes still agree";
  EXPECT_EQ(status(11, 0.5), Status::kGood) << "logits are close together";
  EXPECT_EQ(status(9, none), Status::kBad) << "the worst output of no classifier";
  EXPECT_EQ(status(11, none), Status::kGood);
  EXPECT_EQ(status(none, 1), Status::kBad) << "not finite";
  EXPECT_EQ(status(std::numeric_limits<double>::infinity(), 1), Status::kGood) << "equal";
}

TEST(Verdict, NamesTheWorstLayersByTheirOwnErrorFirst) {
  report::Report report;
  report.layers = {{.name = "good", .integer = true, .isolated_sqnr_db = 40},
                   {.name = "float", .integer = false, .accumulated_sqnr_db = 1},
                   {.name = "worst", .integer = true, .accumulated_sqnr_db = 5},
                   {.name = "unknown", .integer = true},
                   {.name = "bad", .integer = true, .isolated_sqnr_db = 12}};
  const auto worst = worst_layers(report, 2);
  ASSERT_EQ(worst.size(), 2U);
  EXPECT_EQ(worst[0]->name, "worst");
  EXPECT_EQ(worst[1]->name, "bad");
}

}  // namespace
}  // namespace tvmq::driver
