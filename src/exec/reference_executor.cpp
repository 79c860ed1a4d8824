#include "exec/reference_executor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "exec/reference_kernels.h"

namespace tvmq::exec {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::NodeKind;
using ir::Tensor;
using Values = std::vector<Tensor>;

/// One function being run.
struct Frame {
  std::string name;
  const Graph* graph = nullptr;
  std::vector<NodeId> order;  ///< what the output needs
  std::size_t next = 0;       ///< position in `order`
  std::vector<Values> values;
  std::vector<std::uint32_t> uses_left;
};

void check_input(const Graph& graph, NodeId input, const Tensor& tensor) {
  const auto* type = std::get_if<ir::TensorType>(&graph[input].type);
  if (type == nullptr) return;
  bool fits = type->dtype == tensor.dtype() && type->shape.size() == tensor.shape().size();
  for (std::size_t i = 0; fits && i < type->shape.size(); ++i) {
    fits = type->shape[i] == ir::kDynamicDim || type->shape[i] == tensor.shape()[i];
  }
  if (!fits) {
    throw InputError(ir::describe(graph, input) + ": got " +
                     to_string(ir::TensorType{tensor.dtype(), tensor.shape()}) + ", expected " +
                     to_string(*type));
  }
}

/// A frame whose inputs have their values. `inputs[i]` belongs to graph.inputs()[i].
Frame start(std::string name, const Graph& graph, std::vector<Values> inputs) {
  if (inputs.size() != graph.inputs().size()) {
    throw InputError("function '" + name + "': got " + std::to_string(inputs.size()) +
                     " inputs, expected " + std::to_string(graph.inputs().size()));
  }
  Frame frame;
  frame.name = std::move(name);
  frame.graph = &graph;
  frame.order = ir::post_order(graph, graph.output());
  frame.values.resize(graph.size());
  frame.uses_left = ir::use_counts(graph);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const NodeId id = graph.inputs()[i];
    if (frame.uses_left[id] == 0) continue;
    if (inputs[i].size() == 1) check_input(graph, id, inputs[i].front());
    frame.values[id] = std::move(inputs[i]);
  }
  return frame;
}

std::vector<Values> operands_of(const Frame& frame, NodeId id) {
  std::vector<Values> operands;
  for (const NodeId input : (*frame.graph)[id].inputs) operands.push_back(frame.values[input]);
  return operands;
}

/// Stores a node's value and drops operands that nothing needs any more.
void finish(Frame& frame, NodeId id, Values value) {
  frame.values[id] = std::move(value);
  for (const NodeId input : (*frame.graph)[id].inputs) {
    if (--frame.uses_left[input] == 0) frame.values[input].clear();
  }
}

Values evaluate_node(const Frame& frame, NodeId id) {
  const Graph& graph = *frame.graph;
  const ir::Node& node = graph[id];
  std::vector<Values> operands = operands_of(frame, id);
  switch (node.kind) {
    case NodeKind::kInput:
      return frame.values[id];
    case NodeKind::kConstant:
      return {node.value};
    case NodeKind::kTuple: {
      Values fields;
      for (Values& each : operands) {
        check(each.size() == 1, "the fields of a tuple are tensors");
        fields.push_back(std::move(each.front()));
      }
      return fields;
    }
    case NodeKind::kTupleGetItem: {
      const auto index = static_cast<std::size_t>(node.index);
      check(node.index >= 0 && index < operands.at(0).size(), "the tuple has the field");
      return {operands[0][index]};
    }
    case NodeKind::kCall:
      if (!has_reference_kernel(node.op)) {
        throw InputError(ir::describe(graph, id) + ": the operator '" +
                         std::string(node.op_name()) +
                         "' cannot be run by this program; remove the layer from what is run, or "
                         "replace it in the model");
      }
      return evaluate(graph, id, operands);
    case NodeKind::kInvoke:
      break;
  }
  throw InternalError("a node that is not evaluated");
}

const Graph& callee_of(const ir::Module* module, const Frame& frame, NodeId id,
                       std::span<const Frame> active) {
  const std::string& callee = (*frame.graph)[id].callee;
  const auto known = [&](const ir::Function& each) { return each.name == callee; };
  if (module == nullptr || std::ranges::none_of(module->functions, known)) {
    throw InputError(ir::describe(*frame.graph, id) + ": there is no such function to run");
  }
  if (std::ranges::any_of(active, [&](const Frame& each) { return each.name == callee; })) {
    throw InputError(ir::describe(*frame.graph, id) +
                     ": the functions call each other in a circle");
  }
  return module->function(callee);
}

/// Runs `main`; calls of other functions push a frame, so that no depth overflows the stack.
Values run(const ir::Module* module, const Graph& main, std::span<const Tensor> inputs) {
  std::vector<Values> main_inputs;
  for (const Tensor& tensor : inputs) main_inputs.push_back({tensor});
  std::vector<Frame> frames;
  frames.push_back(start("main", main, std::move(main_inputs)));
  for (;;) {
    Frame& frame = frames.back();
    if (frame.next == frame.order.size()) {
      Values result = std::move(frame.values[frame.graph->output()]);
      frames.pop_back();
      if (frames.empty()) return result;
      Frame& caller = frames.back();
      finish(caller, caller.order[caller.next++], std::move(result));
      continue;
    }
    const NodeId id = frame.order[frame.next];
    if ((*frame.graph)[id].kind == NodeKind::kInvoke) {
      const Graph& callee = callee_of(module, frame, id, frames);
      std::vector<Values> operands = operands_of(frame, id);
      std::string name = (*frame.graph)[id].callee;
      frames.push_back(start(std::move(name), callee, std::move(operands)));
      continue;
    }
    finish(frame, id, evaluate_node(frame, id));
    ++frame.next;
  }
}

}  // namespace

std::vector<Tensor> run_reference(const Graph& graph, std::span<const Tensor> inputs) {
  return run(nullptr, graph, inputs);
}

std::vector<Tensor> run_reference(const ir::Module& module, std::span<const Tensor> inputs) {
  return run(&module, module.main(), inputs);
}

}  // namespace tvmq::exec
