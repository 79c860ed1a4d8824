#include "exec/program_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "exec/reference_kernels.h"

namespace tvmq::exec {
namespace {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Op;

std::vector<ir::TensorType> fields_of(const ir::Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.is_constant()) return {{node.value.dtype(), node.value.shape()}};
  std::vector<ir::TensorType> fields;
  if (const auto* tensor = std::get_if<ir::TensorType>(&node.type)) fields = {*tensor};
  if (const auto* tuple = std::get_if<ir::TupleType>(&node.type)) fields = tuple->fields;
  bool known = ir::is_known(node.type);
  for (const ir::TensorType& field : fields) {
    known = known && field.dtype != ir::DType::kVoid && ir::element_count(field.shape).has_value();
  }
  if (!known) {
    throw InputError(
        fmt::format("{}: its type is {}; a dtype and a fixed shape are needed to run it. Give the "
                    "model's inputs "
                    "fixed shapes, and leave out operators that this program does not know",
                    ir::describe(graph, id), ir::to_string(node.type)));
  }
  return fields;
}

/// Whether the only result of a call is its first operand under another name.
bool passes_on(const ir::Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::kStopFusion:
    case Op::kCastHint:
    case Op::kCopy:
      return true;
    case Op::kSimulatedQuantize:
      return node.attrs_as<ir::SimulatedQuantizeAttrs>().scale == 0;
    case Op::kCast:
    case Op::kReshape:
    case Op::kSqueeze:
    case Op::kExpandDims:
    case Op::kBatchFlatten:
    case Op::kBroadcastTo:
      return node.type == graph[node.inputs[0]].type;
    default:
      return false;
  }
}

class Builder {
 public:
  Builder(const ir::Graph& graph, std::vector<bool> live)
      : graph_(graph), live_(std::move(live)), of_node_(graph.size()) {}

  LiveValues run() {
    for (const NodeId input : graph_.inputs()) {
      if (live_[input]) of_node_[input] = new_values(input);
      result_.inputs.push_back(live_[input] ? of_node_[input][0] : kNoValue);
    }
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (live_[id] && graph_[id].kind != NodeKind::kInput) add(id);
    }
    return std::move(result_);
  }

  const std::vector<ValueId>& of_node(NodeId id) const { return of_node_[id]; }

 private:
  std::vector<ValueId> new_values(NodeId id) {
    std::vector<ValueId> ids;
    for (ir::TensorType& type : fields_of(graph_, id)) {
      ids.push_back(static_cast<ValueId>(result_.values.size()));
      result_.values.push_back({.node = id, .type = std::move(type)});
    }
    return ids;
  }

  void add(NodeId id) {
    const Node& node = graph_[id];
    std::vector<ValueId>& mine = of_node_[id];
    switch (node.kind) {
      case NodeKind::kInput:
        break;
      case NodeKind::kConstant:
        mine = new_values(id);
        result_.values[mine[0]].constant = node.value;
        break;
      case NodeKind::kTuple:
        for (const NodeId field : node.inputs) {
          mine.insert(mine.end(), of_node_[field].begin(), of_node_[field].end());
        }
        break;
      case NodeKind::kTupleGetItem:
        mine = {of_node_[node.inputs[0]].at(static_cast<std::size_t>(node.index))};
        break;
      case NodeKind::kInvoke:
        throw InputError(
            fmt::format("{}: calls of another function cannot be compiled; inline {} first",
                        ir::describe(graph_, id), node.callee));
      case NodeKind::kCall:
        add_call(id);
        break;
    }
  }

  void add_call(NodeId id) {
    const Node& node = graph_[id];
    if (!has_reference_kernel(node.op)) {
      throw InputError(fmt::format("{}: this program has no kernel for the operator {}",
                                   ir::describe(graph_, id), node.op_name()));
    }
    if (passes_on(graph_, node)) {
      of_node_[id] = of_node_[node.inputs[0]];
      return;
    }
    Call call{.node = id};
    bool constant = true;
    for (const NodeId input : node.inputs) {
      call.operand_sizes.push_back(of_node_[input].size());
      for (const ValueId value : of_node_[input]) {
        call.inputs.push_back(value);
        constant = constant && result_.values[value].is_constant();
      }
    }
    call.outputs = new_values(id);
    of_node_[id] = call.outputs;
    if (node.op == Op::kDropout) of_node_[id][0] = call.inputs[0];
    if (node.op == Op::kBatchNorm) {  // at inference the other results are the given statistics
      of_node_[id] = {call.outputs[0], call.inputs[3], call.inputs[4]};
      call.outputs.resize(1);
    }
    if (constant) {
      evaluate_now(call);
      return;
    }
    const auto index = static_cast<std::uint32_t>(result_.calls.size());
    for (const ValueId input : call.inputs) result_.values[input].users.push_back(index);
    result_.calls.push_back(std::move(call));
  }

  void evaluate_now(const Call& call) {
    std::vector<std::vector<ir::Tensor>> operands;
    std::size_t next = 0;
    for (const std::size_t size : call.operand_sizes) {
      auto& operand = operands.emplace_back();
      for (std::size_t i = 0; i < size; ++i) {
        operand.push_back(result_.values[call.inputs[next++]].constant);
      }
    }
    const std::vector<ir::Tensor> results = evaluate(graph_, call.node, operands);
    for (std::size_t i = 0; i < call.outputs.size(); ++i) {
      result_.values[call.outputs[i]].constant = results.at(i);
    }
  }

  const ir::Graph& graph_;
  std::vector<bool> live_;
  std::vector<std::vector<ValueId>> of_node_;
  LiveValues result_;
};

