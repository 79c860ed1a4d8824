// Layers of two graphs: which correspond, and how far they are from each other.
#include "analysis/compare_layers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "ir/infer_types.h"
#include "ir/text.h"

namespace tvmq::analysis {
namespace {

ir::Graph graph_of(const std::string& text) {
  ir::Graph graph = ir::parse_graph(text);
  ir::infer_types(graph);
  return graph;
}

ir::Graph two_layers(const std::string& first_weight) {
  return graph_of(R"(graph(%x: float32(1, 4)) {
    %w = constant float32(3, 4) )" +
                  first_weight + R"(
    %a = nn.dense(%x, %w)
    %v = constant float32(2, 3) [1, -1, 0.5, 2, 0.25, 1]
    %b = nn.dense(%a, %v)
    return %b
  })");
}

const std::string kWeight = "[1, 2, 3, 4, -1, 0.5, 2, 1, 0, 1, -2, 3]";

quant::BatchSource samples() {
  return {.batches = 3,
          .load =
              [](std::int64_t batch) {
                const auto value = static_cast<float>(batch);
                return std::vector{ir::Tensor::from<float>({1, 4}, {1, value, -2, 0.5F * value})};
              },
          .describe = [](std::int64_t) { return std::string("a batch"); }};
}

std::vector<ComparedLayer> compare(const ir::Graph& reference, const ir::Graph& actual) {
  NullLog log;
  return compare_layers(reference, actual, match_layers(reference, actual), samples(), {}, log);
}

TEST(CompareLayers, ANetworkEqualsItself) {
  const ir::Graph graph = two_layers(kWeight);
  const auto layers = compare(graph, graph);
  ASSERT_EQ(layers.size(), 2U);
  for (const ComparedLayer& layer : layers) {
    EXPECT_TRUE(std::isinf(layer.sqnr_db.value()));
    EXPECT_NEAR(layer.cosine, 1, 1e-12);
  }
}

TEST(CompareLayers, FactorsOfChannelsAreNoError) {
  const auto layers =
      compare(two_layers(kWeight), two_layers("[2, 4, 6, 8, -1, 0.5, 2, 1, 0, 8, -16, 24]"));
  EXPECT_TRUE(std::isinf(layers[0].sqnr_db.value()));
  EXPECT_FALSE(std::isinf(layers[1].sqnr_db.value())) << "the next layer does not undo them";
}

TEST(CompareLayers, AnotherWeightIsAnError) {
  const auto layers =
      compare(two_layers(kWeight), two_layers("[1, 2.5, 3, 4, -1, 0.5, 2, 1, 0, 1, -2, 3]"));
  EXPECT_LT(layers[0].sqnr_db.value(), 40);
  EXPECT_GT(layers[0].sqnr_db.value(), 0);
  EXPECT_LT(layers[0].cosine, 1);
}

TEST(CompareLayers, AccumulatorsOfIntegersAreComparedWithTheirBias) {
  const ir::Graph reference = graph_of(R"(graph(%x: float32(1, 4)) {
    %w = constant float32(2, 4) [1, 2, 3, 4, -1, 2, -3, 1]
    %a = nn.dense(%x, %w)
    %c = constant float32(2) [0.5, -1]
    %b = add(%a, %c)
    return %b
  })");
  const ir::Graph actual = graph_of(R"(graph(%x: float32(1, 4)) {
    %two = constant float32() [2]
    %d = multiply(%x, %two)
    %q = cast(%d) {dtype = int8}
    %w = constant int8(2, 4) [1, 2, 3, 4, -1, 2, -3, 1]
    %a = nn.dense(%q, %w) {out_dtype = int32}
    %c = constant int32(2) [1, -2]
    %b = add(%a, %c)
    %f = cast(%b) {dtype = float32}
    return %f
  })");
  const LayerMatching matching = match_layers(reference, actual);
  ASSERT_EQ(matching.pairs.size(), 1U);
  EXPECT_TRUE(matching.pairs[0].integer);
  EXPECT_NE(matching.pairs[0].actual_value, matching.pairs[0].actual);
  const auto layers = compare(reference, actual);
  EXPECT_TRUE(std::isinf(layers[0].sqnr_db.value())) << *layers[0].sqnr_db;
}

TEST(CompareLayers, TheProductsOfAWideLayerAreComparedAsOne) {
  const ir::Graph reference = graph_of(R"(graph(%x: float32(1, 4)) {
    %w = constant float32(2, 4) [1, 2, 3, 4, -1, 2, -3, 1]
    %a = nn.dense(%x, %w)
    return %a
  })");
  // The input is high + low / 256; here the low bytes are half of it.
  const ir::Graph actual = graph_of(R"(graph(%x: float32(1, 4)) {
    %half = constant float32() [0.5]
    %many = constant float32() [128]
    %w = constant int8(2, 4) [1, 2, 3, 4, -1, 2, -3, 1]
    %two = constant float32() [2]
    %d = multiply(%x, %two)
    %h = multiply(%d, %half)
    %high = cast(%h) {dtype = int8}
    %a = nn.dense(%high, %w) {out_dtype = int32}
    %zero = constant int32(2) [0, 0]
    %biased = add(%a, %zero)
    %f = cast(%biased) {dtype = float32}
    %m = multiply(%x, %many)
    %i = cast(%m) {dtype = int32}
    %low = cast(%i) {dtype = uint8}
    %b = nn.dense(%low, %w) {out_dtype = int32}
    %g = cast(%b) {dtype = float32}
    %part = constant float32() [0.00390625]
    %p = multiply(%g, %part)
    %sum = add(%f, %p)
    return %sum
  })");
  const LayerMatching matching = match_layers(reference, actual);
  ASSERT_EQ(matching.pairs.size(), 1U);
  EXPECT_TRUE(matching.only_actual.empty()) << "the second product is no layer";
  EXPECT_TRUE(actual[matching.pairs[0].actual_value].is_call(ir::Op::kAdd));
  EXPECT_EQ(actual[matching.pairs[0].actual_value].tensor_type().dtype, ir::DType::kFloat32);
}

TEST(MatchLayers, LeavesOutWhatHasNoCounterpart) {
  const ir::Graph shorter = graph_of(R"(graph(%x: float32(1, 4)) {
    %w = constant float32(2, 4) splat 1
    %a = nn.dense(%x, %w)
    return %a
  })");
  const ir::Graph longer = two_layers(kWeight);
  const LayerMatching matching = match_layers(longer, shorter);
  ASSERT_EQ(matching.pairs.size(), 1U);
  EXPECT_EQ(longer[matching.pairs[0].reference].tensor_type().shape, (ir::Shape{1, 2}));
  EXPECT_EQ(matching.only_reference.size(), 1U);
  EXPECT_TRUE(matching.only_actual.empty());
}

TEST(CompareLayers, OtherInputsAreRefused) {
  const ir::Graph other = graph_of(R"(graph(%x: float32(2, 4)) {
    %w = constant float32(3, 4) splat 1
    %a = nn.dense(%x, %w)
    return %a
  })");
  EXPECT_THROW(compare(two_layers(kWeight), other), InputError);
}

}  // namespace
}  // namespace tvmq::analysis
