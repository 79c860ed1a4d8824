#include "exec/layer_patch.h"

#include <gtest/gtest.h>

#include "exec/program_helpers.h"

namespace tvmq::exec {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Tensor;

/// The layer's output from its patches; the view keeps `block` channels together.
std::vector<double> outputs_by_patches(const Graph& graph, NodeId layer, const Tensor& data,
                                       std::int64_t block) {
  const LayerWindow window = layer_window(graph, layer);
  const std::int64_t inner = window.image.data_height * window.image.data_width;
  std::vector<float> elements(static_cast<std::size_t>(data.size()));
  const TapView view{
      .elements = elements, .channels = window.image.channels, .block = block, .inner = inner};
  const auto plain = data.data<float>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    elements[element_index(view, at / inner / window.image.channels,
                           at / inner % window.image.channels, at % inner)] = plain[i];
  }
  const auto weight = graph[graph[layer].inputs[1]].value.data<float>();
  const std::int64_t in_group = window.image.channels / window.groups;
  const auto row = static_cast<std::size_t>(in_group * window.kernel_size());
  const std::size_t rows = weight.size() / row;
  std::vector<double> result;
  for (std::int64_t position = 0; position < window.positions(); ++position) {
    const LayerPatch patch(view, window, position);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto group =
          static_cast<std::int64_t>(r) * window.groups / static_cast<std::int64_t>(rows);
      double sum = 0;
      for (std::size_t i = 0; i < row; ++i) {
        const auto element = static_cast<std::int64_t>(i);
        sum += static_cast<double>(weight[r * row + i]) *
               patch.at(group * in_group + element / window.kernel_size(),
                        element % window.kernel_size() / window.image.kernel_width,
                        element % window.image.kernel_width);
      }
      result.push_back(sum);
    }
  }
  return result;
}

/// [n][channel][i] as [n][i][channel], as outputs_by_patches() gives it.
std::vector<float> with_channels_last(const Tensor& tensor) {
  const std::int64_t channels = tensor.shape()[1];
  const std::int64_t inner = tensor.size() / tensor.shape()[0] / channels;
  const auto values = tensor.data<float>();
  std::vector<float> result;
  for (std::int64_t n = 0; n < tensor.shape()[0]; ++n) {
    for (std::int64_t i = 0; i < inner; ++i) {
      for (std::int64_t c = 0; c < channels; ++c) {
        result.push_back(values[static_cast<std::size_t>((n * channels + c) * inner + i)]);
      }
    }
  }
  return result;
}

void expect_the_outputs(const Graph& graph, const Tensor& data, std::int64_t block) {
  const std::vector<Tensor> outputs = run_reference(graph, std::vector{data});
  const std::vector<float> expected = with_channels_last(outputs.at(0));
  const std::vector<double> actual = outputs_by_patches(graph, graph.output(), data, block);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], static_cast<double>(expected[i]), 1e-5) << i;
  }
}

TEST(LayerPatch, TimesTheWeightIsTheOutputOfAConvolution) {
  const struct {
    const char* name;
    ir::IntList strides, padding, dilation;
    std::int64_t groups;
  } rows[] = {
      {"plain", {1, 1}, {0, 0}, {1, 1}, 1},
      {"strides differ", {2, 1}, {1, 1, 1, 1}, {1, 1}, 1},
      {"padding differs on every side", {1, 2}, {0, 1, 2, 3}, {1, 1}, 1},
      {"one padding for all sides", {2, 2}, {1}, {2, 2}, 1},
      {"dilations differ", {1, 1}, {2, 0}, {2, 1}, 1},
      {"groups", {1, 1}, {1, 1}, {1, 1}, 2},
      {"depthwise", {2, 2}, {1, 1}, {1, 1}, 4},
  };
  for (const auto& row : rows) {
    Numbers numbers;
    Graph graph;
    const NodeId x = graph.add_input("x", float_type({2, 4, 7, 6}));
    const NodeId weight = graph.add_constant(numbers.floats({4, 4 / row.groups, 3, 2}));
    graph.set_output(graph.add_call(Op::kConv2D, {x, weight},
                                    ir::Conv2DAttrs{.strides = row.strides,
                                                    .padding = row.padding,
                                                    .dilation = row.dilation,
                                                    .groups = row.groups,
                                                    .channels = 4,
                                                    .kernel_size = ir::IntList{3, 2}}));
    ir::infer_types(graph);
    const Tensor data = numbers.floats({2, 4, 7, 6});
    for (const std::int64_t block : {1, 2, 4}) {
      SCOPED_TRACE(testing::Message() << row.name << ", " << block << " channels together");
      expect_the_outputs(graph, data, block);
    }
  }
}

TEST(LayerPatch, TimesTheWeightIsTheOutputOfAMatrixProduct) {
  Numbers numbers;
  Graph graph;
  const NodeId x = graph.add_input("x", float_type({3, 8}));
  const NodeId weight = graph.add_constant(numbers.floats({5, 8}));
  graph.set_output(graph.add_call(Op::kDense, {x, weight}, ir::DenseAttrs{}));
  ir::infer_types(graph);
  expect_the_outputs(graph, numbers.floats({3, 8}), 1);
}

}  // namespace
}  // namespace tvmq::exec
