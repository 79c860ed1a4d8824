// Layers get 16 bits, or go back to floating point, until a bound holds.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "driver/quantize_model.h"
#include "quant/accuracy_plan.h"

namespace tvmq::driver {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

const fs::path kExample = fs::path(TVMQ_TESTS_DIR) / "../examples/shapes";

class SilentLog final : public Log {
 public:
  void write(LogLevel /*level*/, std::string_view /*line*/) override {}
  void progress(std::string_view /*title*/, std::int64_t /*done*/,
                std::int64_t /*total*/) override {}
};

class AccuracyControl : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              fmt::format("control_{}_{}", ::getpid(),
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
    config_.quantization.wide_layers.emplace();  // the search chooses, and nothing else
    config_.quantization.output_directory = folder_ / "out";
  }
  void TearDown() override { fs::remove_all(folder_); }

  QuantizeResult run(int threads = 2) {
    SilentLog log;
    return quantize_model(config_, {.config_file = {}, .threads = threads}, log);
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
  [[nodiscard]] std::string model_text() const {
    return read_file(config_.quantization.output_directory / "shapes.json");
  }

  fs::path folder_;
  Config config_;
};

double sqnr(const QuantizeResult& result) {
  return result.report.verification.value().outputs.at(0).sqnr_db;
}

TEST_F(AccuracyControl, WhatHoldsAnywayStaysAsItIs) {
  const QuantizeResult plain = run();
  const std::string expected = model_text();
  config_.quantization.min_sqnr = sqnr(plain) - 1;
  const QuantizeResult controlled = run();
  EXPECT_EQ(model_text(), expected);
  EXPECT_THAT(controlled.report.accuracy_control.value().steps, SizeIs(0));
}

TEST_F(AccuracyControl, SearchesThenRepeatsFromThePlan) {
  const double before = sqnr(run());
  config_.quantization.min_sqnr = before + 3;
  config_.quantization.plan_file = folder_ / "shapes.plan.json";
  const QuantizeResult searched = run(1);
  const std::string expected = model_text();
  EXPECT_GE(sqnr(searched), before + 3);
  const auto& control = searched.report.accuracy_control.value();
  ASSERT_FALSE(control.steps.empty());
  std::size_t more_exact = 0;
  for (const report::Layer& layer : searched.report.layers) {
    if (layer.wide) ++more_exact;
    if (layer.integer) continue;
    ++more_exact;
    EXPECT_EQ(layer.reason, "accuracy control");
  }
  EXPECT_EQ(more_exact, control.steps.size());
  EXPECT_LT(more_exact, searched.report.layers.size());
  EXPECT_TRUE(std::ranges::any_of(
      control.steps, [](const report::ControlStep& step) { return step.kept == "16 bits"; }));

  const QuantizeResult repeated = run(3);
  EXPECT_EQ(model_text(), expected) << "the plan gives the same bytes with other threads";
  EXPECT_THAT(repeated.report.accuracy_control.value().steps, SizeIs(control.steps.size()));
}

TEST_F(AccuracyControl, WhatCannotBeReachedIsAnError) {
  config_.quantization.min_sqnr = 199;
  EXPECT_THAT(error(), HasSubstr("MinSqnr 199: it does not hold with any layer on integers"));
}

TEST_F(AccuracyControl, PlansOfAnotherModelAreRefused) {
  config_.quantization.min_sqnr = 10;
  config_.quantization.plan_file = folder_ / "other.plan.json";
  std::ofstream(*config_.quantization.plan_file) << quant::to_json({.file = {},
                                                                    .graph_hash = "00",
                                                                    .bound = "MinSqnr 10",
                                                                    .wide_layers = {},
                                                                    .float_layers = {}});
  EXPECT_THAT(error(), HasSubstr("a plan for another model (graph hash 00, expected "));
}

}  // namespace
}  // namespace tvmq::driver
