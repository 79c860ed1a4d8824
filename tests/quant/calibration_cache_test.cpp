#include "quant/calibration_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <random>

#include "base/error.h"
#include "quant/observer_histogram.h"

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

/// Counts of 20 elements: 11 zeros, eight of 1.5 and one of 3.677, each times `unit`.
ValueStatistics some_statistics(bool binned, float unit = 1) {
  ValueObserver observer({.percentile = true, .histogram = true});
  std::vector<float> elements(20, 0.0F);
  std::fill(elements.begin() + 11, elements.end(), 1.5F * unit);
  elements[13] = 3.67704487F * unit;
  observer.observe_range(elements, 0);
  if (binned) {
    observer.begin_histogram(percentile_rank(elements.size()));
    observer.observe_histogram(elements);
  }
  return observer.statistics();
}

CachedStatistics some_channels(std::vector<std::string> samples, double scale = 1) {
  CachedStatistics result{.samples = std::move(samples), .unreadable = {}, .values = {}};
  ChannelSums sums{.per_channel = 10, .low = {-0.5 * scale, 0}, .high = {2 * scale, 0.1}};
  sums.sum.resize(2);
  sums.squares.resize(2);
  for (const double term : {1e20, 0.1 * scale, 3e-12}) sums.sum[0].add(term);
  sums.squares[1].add(scale);
  result.values.push_back({.node = 3, .name = "nn.relu 'r'", .sums = sums});
  return result;
}

CalibrationCache some_cache() {
  CachedEqualization equalization;
  equalization.options.activation_bits = 7;
  equalization.options.weight_scale = WeightScale::kPower2;
  equalization.options.skip_conv_layers = {0, 3};
  equalization.options.skip_layers = {"nn.conv2d \"x\""};
  equalization.statistics = some_channels({"a.png"});
  CachedNetwork integer{
      .scheme = "integer",
      .counts =
          {.graph_hash = "ab",
           .ranged = {"a.png", "b.png"},
           .binned = {"a.png", "b.png"},
           .unreadable = {"c.png"},
           .values = {{.node = 3, .name = "nn.conv2d #3", .statistics = some_statistics(true)}}},
      .ranges =
          CachedRanges{.mode = CalibMode::kKlDivergence, .bits = 8, .of_values = {{-1.25F, 3.5F}}},
      .layer_inputs = some_channels({"a.png", "b.png"})};
  CachedNetwork tvm{
      .scheme = "tvm",
      .counts = {.graph_hash = "cd",
                 .ranged = {"a.png"},
                 .binned = {},
                 .unreadable = {},
                 .values = {{.node = 9, .name = "add", .statistics = some_statistics(false)}}}};
  return {.model = "00112233445566778899aabbccddeeff",
          .preprocessing = "resolution 224x224, mean [0.1], \"quoted\"",
          .batch_size = 2,
          .samples = {"a.png", "b.png", "c.png"},
          .equalization = equalization,
          .networks = {integer, tvm}};
}

TEST(CalibrationCache, ReadsBackWhatItWrote) {
  const std::string json = to_json(some_cache());
  const CalibrationCache back = parse_calibration_cache(json, "c.json");
  EXPECT_EQ(to_json(back), json);
  EXPECT_EQ(back.samples, some_cache().samples);
  EXPECT_EQ(back.networks[0].counts, some_cache().networks[0].counts);
  EXPECT_EQ(back.networks[0].ranges, some_cache().networks[0].ranges);
  EXPECT_EQ(back.networks[0].layer_inputs, some_cache().networks[0].layer_inputs);
  EXPECT_EQ(back.networks[1].counts, some_cache().networks[1].counts);
  EXPECT_EQ(back.equalization->statistics, some_cache().equalization->statistics);
  EXPECT_EQ(back.equalization->options.skip_layers, some_cache().equalization->options.skip_layers);
  EXPECT_EQ(back.equalization->options.weight_scale, WeightScale::kPower2);
}

