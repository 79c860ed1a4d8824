#include "quant/calibration_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <limits>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "quant/observer_histogram.h"
#include "quant/threshold_kl.h"

namespace tvmq::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The message of the InputError that `call` throws; empty if it throws none.
template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

CalibrationTable some_table() {
  std::vector<std::uint64_t> histogram(kHistogramBins, 0);
  histogram[kZeroBin] = 12;
  histogram[4700] = 3;
  histogram[4701] = 4;
  histogram[8000] = 1;
  return {.mode = CalibMode::kKlDivergence,
          .graph_hash = "00112233445566778899aabbccddeeff",
          .preprocessing = "resolution 224x224, mean [0.1], \"quoted\"",
          .samples = 3,
          .parameters = {{"note", "by hand\n"}},
          .entries = {{.name = "nn.conv2d #3",
                       .threshold = 3.50884104F,
                       .absmax = 3.67704487F,
                       .min = -0.1F,
                       .max = 3.67704487F,
                       .count = 20,
                       .zeros = 11,
                       .percentile = 3.5F,
                       .histogram = histogram},
                      {.name = "layer 'a'",
                       .threshold = 1e-20F,
                       .absmax = 2.5F,
                       .min = -2.5F,
                       .max = -1e-38F,
                       .count = 7,
                       .zeros = 0,
                       .percentile = std::nullopt,
                       .histogram = {}}}};
}

TEST(CalibrationTable, ReadsBackWhatItWrote) {
  const CalibrationTable table = some_table();
  EXPECT_EQ(parse_calibration_table(to_json(table), "t.json"), table);
}

TEST(CalibrationTable, IsReadable) {
  const std::string json = to_json(some_table());
  EXPECT_THAT(json, HasSubstr("\"mode\": \"kl_divergence\""));
  EXPECT_THAT(json, HasSubstr("\"threshold\": 3.508841"));
  EXPECT_THAT(json, HasSubstr("\"histogram\": [-4000,12,-699,3,4,-3298,1]"));
}

TEST(CalibrationTable, KeepsEveryBitOfEveryFloat) {
  std::mt19937 generator(3);
  CalibrationTable table;
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = static_cast<std::uint32_t>(generator()) & 0x7FFFFFFF;
    const auto value = std::bit_cast<float>(bits);
    if (bits >= 0x7F800000) continue;
    table.entries.push_back(
        {.name = "x", .threshold = value, .absmax = value, .min = -value, .max = value});
  }
  for (const float value : {std::numeric_limits<float>::max(), std::numeric_limits<float>::min(),
                            std::numeric_limits<float>::denorm_min(), 0.0F, 1.0F, 0.1F}) {
    table.entries.push_back(
        {.name = "x", .threshold = value, .absmax = value, .min = -value, .max = value});
  }
  const CalibrationTable back = parse_calibration_table(to_json(table), "t.json");
  ASSERT_EQ(back.entries.size(), table.entries.size());
  for (std::size_t i = 0; i < back.entries.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(back.entries[i].threshold),
              std::bit_cast<std::uint32_t>(table.entries[i].threshold));
  }
}

TEST(CalibrationTable, GoesThroughAFile) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "calibration_table_test.json";
  write_calibration_table(some_table(), path);
  EXPECT_EQ(read_calibration_table(path), some_table());
  std::filesystem::remove(path);
}

struct Damage {
  std::string from;
  std::string to;
  std::string complaint;
};

class DamagedTable : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedTable, IsRefusedWithThePlace) {
  std::string json = to_json(some_table());
  const std::size_t at = json.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  json.replace(at, GetParam().from.size(), GetParam().to);
  EXPECT_THAT(error_of([&] { parse_calibration_table(json, "t.json"); }),
              AllOf(HasSubstr("t.json"), HasSubstr(GetParam().complaint)));
}

