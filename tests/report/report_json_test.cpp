#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "report/report.h"

namespace tvmq::report {
namespace {

Report example() {
  Report report;
  report.program = "quantization_tvm 0.1.0";
  report.scheme = "integer";
  report.model = {.name = "net",
                  .json = "net.json",
                  .params = "net.params",
                  .inputs = {{.name = "data", .shape = {1, 3, 32, 32}, .dtype = "float32"}},
                  .weights = 10,
                  .macs = 20};
  report.configuration = {{"Model/Name", "net"}, {"Dataset/Path", "a \"b\""}};
  report.verdict = {.status = Status::kBad, .summary = "bad", .advice = {"first", "second"}};
  report.verification = Verification{.images = 4, .source = "held out", .outputs = {{.name = "o"}}};
  report.accuracy = Accuracy{.images = 4, .flipped = {{.file = "cat.jpg", .label = 1}}};
  report.layers = {{.name = "conv1", .weight_range = Range{.low = {-1}, .high = {2}}},
                   {.name = "conv2", .reason = "SkipConvLayers"}};
  report.activations = {{.name = "relu",
                         .layer = 0,
                         .node = 1,
                         .histogram = Histogram{.low = 0, .high = 1, .counts = {1, 2}}}};
  report.latency = Latency{.threads = 1, .operators = {{.name = "conv1", .op = "nn.conv2d"}}};
  report.graph = {{.name = "data", .op = "input"},
                  {.name = "conv1", .op = "nn.conv2d", .integer = true, .inputs = {0}, .layer = 0}};
  report.accuracy_control = AccuracyControl{.bound = "MinSqnr 20", .steps = {{.layer = "conv1"}}};
  return report;
}

simdjson::dom::element at(const simdjson::dom::element& root, std::string_view pointer) {
  simdjson::dom::element result;
  EXPECT_EQ(root.at_pointer(pointer).get(result), simdjson::SUCCESS) << pointer;
  return result;
}

TEST(ReportJson, HoldsEveryFieldUnderItsName) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ASSERT_EQ(parser.parse(to_json(example())).get(root), simdjson::SUCCESS);
  EXPECT_EQ(std::string_view(at(root, "/format")), "tvm-quantization report");
  EXPECT_EQ(std::int64_t(at(root, "/version")), 1);
  EXPECT_EQ(std::int64_t(at(root, "/model/inputs/0/shape/3")), 32);
  EXPECT_EQ(std::string_view(at(root, "/configuration/Dataset~1Path")), "a \"b\"");
  EXPECT_EQ(std::string_view(at(root, "/verdict/status")), "bad");
  EXPECT_EQ(std::string_view(at(root, "/verdict/advice/1")), "second");
  EXPECT_EQ(std::int64_t(at(root, "/accuracy/flipped/0/label")), 1);
  EXPECT_EQ(double(at(root, "/layers/0/weight_range/high/0")), 2);
  EXPECT_TRUE(at(root, "/layers/1/weight_range").is_null());
  EXPECT_EQ(std::int64_t(at(root, "/activations/0/layer")), 0);
  EXPECT_EQ(std::int64_t(at(root, "/activations/0/node")), 1);
  EXPECT_EQ(std::int64_t(at(root, "/activations/0/histogram/counts/1")), 2);
  EXPECT_EQ(std::string_view(at(root, "/graph/nodes/1/domain")), "integer");
  EXPECT_TRUE(at(root, "/graph/nodes/0/layer").is_null());
  EXPECT_EQ(std::string_view(at(root, "/accuracy_control/bound")), "MinSqnr 20");
  for (const char* unknown : {"/verification/top1_agreement", "/verification/outputs/0/sqnr_db",
                              "/accuracy/float/top1_low", "/accuracy/difference/high",
                              "/layers/0/isolated_sqnr_db", "/latency/operators/0/float_us"}) {
    EXPECT_TRUE(at(root, unknown).is_null()) << unknown;
  }
}

TEST(ReportJson, WhatARunDidNotDoIsNull) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ASSERT_EQ(parser.parse(to_json(Report{})).get(root), simdjson::SUCCESS);
  for (const char* name : {"/verification", "/accuracy", "/latency", "/accuracy_control"}) {
    EXPECT_TRUE(at(root, name).is_null()) << name;
  }
  EXPECT_EQ(std::string_view(at(root, "/verdict/status")), "unchecked");
  EXPECT_EQ(at(root, "/layers").get_array().value().size(), 0U);
}

TEST(ReportJson, AppearsAsAFile) {
  const auto path = std::filesystem::path(testing::TempDir()) / "net.report.json";
  write_json(example(), path);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), to_json(example()));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tvmq::report
