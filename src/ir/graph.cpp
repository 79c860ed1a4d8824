#include "ir/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tvmq::ir {

std::string_view Node::op_name() const {
  check(kind == NodeKind::kCall, "only calls have an operator");
  return op == Op::kOpaque ? std::string_view(callee) : op_info(op).name;
}

const TensorType& Node::tensor_type() const {
  const auto* tensor = std::get_if<TensorType>(&type);
  check(tensor != nullptr, "expected a node with a known tensor type");
  return *tensor;
}

NodeId Graph::add(Node node) {
  const NodeId id = size();
  for (const NodeId input : node.inputs) check(input < id, "a node's inputs precede it");
  nodes_.push_back(std::move(node));
  return id;
}

NodeId Graph::add_input(std::string name, Type type) {
  Node node;
  node.kind = NodeKind::kInput;
  node.name = std::move(name);
  node.type = std::move(type);
  const NodeId id = add(std::move(node));
  inputs_.push_back(id);
  return id;
}

NodeId Graph::add_constant(Tensor value, std::string name) {
  check(!value.empty(), "a constant needs a tensor");
  Node node;
  node.kind = NodeKind::kConstant;
  node.type = TensorType{value.dtype(), value.shape()};
  node.value = std::move(value);
  node.name = std::move(name);
  return add(std::move(node));
}

NodeId Graph::add_call(Op op, std::vector<NodeId> inputs, Attrs attrs, std::string name) {
  const OpInfo& info = op_info(op);
  check(attrs.index() == info.attrs_index, "the attributes belong to another operator");
  Node node;
  node.kind = NodeKind::kCall;
  node.op = op;
  node.inputs = std::move(inputs);
  node.attrs = std::move(attrs);
  node.name = std::move(name);
  return add(std::move(node));
}

NodeId Graph::add_opaque_call(std::string op_name, std::vector<NodeId> inputs, Attrs attrs,
                              std::string name) {
  Node node;
  node.kind = NodeKind::kCall;
  node.op = Op::kOpaque;
  node.callee = std::move(op_name);
  node.inputs = std::move(inputs);
  node.attrs = std::move(attrs);
  node.name = std::move(name);
  return add(std::move(node));
}

NodeId Graph::add_tuple(std::vector<NodeId> fields, std::string name) {
  Node node;
  node.kind = NodeKind::kTuple;
  node.inputs = std::move(fields);
  node.name = std::move(name);
  return add(std::move(node));
}

NodeId Graph::add_tuple_get_item(NodeId tuple, std::int64_t index, std::string name) {
  Node node;
  node.kind = NodeKind::kTupleGetItem;
  node.inputs = {tuple};
  node.index = index;
  node.name = std::move(name);
  return add(std::move(node));
}

NodeId Graph::add_invoke(std::string callee, std::vector<NodeId> inputs, std::string name) {
  Node node;
  node.kind = NodeKind::kInvoke;
  node.callee = std::move(callee);
  node.inputs = std::move(inputs);
  node.name = std::move(name);
  return add(std::move(node));
}

NodeId Graph::add_copy(const Node& node, std::vector<NodeId> inputs) {
  Node copy = node;
  copy.inputs = std::move(inputs);
  const bool is_input = copy.kind == NodeKind::kInput;
  const NodeId id = add(std::move(copy));
  if (is_input) inputs_.push_back(id);
  return id;
}

void Graph::set_output(NodeId output) {
  check(output < size(), "the output is a node of the graph");
  output_ = output;
}

NodeId Graph::output() const {
  check(output_ != kNoOutput, "the graph has an output");
  return output_;
}

std::vector<NodeId> Graph::outputs() const {
  const Node& result = nodes_.at(output());
  return result.kind == NodeKind::kTuple ? result.inputs : std::vector<NodeId>{output()};
}

const Graph& Module::function(std::string_view name) const {
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [&](const Function& each) { return each.name == name; });
  check(found != functions.end(), "the module has the function");
  return found->graph;
}

std::vector<NodeId> post_order(const Graph& graph, NodeId root) {
  struct Frame {
    NodeId id;
    std::size_t next_input;
  };
  std::vector<NodeId> order;
  std::vector<bool> seen(graph.size(), false);
  std::vector<Frame> stack{{root, 0}};
  seen[root] = true;
  while (!stack.empty()) {
    Frame& frame = stack.back();
    const Node& node = graph[frame.id];
    if (frame.next_input == node.inputs.size()) {
      order.push_back(frame.id);
      stack.pop_back();
      continue;
    }
    const NodeId input = node.inputs[frame.next_input++];
    if (!seen[input]) {
      seen[input] = true;
      stack.push_back({input, 0});
    }
  }
  return order;
}

std::vector<std::uint32_t> use_counts(const Graph& graph) {
  std::vector<std::uint32_t> counts(graph.size(), 0);
  for (const NodeId id : post_order(graph, graph.output())) {
    for (const NodeId input : graph[id].inputs) ++counts[input];
  }
  ++counts[graph.output()];
  return counts;
}

std::vector<std::vector<NodeId>> users(const Graph& graph) {
  std::vector<std::vector<NodeId>> result(graph.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const NodeId input : graph[id].inputs) result[input].push_back(id);
  }
  return result;
}

std::string describe(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  switch (node.kind) {
    case NodeKind::kInput:
      return fmt::format("input '{}'", node.name);
    case NodeKind::kConstant:
      return node.name.empty() ? fmt::format("constant #{}", id)
                               : fmt::format("constant '{}'", node.name);
    case NodeKind::kCall:
      return node.name.empty() ? fmt::format("{} #{}", node.op_name(), id)
                               : fmt::format("{} '{}'", node.op_name(), node.name);
    case NodeKind::kTuple:
      return fmt::format("tuple #{}", id);
    case NodeKind::kTupleGetItem:
      return fmt::format("tuple field #{}", id);
    case NodeKind::kInvoke:
      return fmt::format("call of function '{}'", node.callee);
  }
  throw InternalError("node kind without a description");
}

}  // namespace tvmq::ir