TEST(CalibrationCache, ReadsBackRangesThatAreTooSmallForBins) {
  CalibrationCache cache = some_cache();
  for (const float unit : {1e-30F, 1e-38F, 1e-42F, 1e-45F}) {
    cache.networks[0].counts.values[0].statistics = some_statistics(true, unit);
    const std::string json = to_json(cache);
    EXPECT_EQ(to_json(parse_calibration_cache(json, "c.json")), json) << unit;
  }
}

TEST(CalibrationCache, IsReadable) {
  const std::string json = to_json(some_cache());
  EXPECT_THAT(json, HasSubstr("\"mode\": \"kl_divergence\""));
  EXPECT_THAT(json, HasSubstr("\"range\": [-1.25, 3.5]"));
  EXPECT_THAT(json, HasSubstr("\"max\": 3.677"));
  EXPECT_THAT(json, HasSubstr("\"histogram\": [-4000,11,"));
  EXPECT_THAT(json, HasSubstr("\"pass_2\": \"as pass_1\""));
}

TEST(CalibrationCache, WritesZeroWithoutItsSign) {
  CalibrationCache cache = some_cache();
  cache.networks[0].ranges->of_values[0].low = -0.0F;
  const std::string json = to_json(cache);
  EXPECT_THAT(json, HasSubstr("\"range\": [0, 3.5]"));
  EXPECT_EQ(to_json(parse_calibration_cache(json, "c.json")), json);
}

TEST(CalibrationCache, GoesThroughAFile) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "calibration_cache_test.json";
  write_calibration_cache(some_cache(), path);
  EXPECT_EQ(to_json(read_calibration_cache(path)), to_json(some_cache()));
  std::filesystem::remove(path);
}

TEST(CalibrationCache, DamagesAreRefusedWithThePlace) {
  const struct {
    std::string from;
    std::string to;
    std::string complaint;
  } rows[] = {
      {"{\n  \"format\"", "[\n  \"format\"", "JSON"},
      {"calibration cache\"", "something\"", "'format' is not"},
      {"\"version\": 2", "\"version\": 1", "version 1, expected 2"},
      {"\"version\": 2", "\"version\": \"2\"", "'version' must be an integer"},
      {"\"version\": 2", "\"versoin\": 2", "'version' is missing"},
      {"kl_divergence", "kl", "unknown mode 'kl'"},
      {"\"scheme\": \"tvm\"", "\"scheme\": \"onnx\"", "unknown scheme 'onnx'"},
      {"\"scheme\": \"tvm\", \"graph_hash\": \"cd\"",
       "\"scheme\": \"integer\", \"graph_hash\": \"ab\"", "two equal networks"},
      {"\"batch_size\": 2", "\"batch_size\": -2", "'batch_size' must be an integer"},
      {"\"batch_size\": 2", "\"batch_size\": 2, \"extra\": 1", "unknown field 'extra'"},
      {"[\"a.png\", \"b.png\", \"c.png\"]", "[\"a.png\", \"a.png\"]", "'a.png' twice"},
      {"\"activation_bits\": 7", "\"activation_bits\": 9", "'activation_bits' must be 2 to 8"},
      {"\"power2\"", "\"power3\"", "'weight_scale' must be"},
      {"\"per_channel\": 10", "\"per_channel\": 0", "one number per channel"},
      {"\"low\": [-0.5, 0]", "\"low\": [0.5, 0]", "channel 0: 'low'"},
      {"\"low\": [-0.5, 0]", "\"low\": [-0.5]", "one number per channel"},
      {"\"pass_2\": \"as pass_1\"", "\"pass_2\": \"all\"", "a list or 'as pass_1'"},
      {"\"pass_2\": []", "\"pass_2\": [\"z.png\"]", "that 'pass_1' has not"},
      {"\"range\": [-1.25, 3.5], ", "", "'range'"},
      {"\"range\": [-1.25, 3.5]", "\"range\": [4, 3.5]", "the lower one first"},
      {"\"range\": [-1.25, 3.5]", "\"range\": [0, 1e39]", "two float32 numbers"},
      {"\"min\": 0", "\"min\": 4", "'min' 4 is above"},
      {"\"count\": 20", "\"count\": 21", "counts 20 elements, expected 21"},
      {"\"zeros\": 11", "\"zeros\": 13", "13 'zeros', but 11"},
      {"[-4000,11", "[-4001,11", "has more than 8001"},
      {"[-4000,11", "[-3999,11", "has 8000 counts"},
      {"[-4000,11", "[-9223372036854775808,11", "must hold counts"},
      {"[-4000,11", "[-4000,1.5", "must hold counts"},
      {"\"selected\": ", "\"selected\": 1", "'selected'"},
      {"\"networks\": [", "\"networks\": [3, ", "network 0: expected an object"}};
  const std::string whole = to_json(some_cache());
  for (const auto& row : rows) {
    SCOPED_TRACE(row.from + " -> " + row.to);
    const std::size_t at = whole.find(row.from);
    ASSERT_NE(at, std::string::npos);
    std::string json = whole;
    json.replace(at, row.from.size(), row.to);
    EXPECT_THAT(error_of([&] { parse_calibration_cache(json, "c.json"); }),
                AllOf(HasSubstr("c.json"), HasSubstr(row.complaint)));
  }
}