INSTANTIATE_TEST_SUITE_P(
    Damages, DamagedTable,
    ::testing::Values(
        Damage{"{\n  \"format\"", "[\n  \"format\"", "JSON"},
        Damage{"calibration table\"", "something\"", "'format' is not"},
        Damage{"\"version\": 1", "\"version\": 2", "version 2, expected 1"},
        Damage{"\"version\": 1", "\"version\": \"1\"", "'version' must be an integer"},
        Damage{"\"version\": 1", "\"versoin\": 1", "'version' is missing"},
        Damage{"kl_divergence", "kl", "unknown mode 'kl'"},
        Damage{"\"samples\": 3", "\"samples\": -3", "'samples' must be an integer"},
        Damage{"\"samples\": 3", "\"samples\": 3, \"extra\": 1", "unknown field 'extra'"},
        Damage{"\"samples\": 3", "\"samples\": 3, \"samples\": 4", "'samples' occurs twice"},
        Damage{"{\"note\": \"by hand\\u000a\"}", "[]", "expected an object"},
        Damage{"{\"note\": \"by hand\\u000a\"}", "{\"note\": 1}", "'note' must be text"},
        Damage{"\"threshold\": 3.508841", "\"threshold\": -3.508841",
               "entry 0: 'threshold' is -3.5"},
        Damage{"\"threshold\": 3.508841", "\"threshold\": 1e39", "float32"},
        Damage{"\"threshold\": 3.508841", "\"threshold\": \"3\"", "entry 0: 'threshold'"},
        Damage{"\"threshold\": 3.508841, ", "", "'threshold' is missing"},
        Damage{"\"min\": -2.5", "\"min\": 2.5", "entry 1: 'min' 2.5 is above"},
        Damage{"\"min\": -2.5", "\"min\": -2.25", "entry 1: 'absmax' 2.5 is not"},
        Damage{"\"count\": 20", "\"count\": 21", "counts 20 elements, 'count' is 21"},
        Damage{"\"zeros\": 11", "\"zeros\": 13", "13 'zeros', but 12"},
        Damage{"\"zeros\": 0", "\"zeros\": 8", "8 'zeros' among 7"},
        Damage{"[-4000,12", "[-4001,12", "has more than 8001 bins"},
        Damage{"[-4000,12", "[-3999,12", "has 8000 bins"},
        Damage{"[-4000,12", "[-9223372036854775808,12", "must hold counts"},
        Damage{"[-4000,12", "[-4000,1.5", "must hold counts"},
        Damage{"\"entries\": [", "\"entries\": [3, ", "entry 0: expected an object"}));

TEST(CalibrationTable, RefusesTruncatedFiles) {
  const std::string json = to_json(some_table());
  for (std::size_t size = 0; size + 3 < json.size(); size += 13) {
    EXPECT_THAT(error_of([&] { parse_calibration_table(json.substr(0, size), "t.json"); }),
                HasSubstr("t.json"));
  }
}

TEST(RequireMatch, NamesWhatDoesNotFit) {
  const CalibrationTable table = some_table();
  const CalibrationKey key{table.graph_hash, table.preprocessing, 2};
  EXPECT_EQ(error_of([&] { require_match(table, key, "t.json"); }), "");
  CalibrationKey other = key;
  other.graph_hash = "ff";
  EXPECT_THAT(error_of([&] { require_match(table, other, "t.json"); }), HasSubstr("another model"));
  other = key;
  other.preprocessing = "none";
  EXPECT_THAT(error_of([&] { require_match(table, other, "t.json"); }),
              AllOf(HasSubstr("another preprocessing"), HasSubstr("'none'")));
  other = key;
  other.entries = 3;
  EXPECT_THAT(error_of([&] { require_match(table, other, "t.json"); }),
              HasSubstr("2 thresholds, expected 3"));
}

TEST(WithMode, FindsOtherThresholdsWithoutSamples) {
  CalibrationTable table = some_table();
  table.entries.pop_back();
  const CalibrationEntry& entry = table.entries[0];
  const auto threshold = [&](CalibMode mode) {
    return with_mode(table, mode, {.global_scale = 4.0F}).value().entries[0].threshold;
  };
  EXPECT_EQ(threshold(CalibMode::kMinMax), entry.absmax);
  EXPECT_EQ(threshold(CalibMode::kGlobalScale), 4.0F);
  EXPECT_EQ(threshold(CalibMode::kPercentile), 3.5F);
  EXPECT_EQ(threshold(CalibMode::kKlDivergence), threshold_kl(entry.histogram, entry.absmax));
  EXPECT_EQ(with_mode(table, CalibMode::kMinMax, {})->mode, CalibMode::kMinMax);
}

