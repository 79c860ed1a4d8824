// Calibration from the model's file to the thresholds, against what TVM v0.19 found on the same
// batches. Its float kernels round otherwise than ours, so the numbers agree closely and not to the
// last bit (they do for equal statistics: threshold_test.cpp).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "data/npz.h"
#include "passes/pipeline.h"
#include "quant/calibrate.h"
#include "quant/tvm_scheme.h"
#include "relay/module_reader.h"
#include "relay/params.h"

namespace tvmq::quant {
namespace {

namespace fs = std::filesystem;

fs::path nets() { return fs::path(TVMQ_SHARED_DIR) / "golden/nets"; }

/// Everything that TVM's calibration of one variant needs and gave.
struct Golden {
  fs::path folder;
  std::string variant;  ///< "kl-max-l3"
};

std::vector<Golden> goldens() {
  constexpr std::string_view kSuffix = ".thresholds.json";
  std::vector<Golden> found;
  if (!fs::is_directory(nets())) return found;
  for (const auto& file : fs::recursive_directory_iterator(nets())) {
    const std::string name = file.path().filename().string();
    if (!name.ends_with(kSuffix)) continue;
    found.push_back({file.path().parent_path(), name.substr(0, name.size() - kSuffix.size())});
  }
  std::sort(found.begin(), found.end(), [](const Golden& a, const Golden& b) {
    return std::pair(a.folder, a.variant) < std::pair(b.folder, b.variant);
  });
  return found;
}

void PrintTo(const Golden& golden, std::ostream* out) {
  *out << golden.folder.filename().string() << "/" << golden.variant;
}

std::string test_name(const ::testing::TestParamInfo<Golden>& info) {
  std::string name = info.param.folder.filename().string() + "_" + info.param.variant;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class CalibrateGolden : public ::testing::TestWithParam<Golden> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CalibrateGolden);

AnnotatedGraph annotated_as(const Golden& golden, simdjson::dom::object config, Log& log) {
  const ir::Module module = relay::read_module(golden.folder / "model.json");
  const ir::Graph bound =
      relay::bind_params(module.main(), relay::read_params(golden.folder / "model.params"));
  const std::int64_t level = config["opt_level"];
  const ir::Graph prepared =
      passes::prepare(bound, level == 3 ? passes::TvmOptLevel::k3 : passes::TvmOptLevel::k2, log);
  TvmQuantizeOptions options;
  if (simdjson::dom::element skip; config["skip_conv_layers"].get(skip) == simdjson::SUCCESS) {
    options.skip_conv_layers.reset();
    if (simdjson::dom::array numbers; skip.get(numbers) == simdjson::SUCCESS) {
      std::vector<int> skipped;
      for (const std::int64_t number : numbers) skipped.push_back(static_cast<int>(number));
      options.skip_conv_layers = std::move(skipped);
    }
  }
  if (bool skip = false; config["skip_dense_layer"].get(skip) == simdjson::SUCCESS) {
    options.skip_dense_layer = skip;
  }
  return annotate(prepared, options);
}

BatchSource batches_of(const ir::Graph& graph, const data::NpzArrays& arrays) {
  std::int64_t batches = 0;
  const auto exists = [&](std::int64_t batch) {
    const std::string prefix = fmt::format("calib{}.", batch);
    const auto found = arrays.lower_bound(prefix);
    return found != arrays.end() && found->first.starts_with(prefix);
  };
  while (exists(batches)) ++batches;
  return {.batches = batches,
          .load =
              [&](std::int64_t batch) {
                std::vector<ir::Tensor> inputs;
                for (const ir::NodeId id : graph.inputs()) {
                  inputs.push_back(
                      arrays.find(fmt::format("calib{}.{}", batch, graph[id].name))->second);
                }
                return std::optional(inputs);
              },
          .describe = [](std::int64_t batch) { return fmt::format("batch {}", batch); }};
}

TEST_P(CalibrateGolden, FindsTvmsThresholds) {
  const Golden& golden = GetParam();
  NullLog log;
  simdjson::dom::parser config_parser;
  const simdjson::dom::object config =
      config_parser.load((golden.folder / (golden.variant + ".config.json")).string());
  const AnnotatedGraph annotated = annotated_as(golden, config, log);
  const data::NpzArrays arrays = data::read_npz(golden.folder / "inputs.npz");
  const CalibMode mode = parse_calib_mode(std::string_view(config["calibrate_mode"])).value();
  const CalibrationTable table =
      calibrate(annotated.graph, observed(annotated), batches_of(annotated.graph, arrays),
                {.mode = mode, .threads = 1}, log);

  simdjson::dom::parser parser;
  const simdjson::dom::array expected =
      parser.load((golden.folder / (golden.variant + ".thresholds.json")).string());
  ASSERT_EQ(table.entries.size(), expected.size());
  constexpr double kRounding = 1e-6;
  std::size_t different = 0;
  std::size_t i = 0;
  for (const auto each : expected) {
    const CalibrationEntry& entry = table.entries[i++];
    const double absmax = each["absmax"];
    const double threshold = each["threshold"];
    EXPECT_EQ(entry.count, std::int64_t(each["count"])) << entry.name;
    EXPECT_NEAR(entry.absmax, absmax, 1e-5 * absmax) << entry.name;
    const double difference = std::fabs(entry.threshold - threshold) / threshold;
    // Where two candidates are nearly equal, other roundings may prefer the other one.
    EXPECT_LE(difference, mode == CalibMode::kKlDivergence ? 0.02 : kRounding) << entry.name;
    different += static_cast<std::size_t>(difference > kRounding);
  }
  EXPECT_LE(different, 1U);
}

INSTANTIATE_TEST_SUITE_P(Nets, CalibrateGolden, ::testing::ValuesIn(goldens()), test_name);

}  // namespace
}  // namespace tvmq::quant
