#include "quant/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/infer_types.h"
#include "ir/text.h"
#include "quant/integer_scheme.h"
#include "quant/tvm_scheme.h"

namespace tvmq::quant {
namespace {

using ir::NodeId;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A chain of 1 x 1 convolutions of these names and one dense layer without a name.
ir::Graph chain(const std::vector<std::string>& names) {
  ir::Graph graph;
  NodeId value = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 2, 1, 1}});
  const std::vector<float> ones(4, 1);
  for (const std::string& name : names) {
    const NodeId weight =
        graph.add_constant(ir::Tensor::from<float>({2, 2, 1, 1}, std::span<const float>(ones)));
    value = graph.add_call(
        ir::Op::kConv2D, {value, weight},
        ir::Conv2DAttrs{.channels = 2, .kernel_size = ir::IntList{1, 1}, .out_layout = {}}, name);
  }
  value = graph.add_call(ir::Op::kBatchFlatten, {value});
  const NodeId weight =
      graph.add_constant(ir::Tensor::from<float>({2, 2}, std::span<const float>(ones)));
  graph.set_output(graph.add_call(ir::Op::kDense, {value, weight}, ir::DenseAttrs{}));
  ir::infer_types(graph);
  return graph;
}

std::vector<std::string> names_in_order(const ir::Graph& graph) {
  std::vector<std::string> names;
  for (std::string& name : layer_names(graph)) {
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

TEST(Layers, NamesAreUnique) {
  EXPECT_THAT(
      names_in_order(chain({"stem", "", "block", "block", "", "block' #1"})),
      ElementsAre("nn.conv2d 'stem'", "nn.conv2d #1", "nn.conv2d 'block'", "nn.conv2d 'block' #1",
                  "nn.conv2d #4", "nn.conv2d 'block' #1'", "nn.dense #0"));
}

TEST(Layers, GlobPatterns) {
  const struct {
    const char* pattern;
    const char* text;
    bool expected;
  } rows[] = {
      {"stem", "stem", true},
      {"stem", "stem2", false},
      {"st?m", "stem", true},
      {"?", "", false},
      {"*", "", true},
      {"*", "anything", true},
      {"a*c*", "abcd", true},
      {"a*c", "abcd", false},
      {"*b*b", "abab", true},
      {"**a", "ba", true},
      {"", "", true},
      {"", "a", false},
      {R"(\*)", "*", true},
      {R"(\*)", "a", false},
      {R"(a\?*)", "a?b", true},
      {R"(\\)", R"(\)", true},
      {"[ab]", "a", false},
      {"nn.conv2d #1", "nn.conv2d #10", false},
      {"nn_conv2d", "nn.conv2d", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(matches(row.pattern, row.text), row.expected) << row.pattern << " on " << row.text;
  }
}

TEST(Layers, HostilePatternsTakeNoLongTime) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", std::string(20'000, 'a')));
}

TEST(Layers, SkipLinesMatchTheirLayerAlone) {
  const std::vector<std::string> names = {
      "a, b",       "it's",   "what?",      "what!", "5 * 3", R"(back\slash)",
      "\"quoted\"", "a&b<c>", "two\nlines", "",      "what?"};
  const ir::Graph graph = chain(names);
  for (const std::string& name : names_in_order(graph)) {
    const std::vector<std::string> patterns{skip_line(name)};
    std::vector<std::string> hit;
    const auto skipped = chosen_layers(graph, patterns, "SkipLayers");
    const auto all = layer_names(graph);
    for (std::size_t i = 0; i < skipped.size(); ++i) {
      if (!skipped[i].empty()) hit.push_back(all[i]);
    }
    EXPECT_THAT(hit, ElementsAre(name));
    EXPECT_EQ(patterns[0].find_first_of("&<>\n"), std::string::npos) << patterns[0];
  }
}

TEST(Layers, WhatMatchesNothingIsRefusedWithTheNearest) {
  const std::vector<std::string> patterns = {"stem", "blok"};
  try {
    chosen_layers(chain({"stem", "block"}), patterns, "WideLayers");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("WideLayers: 'blok' matches none of the 3 layers"));
  }
  const std::vector<std::string> typo = {"nn.conv2d 'blok'"};
  try {
    chosen_layers(chain({"stem", "block"}), typo, "SkipLayers");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the nearest is nn.conv2d 'block'"));
  }
}

/// The names of layers that stay float, whatever their reason.
template <class Layers>
std::vector<std::string> float_layers(const Layers& layers) {
  std::vector<std::string> names;
  for (const auto& layer : layers) {
    if (!layer.quantized) names.push_back(layer.name + ": " + layer.reason);
  }
  return names;
}

TEST(Layers, BothSchemesSkipThem) {
  const ir::Graph graph = chain({"stem", "", "last"});
  const std::vector<std::string> patterns = {"nn.conv2d #?", "last"};
  const auto expected = ElementsAre("nn.conv2d #1: 'nn.conv2d #?' of SkipLayers",
                                    "nn.conv2d 'last': 'last' of SkipLayers");
  EXPECT_THAT(float_layers(plan_integer(graph, {.skip_layers = patterns}).layers), expected);
  EXPECT_THAT(float_layers(annotate(graph, {.skip_conv_layers = std::nullopt,
                                            .skip_dense_layer = false,
                                            .skip_layers = patterns})
                               .layers),
              expected);
}

TEST(Layers, SkippedOnesCountForSkipConvLayers) {
  const IntegerPlan plan =
      plan_integer(chain({"a", "b", "c"}), {.skip_conv_layers = {1}, .skip_layers = {"a"}});
  EXPECT_THAT(float_layers(plan.layers), ElementsAre("nn.conv2d 'a': 'a' of SkipLayers",
                                                     "nn.conv2d 'b': number 1 of SkipConvLayers"));
}

TEST(Layers, TheSecondProductOfAWideLayerHasTheNameOfTheFirst) {
  const ir::Graph float_graph = ir::parse_graph(R"(graph(%x: float32(1, 4)) {
    %w = constant float32(4, 4) splat 1
    %a = nn.dense(%x, %w)
    %b = nn.dense(%a, %w)
    return %b
  })");
  EXPECT_THAT(layer_names(float_graph), testing::IsSupersetOf({"nn.dense #0", "nn.dense #1"}))
      << "layers of floats may share a weight";
  const ir::Graph wide = ir::parse_graph(R"(graph(%h: uint8(1, 4), %l: uint8(1, 4)) {
    %w = constant int8(4, 4) splat 1
    %a = nn.dense(%h, %w) {out_dtype = int32}
    %b = nn.dense(%l, %w) {out_dtype = int32}
    %c = add(%a, %b)
    return %c
  })");
  std::vector<std::string> names;
  std::size_t second = 0;
  const auto first = first_products(wide);
  for (ir::NodeId id = 0; id < wide.size(); ++id) {
    if (wide[id].is_call(ir::Op::kDense)) names.push_back(layer_names(wide)[id]);
    second += first[id].has_value() ? 1 : 0;
  }
  EXPECT_THAT(names, testing::ElementsAre("nn.dense #0", "nn.dense #0"));
  EXPECT_EQ(second, 1U);
}

}  // namespace
}  // namespace tvmq::quant
