// Small networks for the tests of the integer scheme, with the samples that they are calibrated on.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exec/reference_executor.h"
#include "ir/graph.h"
#include "ir/infer_types.h"
#include "quant/calibrate.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::Op;
using ir::Tensor;

/// Reproducible values in [-1, 1), the same on every machine.
inline std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 1664525U + 1013904223U;
    value = static_cast<float>(seed >> 8) / static_cast<float>(1 << 23) - 1;
  }
  return values;
}

inline Tensor random_tensor(const ir::Shape& shape, std::uint32_t seed) {
  const auto values = noise(static_cast<std::size_t>(ir::element_count(shape).value()), seed);
  return Tensor::from<float>(shape, std::span<const float>(values));
}

class Network {
 public:
  Network() {
    last_ = input_ = graph_.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 4, 8, 8}});
  }

  NodeId convolution(NodeId data, std::int64_t in, std::int64_t out, std::int64_t kernel,
                     std::int64_t groups = 1) {
    const NodeId weight =
        graph_.add_constant(random_tensor({out, in / groups, kernel, kernel}, ++seed_));
    const std::int64_t pad = kernel / 2;
    const NodeId conv = graph_.add_call(Op::kConv2D, {data, weight},
                                        ir::Conv2DAttrs{.padding = {pad, pad, pad, pad},
                                                        .groups = groups,
                                                        .channels = out,
                                                        .kernel_size = ir::IntList{kernel, kernel},
                                                        .out_layout = {}},
                                        "conv" + std::to_string(++count_));
    const NodeId bias = graph_.add_constant(random_tensor({out, 1, 1}, ++seed_));
    return call(Op::kAdd, {conv, bias});
  }
  NodeId call(Op op, std::vector<NodeId> inputs, ir::Attrs attrs = {}) {
    return last_ = graph_.add_call(op, std::move(inputs), std::move(attrs));
  }
  NodeId input() const { return input_; }
  Graph& graph() { return graph_; }
  Graph finish() {
    graph_.set_output(last_);
    ir::infer_types(graph_);
    return graph_;
  }

 private:
  Graph graph_;
  NodeId input_ = 0;
  NodeId last_ = 0;
  std::uint32_t seed_ = 0;
  int count_ = 0;
};

inline BatchSource samples() {
  return {.batches = 4,
          .load =
              [](std::int64_t batch) {
                return std::vector<Tensor>{
                    random_tensor({1, 4, 8, 8}, 100 + static_cast<std::uint32_t>(batch))};
              },
          .describe = [](std::int64_t batch) { return std::to_string(batch); }};
}

inline std::vector<Interval> ranges_of(const IntegerPlan& plan) {
  NullLog log;
  std::vector<Interval> ranges;
  for (const auto& entry :
       calibrate(plan.graph, plan.observed, samples(), {.mode = CalibMode::kMinMax}, log).entries) {
    ranges.push_back({entry.min, entry.max});
  }
  return ranges;
}

inline double sqnr(const Graph& wanted, const Graph& found) {
  double signal = 0;
  double error = 0;
  for (std::int64_t batch = 0; batch < samples().batches; ++batch) {
    const auto inputs = *samples().load(batch);
    const Tensor a = exec::run_reference(wanted, inputs)[0];
    const Tensor b = exec::run_reference(found, inputs)[0];
    for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
      const double x = a.data<float>()[i];
      const double y = b.data<float>()[i];
      signal += x * x;
      error += (x - y) * (x - y);
    }
  }
  return 10 * std::log10(signal / error);
}

inline int count(const Graph& graph, Op op, ir::DType dtype) {
  int result = 0;
  for (const Node& node : graph.nodes()) {
    result += node.is_call(op) && node.tensor_type().dtype == dtype ? 1 : 0;
  }
  return result;
}

inline Graph chain() {
  Network n;
  NodeId x = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  x = n.call(Op::kRelu, {n.convolution(x, 8, 8, 1)});
  n.convolution(x, 8, 4, 3);
  return n.finish();
}

inline Graph residual_of_two_convolutions() {
  Network n;
  const NodeId stem = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  const NodeId left = n.convolution(stem, 8, 8, 3);
  const NodeId right = n.convolution(stem, 8, 8, 1);
  const NodeId sum = n.call(Op::kRelu, {n.call(Op::kAdd, {left, right})});
  n.convolution(sum, 8, 4, 1);
  return n.finish();
}

/// A sum past a convolution, and another sum past that.
inline Graph residual_past_convolutions() {
  Network n;
  NodeId x = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  x = n.call(Op::kRelu, {n.call(Op::kAdd, {n.convolution(x, 8, 8, 3), x})});
  x = n.call(Op::kAdd, {x, n.convolution(x, 8, 8, 3, 8)});
  n.convolution(x, 8, 4, 1);
  return n.finish();
}