TEST(CalibrationCache, RefusesTruncatedFiles) {
  const std::string json = to_json(some_cache());
  for (std::size_t size = 0; size + 3 < json.size(); size += 13) {
    EXPECT_THAT(error_of([&] { parse_calibration_cache(json.substr(0, size), "c.json"); }),
                HasSubstr("c.json"));
  }
}

TEST(RequireMatch, NamesWhatDoesNotFit) {
  const CalibrationCache cache = some_cache();
  const auto error = [&](std::string_view model, std::string_view preprocessing,
                         std::int64_t batch_size) {
    return error_of([&] { require_match(cache, model, preprocessing, batch_size, "c.json"); });
  };
  EXPECT_EQ(error(cache.model, cache.preprocessing, 2), "");
  EXPECT_THAT(error("ff", cache.preprocessing, 2), HasSubstr("another model"));
  EXPECT_THAT(error(cache.model, "none", 2),
              AllOf(HasSubstr("another preprocessing"), HasSubstr("'none'")));
  EXPECT_THAT(error(cache.model, cache.preprocessing, 1), HasSubstr("BatchSize 2"));
}

// ---- completeness, plans and merging

/// Equalization of `equalized`, and one network counted as said.
CalibrationCache counted(std::vector<std::string> planned, std::vector<std::string> equalized,
                         std::vector<std::string> ranged, std::vector<std::string> binned) {
  CalibrationCache cache{
      .model = "m", .preprocessing = "p", .batch_size = 1, .samples = std::move(planned)};
  cache.equalization =
      CachedEqualization{.options = {}, .statistics = some_channels(std::move(equalized))};
  CachedNetwork network{.scheme = "integer", .counts = {.graph_hash = "h"}};
  const bool has_histograms = !binned.empty();
  network.counts.ranged = std::move(ranged);
  network.counts.binned = std::move(binned);
  network.counts.values = {{.node = 1, .name = "x", .statistics = some_statistics(has_histograms)}};
  cache.networks.push_back(network);
  return cache;
}

TEST(CalibrationCache, KnowsWhenItIsComplete) {
  EXPECT_TRUE(is_complete(counted({"a", "b"}, {"a"}, {"a", "b"}, {"a", "b"})));
  EXPECT_FALSE(is_complete(counted({"a", "b"}, {}, {"a", "b"}, {"a", "b"})));
  EXPECT_FALSE(is_complete(counted({"a", "b"}, {"a"}, {"a"}, {"a"})));
  EXPECT_FALSE(is_complete(counted({"a", "b"}, {"a"}, {"a", "b"}, {"a"})));
  EXPECT_FALSE(is_complete(CalibrationCache{}));
  CalibrationCache without = counted({"a", "b"}, {"a"}, {"a", "b"}, {"a", "b"});
  without.networks[0].scheme = "tvm";
  EXPECT_FALSE(is_complete(without)) << "equalized, but not observed";
  CalibrationCache unreadable = counted({"a", "b"}, {"a"}, {"a"}, {"a"});
  unreadable.networks[0].counts.unreadable = {"b"};
  EXPECT_TRUE(is_complete(unreadable));
}

