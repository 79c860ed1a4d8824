#include "quant/accuracy_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace tvmq::quant {
namespace {

using testing::HasSubstr;

TEST(AccuracyPlan, ReadsWhatItWrites) {
  const AccuracyPlan plan{.file = {},
                          .graph_hash = "0123",
                          .bound = "MinSqnr 22",
                          .wide_layers = {"nn.conv2d 'wide'"},
                          .float_layers = {"nn.conv2d 'a, \"b\"'", "nn.dense #0"}};
  const AccuracyPlan read = parse_accuracy_plan(to_json(plan), "plan.json");
  EXPECT_EQ(read.graph_hash, plan.graph_hash);
  EXPECT_EQ(read.bound, plan.bound);
  EXPECT_EQ(read.wide_layers, plan.wide_layers);
  EXPECT_EQ(read.float_layers, plan.float_layers);
}

TEST(AccuracyPlan, HostileFilesAreRefused) {
  const std::string good =
      to_json({.file = {}, .graph_hash = "0", .bound = "", .wide_layers = {}, .float_layers = {}});
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const struct {
    std::string text;
    const char* expected;
  } rows[] = {
      {"", "no JSON object"},
      {"[]", "no JSON object"},
      {"{}", "field 'format' is missing"},
      {with("tvm-quantization plan", "other"), "not a plan"},
      {with("\"version\": 2", "\"version\": 1"), "reads version 2"},
      {with("\"version\": 2", "\"version\": 2, \"version\": 2"), "occurs twice"},
      {with("\"graph_hash\": \"0\"", "\"graph_hash\": 0"), "'graph_hash' must be text"},
      {with("\"bound\"", "\"bond\""), "unknown field 'bond'"},
      {with("[]", "{}"), "must be a list"},
      {with("[]", "[1]"), "must be text"},
      {with("[]", "[\"a\", \"a\"]"), "layer 'a' occurs twice"},
      {with("\"wide_layers\": [],\n  \"float_layers\": []",
            "\"wide_layers\": [\"a\"],\n  \"float_layers\": [\"a\"]"),
       "layer 'a' occurs twice"},
      {with("  \"wide_layers\": [],\n", ""), "field 'wide_layers' is missing"},
  };
  for (const auto& row : rows) {
    try {
      parse_accuracy_plan(row.text, "plan.json");
      ADD_FAILURE() << "accepted: " << row.text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::StartsWith("plan.json: "));
      EXPECT_THAT(error.what(), HasSubstr(row.expected));
    }
  }
}

}  // namespace
}  // namespace tvmq::quant
