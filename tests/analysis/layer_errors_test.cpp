#include "analysis/layer_errors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/sampling.h"
#include "exec/layer_patch.h"
#include "exec/reference_executor.h"
#include "ir/infer_types.h"
#include "quant/calibrate.h"
#include "quant/interval.h"
#include "support/random_numbers.h"

namespace tvmq::analysis {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Tensor;

constexpr std::int64_t kBatches = 6;

/// Four layers whose planes have at most 16 pixels, so that every position is looked at.
class Network {
 public:
  Network() {
    NodeId x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 4, 8, 8}});
    x = convolution("first", x, 4, 16, 3, 2, 1);
    x = graph.add_call(Op::kRelu, {x});
    x = convolution("depthwise", x, 16, 16, 3, 1, 16);
    x = graph.add_call(Op::kTanh, {x});
    x = convolution("pointwise", x, 16, 32, 1, 1, 1);
    x = graph.add_call(Op::kRelu, {x});
    x = graph.add_call(Op::kGlobalAvgPool2D, {x}, ir::GlobalPool2DAttrs{});
    x = graph.add_call(Op::kBatchFlatten, {x});
    const NodeId weight = graph.add_constant(random.tensor({10, 32}, -1, 1));
    graph.set_output(graph.add_call(Op::kDense, {x, weight}, ir::DenseAttrs{}, "dense"));
    ir::infer_types(graph);
  }

  NodeId convolution(const std::string& name, NodeId data, std::int64_t in, std::int64_t out,
                     std::int64_t kernel, std::int64_t stride, std::int64_t groups) {
    const NodeId weight =
        graph.add_constant(random.tensor({out, in / groups, kernel, kernel}, -1, 1));
    const std::int64_t pad = kernel / 2;
    const NodeId conv = graph.add_call(Op::kConv2D, {data, weight},
                                       ir::Conv2DAttrs{.strides = {stride, stride},
                                                       .padding = {pad, pad, pad, pad},
                                                       .groups = groups,
                                                       .channels = out,
                                                       .kernel_size = ir::IntList{kernel, kernel},
                                                       .out_layout = {}},
                                       name);
    const NodeId bias = graph.add_constant(random.tensor({out, 1, 1}, -1, 1));
    return graph.add_call(Op::kAdd, {conv, bias});
  }

  support::RandomNumbers random{1};
  Graph graph;
};

std::vector<Tensor> batch_of(std::int64_t batch) {
  support::RandomNumbers random(static_cast<std::uint32_t>(100 + batch));
  return {random.tensor({1, 4, 8, 8}, -1, 1)};
}

quant::BatchSource source() {
  return {.batches = kBatches,
          .load = [](std::int64_t batch) { return batch_of(batch); },
          .describe = [](std::int64_t batch) { return std::to_string(batch); }};
}

struct Quantized {
  quant::IntegerPlan plan;
  quant::IntegerParameters parameters;
};

Quantized quantize(const Graph& graph) {
  NullLog log;
  Quantized result{.plan = quant::plan_integer(graph, {}), .parameters = {}};
  const auto table = quant::calibrate(result.plan.graph, result.plan.observed, source(),
                                      {.mode = quant::CalibMode::kMinMax}, log);
  for (const auto& entry : table.entries) {
    result.parameters.ranges.push_back(quant::interval_of(entry, quant::CalibMode::kMinMax, 8));
  }
  return result;
}

LayerErrors measure(const Quantized& quantized, int threads = 2) {
  NullLog log;
  return measure_layer_errors(describe_integer(quantized.plan, quantized.parameters, {}), source(),
                              {.threads = threads}, log);
}

/// A copy of a float tensor through `change`.
template <class Change>
Tensor mapped(const Tensor& tensor, Change change) {
  Tensor result(ir::DType::kFloat32, tensor.shape());
  std::ranges::transform(tensor.data<float>(), result.mutable_data<float>().begin(), change);
  return result;
}

