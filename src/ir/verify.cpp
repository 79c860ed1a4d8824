#include "ir/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/infer_types.h"

namespace tvmq::ir {
namespace {

bool is_computed(const Node& node) {
  return node.kind != NodeKind::kInput && node.kind != NodeKind::kConstant;
}

std::string call_violation(const Node& node) {
  if (node.op == Op::kOpaque) {
    return node.callee.empty() ? "opaque call without an operator name" : "";
  }
  const OpInfo& info = op_info(node.op);
  if (node.inputs.size() != info.arguments) {
    return fmt::format("{} arguments, expected {}", node.inputs.size(), info.arguments);
  }
  return node.attrs->index() == info.attrs_index ? "" : "attributes of another operator";
}

/// What is wrong with a node by itself; empty if nothing.
std::string node_violation(const Node& node) {
  const bool is_call = node.kind == NodeKind::kCall;
  if (!is_call && node.op != Op::kOpaque) return "an operator on what is not a call";
  if (!is_call && node.attrs->index() != 0) return "attributes on what is not a call";
  if (node.kind != NodeKind::kConstant && !node.value.empty()) return "a value beside a constant";
  switch (node.kind) {
    case NodeKind::kInput:
      return node.inputs.empty() ? "" : "an input with operands";
    case NodeKind::kConstant:
      if (node.value.empty()) return "a constant without a value";
      return node.inputs.empty() ? "" : "a constant with operands";
    case NodeKind::kCall:
      return call_violation(node);
    case NodeKind::kTuple:
      return "";
    case NodeKind::kTupleGetItem:
      if (node.inputs.size() != 1) return "a tuple field of other than one operand";
      return node.index < 0 ? fmt::format("field {} of a tuple", node.index) : "";
    case NodeKind::kInvoke:
      return node.callee.empty() ? "a call of a function without a name" : "";
  }
  return "an unknown kind of node";
}

std::string type_violation(const Graph& graph, NodeId id) {
  const Type inferred = infer_type(graph, id);
  if (inferred == graph[id].type) return {};
  return fmt::format("its type is {}, inferred is {}", to_string(graph[id].type),
                     to_string(inferred));
}

}  // namespace

std::optional<std::string> first_violation(const Graph& graph) {
  if (!graph.has_output()) return "the graph has no output";
  const auto nodes = graph.nodes();
  const bool typed = std::any_of(nodes.begin(), nodes.end(), [](const Node& node) {
    return is_computed(node) && is_known(node.type);
  });
  std::vector<NodeId> inputs;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph[id];
    const auto violation = [&](std::string_view what) {
      return fmt::format("{} (node {}): {}", describe(graph, id), id, what);
    };
    for (const NodeId operand : node.inputs) {
      if (operand >= id) return violation(fmt::format("operand {} does not precede it", operand));
    }
    if (const std::string wrong = node_violation(node); !wrong.empty()) return violation(wrong);
    if (node.kind == NodeKind::kInput) inputs.push_back(id);
    if (!typed) continue;
    try {
      if (const std::string wrong = type_violation(graph, id); !wrong.empty()) {
        return violation(wrong);
      }
    } catch (const InputError& error) {
      return error.what();
    }
  }
  if (inputs != graph.inputs()) return "inputs() does not list the graph's inputs in order";
  return std::nullopt;
}

}  // namespace tvmq::ir