TEST(WithMode, KnowsWhatItCannotTell) {
  const CalibrationTable table = some_table();  // the second entry has neither
  EXPECT_EQ(with_mode(table, CalibMode::kMse, {}), std::nullopt);
  EXPECT_EQ(with_mode(table, CalibMode::kPercentile, {}), std::nullopt);
  EXPECT_NE(with_mode(table, CalibMode::kMinMax, {}), std::nullopt);
  CalibrationTable unseen = table;
  unseen.entries[0].count = 0;
  EXPECT_EQ(with_mode(unseen, CalibMode::kMinMax, {}), std::nullopt);
  EXPECT_NE(with_mode(unseen, CalibMode::kGlobalScale, {}), std::nullopt);
}

// ---- graph_hash

ir::Graph some_graph(float weight = 0.5F, double clip = 6.0, std::string layer = "layer") {
  ir::Graph graph;
  const auto x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, ir::Shape{1, 4}});
  const auto w = graph.add_constant(ir::Tensor::from<float>({1, 4}, {1.0F, 2.0F, weight, 0.0F}));
  const auto sum = graph.add_call(ir::Op::kAdd, {x, w}, {}, std::move(layer));
  const auto clipped = graph.add_call(ir::Op::kClip, {sum}, ir::ClipAttrs{0.0, clip});
  graph.set_output(clipped);
  return graph;
}

TEST(GraphHash, IsStableAndIgnoresNames) {
  EXPECT_EQ(graph_hash(some_graph()).size(), 32U);
  EXPECT_EQ(graph_hash(some_graph()), graph_hash(some_graph(0.5F, 6.0, "renamed")));
}

TEST(GraphHash, IgnoresNodeNumbers) {
  ir::Graph graph;
  const auto w = graph.add_constant(ir::Tensor::from<float>({1, 4}, {1.0F, 2.0F, 0.5F, 0.0F}));
  graph.add_constant(ir::Tensor::scalar(1.0F));  // nobody uses it
  const auto x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, ir::Shape{1, 4}});
  const auto sum = graph.add_call(ir::Op::kAdd, {x, w});
  graph.set_output(graph.add_call(ir::Op::kClip, {sum}, ir::ClipAttrs{0.0, 6.0}));
  EXPECT_EQ(graph_hash(graph), graph_hash(some_graph()));
}

TEST(GraphHash, SeesEverythingElse) {
  const std::string hash = graph_hash(some_graph());
  EXPECT_NE(graph_hash(some_graph(0.50000006F)), hash);  // one bit of one weight
  EXPECT_NE(graph_hash(some_graph(-0.5F)), hash);
  EXPECT_NE(graph_hash(some_graph(0.5F, 5.0)), hash);

  const auto with = [](std::string input, ir::DType dtype, bool swapped, bool twice) {
    ir::Graph graph;
    const auto x = graph.add_input(std::move(input), ir::TensorType{dtype, ir::Shape{1, 4}});
    const auto a = graph.add_call(ir::Op::kRelu, {x});
    const auto b = twice ? graph.add_call(ir::Op::kRelu, {x}) : a;
    graph.set_output(swapped ? graph.add_call(ir::Op::kSubtract, {b, x})
                             : graph.add_call(ir::Op::kSubtract, {a, b}));
    return graph_hash(graph);
  };
  const std::string base = with("x", ir::DType::kFloat32, false, false);
  EXPECT_NE(with("y", ir::DType::kFloat32, false, false), base);
  EXPECT_NE(with("x", ir::DType::kInt32, false, false), base);
  EXPECT_NE(with("x", ir::DType::kFloat32, true, false), base);
  EXPECT_NE(with("x", ir::DType::kFloat32, false, true), base);  // sharing
}

}  // namespace
}  // namespace tvmq::quant