/// The error of a layer's output by running the network up to it with its operands rounded.
double plain_error(const QuantizedNetwork& network, const AnalysedLayer& layer, bool round_weight,
                   bool round_input) {
  const Graph& graph = network.reference;
  const OperandRounding& rounding = *layer.rounding;
  const Tensor& weight = graph[graph[layer.layer].inputs[1]].value;
  Tensor rounded(ir::DType::kFloat32, weight.shape());
  const std::int64_t rows = weight.shape()[0];
  const auto row_size = static_cast<std::size_t>(weight.size() / rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    rounding.rounded_row(row, rounded.mutable_data<float>().subspan(
                                  static_cast<std::size_t>(row) * row_size, row_size));
  }
  // The layer and its bias on an input of its own.
  const auto tail = [&](const Tensor& of_weight) {
    Graph alone;
    const NodeId x = alone.add_input("x", graph[rounding.input].type);
    NodeId value = alone.add_copy(graph[layer.layer], {x, alone.add_constant(of_weight)});
    if (layer.output != layer.layer) {
      const NodeId bias = graph[layer.output].inputs[1];
      value = alone.add_copy(graph[layer.output], {value, alone.add_constant(graph[bias].value)});
    }
    alone.set_output(value);
    return alone;
  };
  Graph until = graph;
  until.set_output(rounding.input);
  ErrorSums sums;
  for (std::int64_t batch = 0; batch < kBatches; ++batch) {
    const Tensor x = exec::run_reference(until, batch_of(batch))[0];
    const Grid& grid = rounding.grid;
    const Tensor on_grid = mapped(x, [&](float value) {
      const float level =
          std::floor(value / grid.scale + static_cast<float>(grid.zero_point) + .5F);
      return (std::clamp(level, static_cast<float>(grid.lowest), static_cast<float>(grid.highest)) -
              static_cast<float>(grid.zero_point)) *
             grid.scale;
    });
    const std::vector<Tensor> exact = {x};
    const std::vector<Tensor> given = {round_input ? on_grid : x};
    sums.add(exec::run_reference(tail(weight), exact)[0].data<float>(),
             exec::run_reference(tail(round_weight ? rounded : weight), given)[0].data<float>());
  }
  return sums.metrics().sqnr_db;
}

TEST(LayerErrors, AreThoseOfTheNetworkRunWithRoundedOperands) {
  const Quantized quantized = quantize(Network().graph);
  const QuantizedNetwork network = describe_integer(quantized.plan, quantized.parameters, {});
  const LayerErrors errors = measure(quantized);
  ASSERT_EQ(errors.layers.size(), 4U);
  EXPECT_EQ(errors.batches, kBatches);
  for (std::size_t i = 0; i < errors.layers.size(); ++i) {
    const AnalysedLayer& layer = network.layers[i];
    ASSERT_TRUE(layer.rounding && errors.layers[i].isolated) << i;
    EXPECT_NEAR(errors.layers[i].isolated->sqnr_db, plain_error(network, layer, true, true), 0.02)
        << i;
    EXPECT_NEAR(errors.layers[i].weight->sqnr_db, plain_error(network, layer, true, false), 0.02)
        << i;
    EXPECT_NEAR(errors.layers[i].activation->sqnr_db, plain_error(network, layer, false, true),
                0.02)
        << i;
  }
}

TEST(LayerErrors, AccumulateAlongTheNetwork) {
  const Quantized quantized = quantize(Network().graph);
  const LayerErrors errors = measure(quantized);
  // The first layer has nothing before it but the rounding of its own input.
  EXPECT_NEAR(errors.layers[0].accumulated->sqnr_db, errors.layers[0].isolated->sqnr_db, 0.5);
  EXPECT_LT(errors.layers[2].accumulated->sqnr_db, errors.layers[2].isolated->sqnr_db);

  // Of the last layer: the output of the integer graph itself.
  const Graph integer = quant::realize_integer(quantized.plan, quantized.parameters, {});
  ErrorSums sums;
  for (std::int64_t batch = 0; batch < kBatches; ++batch) {
    sums.add(exec::run_reference(quantized.plan.graph, batch_of(batch))[0].data<float>(),
             exec::run_reference(integer, batch_of(batch))[0].data<float>());
  }
  EXPECT_NEAR(errors.layers[3].accumulated->sqnr_db, sums.metrics().sqnr_db, 1e-3);
}

TEST(LayerErrors, APlantedBadRangeIsFoundByItsLayer) {
  const Quantized good = quantize(Network().graph);
  const QuantizedNetwork network = describe_integer(good.plan, good.parameters, {});
  for (std::size_t bad = 0; bad < network.layers.size(); ++bad) {
    Quantized planted = good;
    const NodeId input = network.layers[bad].rounding->input;
    // The range whose group the layer's input belongs to.
    for (std::size_t i = 0; i < good.plan.observed.size(); ++i) {
      if (good.plan.groups[good.plan.observed[i]] != good.plan.groups[input]) continue;
      planted.parameters.ranges[i].high *= 40;
      planted.parameters.ranges[i].low *= 40;
    }
    const LayerErrors errors = measure(planted);
    const auto worst = std::ranges::min_element(
        errors.layers, {}, [](const LayerError& layer) { return layer.isolated->sqnr_db; });
    EXPECT_EQ(static_cast<std::size_t>(worst - errors.layers.begin()), bad);
    EXPECT_LT(worst->activation->sqnr_db, worst->weight->sqnr_db) << "the input is to blame";
  }
}