/// Removes calls none of whose results is used, last one first (the masks of dropouts).
void drop_unused(LiveValues& live) {
  std::vector<bool> keep(live.calls.size(), true);
  std::vector<std::size_t> uses(live.values.size());
  for (std::size_t i = 0; i < live.values.size(); ++i) uses[i] = live.values[i].users.size();
  for (std::size_t index = live.calls.size(); index-- > 0;) {
    bool used = false;
    for (const ValueId output : live.calls[index].outputs) {
      used = used || live.values[output].kept || uses[output] > 0;
    }
    keep[index] = used;
    if (used) continue;
    for (const ValueId input : live.calls[index].inputs) --uses[input];
  }
  std::vector<Call> calls;
  for (std::size_t index = 0; index < keep.size(); ++index) {
    if (keep[index]) calls.push_back(std::move(live.calls[index]));
  }
  live.calls = std::move(calls);
  for (Value& value : live.values) value.users.clear();
  for (std::uint32_t index = 0; index < live.calls.size(); ++index) {
    for (const ValueId input : live.calls[index].inputs) live.values[input].users.push_back(index);
  }
}

}  // namespace

LiveValues live_values(const ir::Graph& graph, std::span<const NodeId> targets,
                       std::span<const NodeId> taps) {
  std::vector<bool> live(graph.size(), false);
  for (const NodeId id : targets) live.at(id) = true;
  for (const NodeId id : taps) live.at(id) = true;
  for (NodeId id = graph.size(); id-- > 0;) {
    if (!live[id]) continue;
    for (const NodeId input : graph[id].inputs) live[input] = true;
  }
  Builder builder(graph, std::move(live));
  LiveValues result = builder.run();
  for (const NodeId id : targets) {
    for (const ValueId value : builder.of_node(id)) {
      result.targets.push_back(value);
      result.values[value].kept = true;
    }
  }
  for (const NodeId id : taps) {
    const bool tuple = std::holds_alternative<ir::TupleType>(graph[id].type);
    const ValueId value = tuple ? kNoValue : builder.of_node(id).at(0);
    if (value == kNoValue || result.type(value).dtype != ir::DType::kFloat32) {
      throw InputError(fmt::format("{}: cannot be tapped, its type is {}; only float32 tensors are",
                                   ir::describe(graph, id), ir::to_string(graph[id].type)));
    }
    result.taps.push_back(value);
    result.values[value].kept = true;
  }
  drop_unused(result);
  return result;
}

bool has_no_elements(const LiveValues& live, const Call& call) {
  const auto is_empty = [&](ValueId value) {
    return value != kNoValue && ir::element_count(live.type(value).shape) == 0;
  };
  return std::ranges::any_of(call.inputs, is_empty) || std::ranges::any_of(call.outputs, is_empty);
}

}  // namespace tvmq::exec
