// Small networks for the tests of the tvm scheme, and graphs as one line of text.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/infer_types.h"
#include "quant/tvm_scheme.h"

namespace tvmq::quant {

/// Builds a typed graph on one 1x4x8x8 input "x"; convolutions are 1x1, 4 to 4 channels.
class Net {
 public:
  Net() : x_(input("x")) {}

  ir::NodeId x() const { return x_; }
  ir::NodeId input(std::string name, ir::Shape shape = {1, 4, 8, 8}) {
    return graph_.add_input(std::move(name), ir::TensorType{ir::DType::kFloat32, std::move(shape)});
  }
  ir::NodeId constant(std::string name, ir::Shape shape, float value = 0.5F) {
    ir::Tensor tensor(ir::DType::kFloat32, std::move(shape));
    for (float& each : tensor.mutable_data<float>()) each = value;
    return graph_.add_constant(std::move(tensor), std::move(name));
  }
  ir::NodeId bias(float value = 0.25F) { return constant("b", {4, 1, 1}, value); }
  ir::NodeId conv(ir::NodeId data, float weight = 0.5F, std::string name = {}) {
    return conv(data, constant("w", {4, 4, 1, 1}, weight), std::move(name));
  }
  ir::NodeId conv(ir::NodeId data, ir::NodeId weight, std::string name) {
    return graph_.add_call(ir::Op::kConv2D, {data, weight}, ir::Conv2DAttrs{}, std::move(name));
  }
  /// An operator with its default attributes.
  ir::NodeId call(ir::Op op, std::vector<ir::NodeId> operands) {
    return graph_.add_call(op, std::move(operands), ir::op_info(op).default_attrs);
  }
  ir::NodeId call(ir::Op op, std::vector<ir::NodeId> operands, ir::Attrs attrs) {
    return graph_.add_call(op, std::move(operands), std::move(attrs));
  }
  ir::NodeId pool(ir::NodeId data) {
    ir::MaxPool2DAttrs attrs;
    attrs.pool_size = {2, 2};
    attrs.strides = {2, 2};
    return call(ir::Op::kMaxPool2D, {data}, attrs);
  }
  ir::NodeId concatenate(std::vector<ir::NodeId> parts) {
    const ir::NodeId tuple = graph_.add_tuple(std::move(parts));
    return call(ir::Op::kConcatenate, {tuple}, ir::ConcatenateAttrs{.axis = 1});
  }
  ir::Graph& graph() { return graph_; }
  ir::Graph finish(ir::NodeId output) {
    graph_.set_output(output);
    ir::infer_types(graph_);
    return graph_;
  }

 private:
  ir::Graph graph_;
  ir::NodeId x_;
};

/// The graph as one expression; what several nodes use is named before it: "$0 = relu(x); add($0,
/// $0)". Inputs and named constants are their names, scalars their values.
inline std::string outline(const ir::Graph& graph) {
  const std::vector<std::uint32_t> uses = ir::use_counts(graph);
  std::map<ir::NodeId, std::string> text;
  int shared = 0;
  std::string definitions;
  const auto scalar = [](const ir::Tensor& value) -> std::string {
    switch (value.dtype()) {
      case ir::DType::kFloat32:
        return fmt::format("{}f", value.data<float>()[0]);
      case ir::DType::kInt8:
        return fmt::format("{}b", value.data<std::int8_t>()[0]);
      case ir::DType::kInt32:
        return fmt::format("{}", value.data<std::int32_t>()[0]);
      case ir::DType::kInt64:
        return fmt::format("{}l", value.data<std::int64_t>()[0]);
      default:
        return "?";
    }
  };
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) {
    const ir::Node& node = graph[id];
    if (node.kind == ir::NodeKind::kInput) {
      text[id] = node.name;
      continue;
    }
    if (node.is_constant()) {
      text[id] = node.value.rank() == 0 ? scalar(node.value) : node.name;
      continue;
    }
    std::string head(node.kind == ir::NodeKind::kCall ? node.op_name() : "");
    head = head.substr(head.rfind('.') + 1);  // npos + 1 is 0
    std::vector<std::string> parts;
    for (const ir::NodeId operand : node.inputs) parts.push_back(text.at(operand));
    if (node.is_call(ir::Op::kSimulatedQuantize)) {
      constexpr std::string_view kNames[] = {"?", "input", "weight", "activation"};
      head = kNames[node.attrs_as<ir::SimulatedQuantizeAttrs>().kind];
    } else if (node.is_call(ir::Op::kCast)) {
      head = ir::dtype_name(node.attrs_as<ir::CastAttrs>().dtype);
    } else if (node.is_call(ir::Op::kCastHint)) {
      head = fmt::format("hint_{}", ir::dtype_name(node.attrs_as<ir::CastHintAttrs>().dtype));
    } else if (node.is_call(ir::Op::kClip)) {
      const auto& clip = node.attrs_as<ir::ClipAttrs>();
      parts.push_back(fmt::format("{}..{}", clip.a_min, clip.a_max));
    } else if (node.is_call(ir::Op::kFixedPointMultiply)) {
      const auto& attrs = node.attrs_as<ir::FixedPointMultiplyAttrs>();
      parts.push_back(fmt::format("{}^{}", attrs.multiplier, attrs.shift));
    } else if (node.is_call(ir::Op::kStopFusion)) {
      head = "stop";
    } else if (node.kind == ir::NodeKind::kTupleGetItem) {
      head = fmt::format("field{}", node.index);
    } else if (node.kind == ir::NodeKind::kInvoke) {
      head = "@" + node.callee;
    }
    std::string expression = fmt::format("{}({})", head, fmt::join(parts, ", "));
    if (!node.let_name.empty()) expression = fmt::format("{}={}", node.let_name, expression);
    if (uses[id] > 1) {
      text[id] = fmt::format("${}", shared++);
      definitions += fmt::format("{} = {}; ", text[id], expression);
    } else {
      text[id] = std::move(expression);
    }
  }
  return definitions + text.at(graph.output());
}

}  // namespace tvmq::quant
