#include "ir/cost.h"

#include <algorithm>

namespace tvmq::ir {
namespace {

/// Elements of a tensor of known shape; 0 of any other.
std::int64_t elements_of(const Node& node) {
  const auto* type = std::get_if<TensorType>(&node.type);
  if (type == nullptr) return 0;
  return element_count(type->shape).value_or(0);
}

/// An output element of a convolution is a sum over one filter.
std::int64_t filter_size(const Graph& graph, const Node& node, std::int64_t channels) {
  return channels <= 0 ? 0 : elements_of(graph[node.inputs.at(1)]) / channels;
}

std::int64_t dimension(const Node& node, std::string_view layout, char axis) {
  const auto* type = std::get_if<TensorType>(&node.type);
  const std::size_t at = layout.find(axis);
  return type == nullptr || at >= type->shape.size() ? 0 : type->shape[at];
}

template <class ConvAttrs>
std::int64_t convolution(const Graph& graph, const Node& node) {
  const auto& attrs = node.attrs_as<ConvAttrs>();
  const std::string& layout = attrs.out_layout.empty() ? attrs.data_layout : attrs.out_layout;
  return elements_of(node) * filter_size(graph, node, dimension(node, layout, 'C'));
}

/// An input element of a transposed convolution goes into one filter.
template <class ConvAttrs>
std::int64_t transposed(const Graph& graph, const Node& node) {
  const Node& data = graph[node.inputs.at(0)];
  const auto& attrs = node.attrs_as<ConvAttrs>();
  return elements_of(data) * filter_size(graph, node, dimension(data, attrs.data_layout, 'C'));
}

/// The dimension that a matrix product sums over.
std::int64_t product(const Graph& graph, const Node& node, bool transposed_left) {
  const auto* left = std::get_if<TensorType>(&graph[node.inputs.at(0)].type);
  if (left == nullptr || left->shape.size() < 2) return 0;
  const std::int64_t inner = left->shape[left->shape.size() - (transposed_left ? 2 : 1)];
  return std::max<std::int64_t>(inner, 0) * elements_of(node);
}

}  // namespace

std::int64_t multiply_accumulates(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.kind != NodeKind::kCall) return 0;
  switch (node.op) {
    case Op::kConv1D:
      return convolution<Conv1DAttrs>(graph, node);
    case Op::kConv2D:
    case Op::kQnnConv2D:
      return convolution<Conv2DAttrs>(graph, node);
    case Op::kConv3D:
      return convolution<Conv3DAttrs>(graph, node);
    case Op::kConv1DTranspose:
      return transposed<Conv1DTransposeAttrs>(graph, node);
    case Op::kConv2DTranspose:
      return transposed<Conv2DTransposeAttrs>(graph, node);
    case Op::kConv3DTranspose:
      return transposed<Conv3DTransposeAttrs>(graph, node);
    case Op::kDense:
    case Op::kQnnDense:
      return product(graph, node, false);
    case Op::kMatmul:
      return product(graph, node, node.attrs_as<MatmulAttrs>().transpose_a);
    case Op::kBatchMatmul:
      return product(graph, node, node.attrs_as<BatchMatmulAttrs>().transpose_a);
    default:
      return 0;
  }
}

std::int64_t multiply_accumulates(const Graph& graph) {
  std::int64_t sum = 0;
  for (const NodeId id : post_order(graph, graph.output())) sum += multiply_accumulates(graph, id);
  return sum;
}

std::int64_t constant_elements(const Graph& graph) {
  std::int64_t sum = 0;
  for (const NodeId id : post_order(graph, graph.output())) {
    if (graph[id].is_constant()) sum += graph[id].value.size();
  }
  return sum;
}

}  // namespace tvmq::ir