inline Graph depthwise_with_relu6_and_swish() {
  Network n;
  NodeId x =
      n.call(Op::kClip, {n.convolution(n.input(), 4, 8, 1)}, ir::ClipAttrs{.a_min = 0, .a_max = 6});
  x = n.convolution(x, 8, 8, 3, 8);
  x = n.call(Op::kMultiply, {x, n.call(Op::kSigmoid, {x})});
  n.convolution(x, 8, 4, 1);
  return n.finish();
}

inline Graph squeeze_excite() {
  Network n;
  const NodeId x = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  NodeId gate = n.call(Op::kGlobalAvgPool2D, {x}, ir::GlobalPool2DAttrs{});
  gate = n.call(Op::kSigmoid, {n.convolution(gate, 8, 8, 1)});
  n.convolution(n.call(Op::kMultiply, {x, gate}), 8, 4, 1);
  return n.finish();
}

inline Graph concatenation_and_pooling() {
  Network n;
  const NodeId stem = n.call(Op::kRelu, {n.convolution(n.input(), 4, 8, 3)});
  const NodeId left = n.call(Op::kRelu, {n.convolution(stem, 8, 4, 1)});
  const NodeId right = n.call(Op::kTanh, {n.convolution(stem, 8, 4, 3)});
  NodeId x = n.graph().add_tuple({left, right});
  x = n.call(Op::kConcatenate, {x}, ir::ConcatenateAttrs{.axis = 1});
  x = n.call(Op::kMaxPool2D, {x},
             ir::MaxPool2DAttrs{.pool_size = {2, 2}, .strides = {2, 2}, .out_layout = {}});
  n.convolution(x, 8, 4, 3);
  return n.finish();
}

/// A swish whose result only a pooling, a gate and, flattened, a dense layer read.
inline Graph pooled_swish_and_dense() {
  Network n;
  NodeId x = n.convolution(n.input(), 4, 8, 3);
  x = n.call(Op::kMultiply, {x, n.call(Op::kSigmoid, {x})});
  x = n.call(Op::kMaxPool2D, {x},
             ir::MaxPool2DAttrs{.pool_size = {2, 2}, .strides = {2, 2}, .out_layout = {}});
  NodeId gate = n.call(Op::kGlobalAvgPool2D, {x}, ir::GlobalPool2DAttrs{});
  gate = n.call(Op::kSigmoid, {n.convolution(gate, 8, 8, 1)});
  x = n.convolution(n.call(Op::kMultiply, {x, gate}), 8, 8, 1);
  x = n.call(Op::kGlobalAvgPool2D, {n.call(Op::kRelu, {x})}, ir::GlobalPool2DAttrs{});
  x = n.call(Op::kBatchFlatten, {x});
  n.call(Op::kDense, {x, n.graph().add_constant(random_tensor({5, 8}, 77))}, ir::DenseAttrs{});
  return n.finish();
}

/// Windows that the border cuts, behind a swish (its zero point is not 0), and windows side by
/// side.
inline Graph average_pooling() {
  Network n;
  NodeId x = n.convolution(n.input(), 4, 8, 3);
  x = n.call(Op::kMultiply, {x, n.call(Op::kSigmoid, {x})});
  x = n.call(Op::kAvgPool2D, {x},
             ir::AvgPool2DAttrs{.pool_size = {3, 3}, .padding = {1, 1, 1, 1}, .out_layout = {}});
  x = n.call(Op::kRelu, {n.convolution(x, 8, 8, 1)});
  x = n.call(Op::kAvgPool2D, {x},
             ir::AvgPool2DAttrs{.pool_size = {2, 2}, .strides = {2, 2}, .out_layout = {}});
  x = n.convolution(x, 8, 8, 1);
  x = n.call(Op::kAvgPool2D, {x},
             ir::AvgPool2DAttrs{.pool_size = {2, 3},
                                .padding = {1, 1, 0, 1},
                                .out_layout = {},
                                .count_include_pad = true});
  n.convolution(x, 8, 4, 1);
  return n.finish();
}

inline Graph leaky_activations() {
  Network n;
  NodeId x =
      n.call(Op::kLeakyRelu, {n.convolution(n.input(), 4, 8, 3)}, ir::LeakyReluAttrs{.alpha = 0.1});
  x = n.convolution(x, 8, 8, 1);
  x = n.call(Op::kPrelu, {x, n.graph().add_constant(random_tensor({8}, 55))},
             ir::PReluAttrs{.axis = 1});
  n.convolution(x, 8, 4, 3);
  return n.finish();
}

}  // namespace tvmq::quant