TEST(LayerErrors, SaturationCountsWhatLiesBeyondTheGrid) {
  Quantized quantized = quantize(Network().graph);
  EXPECT_EQ(measure(quantized).saturated[0], 0) << "minmax covers what it saw";
  quantized.parameters.ranges[0] = {-0.5F, 0.5F};  // of a uniform input in [-1, 1]
  EXPECT_NEAR(measure(quantized).saturated[0], 0.5, 0.05);
}

TEST(LayerErrors, AFloatLayerHasOnlyAnAccumulatedError) {
  Quantized quantized = quantize(Network().graph);
  const quant::IntegerOptions options{.skip_conv_layers = {1}};
  quantized.plan = quant::plan_integer(Network().graph, options);
  NullLog log;
  const auto table = quant::calibrate(quantized.plan.graph, quantized.plan.observed, source(),
                                      {.mode = quant::CalibMode::kMinMax}, log);
  quantized.parameters.ranges.clear();
  for (const auto& entry : table.entries) {
    quantized.parameters.ranges.push_back(quant::interval_of(entry, quant::CalibMode::kMinMax, 8));
  }
  const LayerErrors errors = measure_layer_errors(
      describe_integer(quantized.plan, quantized.parameters, options), source(), {}, log);
  EXPECT_FALSE(errors.layers[1].isolated);
  ASSERT_TRUE(errors.layers[1].accumulated);
  EXPECT_GT(errors.layers[1].accumulated->sqnr_db, 20);
}

TEST(LayerErrors, AnyNumberOfThreadsGivesTheSameBits) {
  const Quantized quantized = quantize(Network().graph);
  const LayerErrors one = measure(quantized, 1);
  const LayerErrors many = measure(quantized, 5);
  for (std::size_t i = 0; i < one.layers.size(); ++i) {
    EXPECT_EQ(one.layers[i].isolated->sqnr_db, many.layers[i].isolated->sqnr_db);
    EXPECT_EQ(one.layers[i].accumulated->sqnr_db, many.layers[i].accumulated->sqnr_db);
  }
}

TEST(SamplePositions, AreDifferentAndWithin) {
  for (const std::int64_t total : {1, 16, 17, 100, 49, 12544}) {
    for (const std::int64_t batch : {0, 1, 31}) {
      const auto positions = sample_positions(total, 16, batch);
      EXPECT_EQ(positions.size(), static_cast<std::size_t>(std::min<std::int64_t>(total, 16)));
      EXPECT_EQ(std::ranges::adjacent_find(positions), positions.end());
      EXPECT_GE(positions.front(), 0);
      EXPECT_LT(positions.back(), total);
    }
  }
  EXPECT_TRUE(sample_positions(0, 16, 3).empty());
}

TEST(SamplePositions, ABlockedValueGivesTheElementsOfAPlainOne) {
  std::vector<float> plain;  // [2][4][3]
  for (int i = 0; i < 24; ++i) plain.push_back(static_cast<float>(i));
  std::vector<float> blocked(24);  // [2][2][3][2]
  exec::TapView wide{.elements = blocked, .channels = 4, .block = 2, .inner = 3};
  for (std::int64_t n = 0; n < 2; ++n) {
    for (std::int64_t c = 0; c < 4; ++c) {
      for (std::int64_t i = 0; i < 3; ++i) {
        blocked[exec::element_index(wide, n, c, i)] =
            plain[static_cast<std::size_t>((n * 4 + c) * 3 + i)];
      }
    }
  }
  const exec::TapView narrow{.elements = plain, .channels = 4, .block = 1, .inner = 3};
  const std::vector<std::int64_t> positions = {0, 2, 5};
  EXPECT_EQ(gather(wide, positions), gather(narrow, positions));
  EXPECT_EQ(gather(narrow, positions)[4], 2) << "position 2, channel 0";
  EXPECT_EQ(gather(narrow, positions)[8], 14) << "position 5: image 1, element 2 of channel 0";
}

}  // namespace
}  // namespace tvmq::analysis