TEST(PlanSamples, ForgetsWhatMoreSamplesMakeWrong) {
  CalibrationCache cache = counted({"b", "c"}, {"b"}, {"b", "c"}, {"b", "c"});
  plan_samples(cache, {"b"});
  EXPECT_TRUE(is_complete(cache));  // nothing new
  plan_samples(cache, {"d"});       // equalization now wants b and c, and has only b
  EXPECT_EQ(cache.samples, (std::vector<std::string>{"b", "c", "d"}));
  ASSERT_TRUE(cache.equalization.has_value());
  ASSERT_EQ(cache.networks.size(), 1U);
  EXPECT_EQ(cache.networks[0].counts.ranged.size(), 2U);
  EXPECT_TRUE(cache.networks[0].counts.binned.empty());
  plan_samples(cache, {"a", "aa", "ab"});  // b is no longer among the first half
  EXPECT_FALSE(cache.equalization.has_value());
  EXPECT_TRUE(cache.networks.empty());
}

TEST(MergeCaches, AddsWhatWasCountedOnTheSameBasis) {
  const CalibrationCache left = counted({"a", "b", "c"}, {"a", "b"}, {"a"}, {});
  const CalibrationCache right = counted({"a", "b", "c"}, {"a", "b"}, {"b", "c"}, {});
  const CalibrationCache merged = merge_caches(left, "l", right, "r");
  EXPECT_EQ(merged.networks[0].counts.ranged, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(merged.networks[0].counts.values[0].statistics.range.count, 40U);
  EXPECT_EQ(to_json(merged), to_json(merge_caches(right, "r", left, "l")));
}

TEST(MergeCaches, AddsEqualizationAndDropsWhatWasMadeWithLess) {
  const CalibrationCache left = counted({"a", "b", "c"}, {"a"}, {"a"}, {});
  CalibrationCache right = counted({"a", "b", "c"}, {"b"}, {"c"}, {});
  right.equalization->statistics = some_channels({"b"}, 3);
  const CalibrationCache merged = merge_caches(left, "l", right, "r");
  ASSERT_TRUE(merged.equalization.has_value());
  const CachedStatistics& statistics = merged.equalization->statistics;
  EXPECT_EQ(statistics.samples, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(statistics.values[0].sums.low[0], -1.5);
  EXPECT_EQ(statistics.values[0].sums.per_channel, 20);
  EXPECT_TRUE(merged.networks.empty());
}

TEST(MergeCaches, NamesWhatDoesNotBelongTogether) {
  const CalibrationCache left = counted({"a", "b"}, {"a"}, {"a", "b"}, {});
  const auto error = [&](auto&& change) {
    CalibrationCache right = left;
    change(right);
    return error_of([&] { merge_caches(left, "l.json", right, "r.json"); });
  };
  EXPECT_EQ(error([](CalibrationCache&) {}), "");
  EXPECT_THAT(error([](auto& cache) { cache.model = "other"; }),
              AllOf(HasSubstr("l.json"), HasSubstr("r.json"), HasSubstr("different models")));
  EXPECT_THAT(error([](auto& cache) { cache.preprocessing = "q"; }), HasSubstr("preprocessings"));
  EXPECT_THAT(error([](auto& cache) { cache.batch_size = 4; }), HasSubstr("batch sizes"));
  EXPECT_THAT(error([](auto& cache) { cache.networks[0].counts.ranged = {"b"}; }),
              HasSubstr("both counted a sample ('b')"));
  EXPECT_THAT(error([](auto& cache) { cache.networks[0].counts.values[0].node = 7; }),
              HasSubstr("different values"));
}

}  // namespace
}  // namespace tvmq::quant
