// The tvm scheme against what tvm.relay.quantize v0.19 itself returned: 34 networks, up to 15
// variants of options each. Every variant is a test of its own.
//
// TVMQ_SHARED_DIR/golden/nets holds all of them, tests/fixtures/golden a small selection that is
// always there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "ir/structural_equal.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "quant/tvm_scheme.h"
#include "relay/module_reader.h"
#include "relay/params.h"

namespace tvmq {
namespace {

using quant::TvmQuantizeOptions;
using ::testing::Contains;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// One V.config.json.
struct Variant {
  fs::path folder;   ///< of the network
  std::string name;  ///< "gs8-max-l3"
  std::string source;
};

void PrintTo(const Variant& variant, std::ostream* out) {
  *out << variant.folder.filename().string() << "/" << variant.name;
}

std::vector<Variant> find_variants(const fs::path& nets, const std::string& source) {
  constexpr std::string_view kSuffix = ".config.json";
  std::vector<Variant> found;
  if (!fs::is_directory(nets)) return found;
  for (const auto& net : fs::directory_iterator(nets)) {
    if (!net.is_directory()) continue;
    for (const auto& file : fs::directory_iterator(net.path())) {
      const std::string name = file.path().filename().string();
      if (!name.ends_with(kSuffix)) continue;
      found.push_back({net.path(), name.substr(0, name.size() - kSuffix.size()), source});
    }
  }
  std::sort(found.begin(), found.end(), [](const Variant& a, const Variant& b) {
    return std::pair(a.folder, a.name) < std::pair(b.folder, b.name);
  });
  return found;
}

std::vector<Variant> all_variants() {
  std::vector<Variant> all = find_variants(fs::path(TVMQ_TESTS_DIR) / "fixtures/golden", "fixture");
  for (Variant& each : find_variants(fs::path(TVMQ_SHARED_DIR) / "golden/nets", "shared")) {
    all.push_back(std::move(each));
  }
  return all;
}

std::string test_name(const ::testing::TestParamInfo<Variant>& info) {
  std::string name =
      info.param.source + "_" + info.param.folder.filename().string() + "_" + info.param.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class WarningLog final : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    if (level == LogLevel::kWarning) warnings.emplace_back(line);
  }
  void progress(std::string_view, std::int64_t, std::int64_t) override {}
  std::vector<std::string> warnings;
};

struct Config {
  TvmQuantizeOptions options;
  passes::TvmOptLevel level = passes::TvmOptLevel::k2;
  bool uses_data = false;
  std::string tvm;        ///< "quantized", or TVM's error
  std::string tvm_where;  ///< the line of TVM that stopped, if known
  std::string tvm_run;    ///< TVM's error when it compiled the result
};

simdjson::dom::element parse(simdjson::dom::parser& parser, const fs::path& path) {
  return parser.parse(simdjson::padded_string(read_file(path)));
}

Config read_config(const fs::path& path) {
  simdjson::dom::parser parser;
  const simdjson::dom::object json = parse(parser, path);
  Config config;
  TvmQuantizeOptions& options = config.options;
  for (const auto [key, value] : json) {
    const auto dtype = [&, v = value] { return *ir::parse_dtype(std::string_view(v)); };
    if (key == "calibrate_mode") {
      config.uses_data = std::string_view(value) != "global_scale";
    } else if (key == "global_scale") {
      options.global_scale = value;
    } else if (key == "weight_scale") {
      options.weight_scale =
          std::string_view(value) == "max" ? quant::WeightScale::kMax : quant::WeightScale::kPower2;
    } else if (key == "dtype_input") {
      options.dtype_input = dtype();
    } else if (key == "dtype_weight") {
      options.dtype_weight = dtype();
    } else if (key == "dtype_activation") {
      options.dtype_activation = dtype();
    } else if (key == "partition_conversions") {
      const std::string_view mode = value;
      options.partition_conversions = mode == "disabled" ? quant::PartitionConversions::kDisabled
                                      : mode == "enabled"
                                          ? quant::PartitionConversions::kEnabled
                                          : quant::PartitionConversions::kFullyIntegral;
    } else if (key == "skip_conv_layers") {
      options.skip_conv_layers.reset();
      if (value.is_array()) {
        options.skip_conv_layers.emplace();
        for (const auto number : value.get_array()) {
          options.skip_conv_layers->push_back(static_cast<int>(std::int64_t(number)));
        }
      }
    } else if (key == "skip_dense_layer") {
      options.skip_dense_layer = value;
    } else if (key == "rounding") {
      options.rounding = std::string_view(value) == "UPWARD" ? quant::Rounding::kUpward
                                                             : quant::Rounding::kToNearest;
    } else if (key == "round_for_shift") {
      options.round_for_shift = value;
    } else if (key == "nbit_input") {
      options.nbit_input = static_cast<int>(std::int64_t(value));
    } else if (key == "nbit_weight") {
      options.nbit_weight = static_cast<int>(std::int64_t(value));
    } else if (key == "opt_level") {
      config.level = std::int64_t(value) == 3 ? passes::TvmOptLevel::k3 : passes::TvmOptLevel::k2;
    } else if (key == "tvm") {
      config.tvm = std::string_view(value);
    } else if (key == "tvm_run") {
      config.tvm_run = std::string_view(value);
    } else if (key == "tvm_where") {
      config.tvm_where = std::string_view(value);
    } else if (key != "tvm_sqnr_db") {
      ADD_FAILURE() << path << " has an option that this test does not know: " << key;
    }
  }
  return config;
}

/// What TVM's calibration found, or ones where TVM did not come so far as to write it down.
std::vector<float> read_thresholds(const Variant& variant, std::size_t count) {
  std::string name = variant.name;
  constexpr std::string_view kPartition = "-partition";  // the same calibration as without it
  if (name.ends_with(kPartition)) name.resize(name.size() - kPartition.size());
  const fs::path path = variant.folder / (name + ".thresholds.json");
  if (!fs::exists(path)) return std::vector<float>(count, 1.0F);
  simdjson::dom::parser parser;
  std::vector<float> thresholds;
  for (const auto entry : parse(parser, path).get_array()) {
    thresholds.push_back(static_cast<float>(double(entry["threshold"])));
  }
  return thresholds;
}

/// A piece of our message for each of TVM's.
std::string expected_refusal(const Config& config) {
  if (config.tvm_where.find("Constant)") != std::string::npos) return "is not a constant";
  if (config.tvm_where.find("kernel_cond") != std::string::npos) return "computed from quantized";
  if (config.tvm_where.find("len(self.subtree_params) == 1") != std::string::npos) {
    return "depends on several inputs";
  }
  constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
      {"data->shape.size() != 0", "has no dimensions"},
      {"!quantize_input.as<ConstantNode>()", "would be observed"},
      {"shift_factor > 0", "which is coarser than the scale"},
      {"range() arg 3 must not be zero", "nothing to calibrate"},
      {"DiagnosticError", "is ill-typed"},
      {"compute.dtype is expected to be int32", "in a fixed point product"},
      {"TupleType", "between the last integers and the output"},
      {"AssertionError", "operators are not integer"},
      {"ValueError", "multiplies two quantized values"},
  };
  for (const auto& [tvm, ours] : kReasons) {
    if (config.tvm.find(tvm) != std::string::npos) return std::string(ours);
  }
  return "no reason known for " + config.tvm;
}

ir::Module quantize(const Variant& variant, const Config& config, Log& log) {
  const ir::Module source = relay::read_module(variant.folder / "model.json");
  const ir::Graph bound =
      relay::bind_params(source.main(), relay::read_params(variant.folder / "model.params"));
  const ir::Graph prepared = passes::prepare(bound, config.level, log);
  const quant::AnnotatedGraph annotated = quant::annotate(prepared, config.options);
  EXPECT_EQ(ir::first_violation(annotated.graph), std::nullopt);
  std::vector<float> thresholds(quant::threshold_count(annotated),
                                static_cast<float>(config.options.global_scale));
  if (config.uses_data) {
    EXPECT_EQ(quant::observed(annotated).size(), thresholds.size());
    thresholds = read_thresholds(variant, thresholds.size());
  }
  const ir::Graph quantized = quant::realize(annotated, thresholds, config.options, log);
  EXPECT_EQ(ir::first_violation(quantized), std::nullopt);
  return quant::partition_conversions(quantized, config.options);
}

class GoldenTvmScheme : public ::testing::TestWithParam<Variant> {};

TEST_P(GoldenTvmScheme, EqualsTvm) {
  const Variant& variant = GetParam();
  const Config config = read_config(variant.folder / (variant.name + ".config.json"));
  WarningLog log;
  if (config.tvm != "quantized") {
    try {
      quantize(variant, config, log);
      FAIL() << "TVM refuses: " << config.tvm;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(expected_refusal(config)));
    }
    return;
  }
  const ir::Module ours = quantize(variant, config, log);
  const ir::Module tvms = relay::read_module(variant.folder / (variant.name + ".json"));
  EXPECT_EQ(ir::first_difference(ours, tvms), std::nullopt);
  if (config.tvm_run.empty()) {
    EXPECT_THAT(log.warnings, Not(Contains(HasSubstr("cannot compile"))));
  } else {
    EXPECT_THAT(log.warnings, Contains(HasSubstr("cannot compile"))) << config.tvm_run;
  }
}

INSTANTIATE_TEST_SUITE_P(Nets, GoldenTvmScheme, ::testing::ValuesIn(all_variants()), test_name);

TEST(GoldenTvmSchemeData, SharedNetworksArePresent) {
  const fs::path nets = fs::path(TVMQ_SHARED_DIR) / "golden/nets";
  if (!fs::is_directory(nets)) GTEST_SKIP() << nets << " is absent: only the fixtures were tested";
  EXPECT_GE(find_variants(nets, "shared").size(), 200U);
}

}  // namespace
}  // namespace tvmq
