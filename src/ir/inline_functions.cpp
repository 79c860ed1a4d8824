#include "ir/inline_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ir/infer_types.h"

namespace tvmq::ir {
namespace {

/// A function whose body is being appended; calls push frames, so that no depth overflows the
/// stack.
struct Frame {
  const Function* function = nullptr;
  std::vector<NodeId> order;
  std::vector<NodeId> new_ids;  ///< per node of the function
  std::size_t next = 0;
};

/// `visited`: the nodes of all bodies so far. Counting those that are kept would not do: calls of a
/// function that returns its argument leave none.
Frame start(const Function& function, const std::vector<NodeId>& arguments, std::size_t& visited) {
  const Graph& graph = function.graph;
  visited += graph.size();
  if (visited > kMostInlinedNodes) {
    throw InputError(fmt::format(
        "the functions of the module, put in place of their calls, make more than {} values",
        kMostInlinedNodes));
  }
  if (arguments.size() != graph.inputs().size()) {
    throw InputError(fmt::format("a call of the function '{}' has {} arguments, expected {}",
                                 function.name, arguments.size(), graph.inputs().size()));
  }
  Frame frame{.function = &function,
              .order = post_order(graph, graph.output()),
              .new_ids = std::vector<NodeId>(graph.size(), 0)};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    frame.new_ids[graph.inputs()[i]] = arguments[i];
  }
  return frame;
}

const Function& callee_of(const Module& module, const std::string& name,
                          const std::vector<Frame>& active) {
  const auto found = std::ranges::find(module.functions, name, &Function::name);
  if (found == module.functions.end()) {
    throw InputError(
        fmt::format("a call of the function '{}', which the module does not have", name));
  }
  if (std::ranges::any_of(active, [&](const Frame& each) { return each.function == &*found; })) {
    throw InputError(fmt::format("the function '{}' calls itself in a circle", name));
  }
  return *found;
}

}  // namespace

Graph inline_functions(const Module& module) {
  Graph result;
  std::vector<Frame> frames;
  const Function& main = callee_of(module, "main", frames);
  std::vector<NodeId> arguments;
  for (const NodeId input : main.graph.inputs()) {
    arguments.push_back(result.add_copy(main.graph[input], {}));
  }
  std::size_t visited = 0;
  frames.push_back(start(main, arguments, visited));
  for (;;) {
    Frame& frame = frames.back();
    const Graph& graph = frame.function->graph;
    if (frame.next == frame.order.size()) {
      const NodeId value = frame.new_ids[graph.output()];
      frames.pop_back();
      if (frames.empty()) {
        result.set_output(value);
        break;
      }
      Frame& caller = frames.back();
      caller.new_ids[caller.order[caller.next++]] = value;
      continue;
    }
    const NodeId id = frame.order[frame.next];
    const Node& node = graph[id];
    std::vector<NodeId> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId input : node.inputs) inputs.push_back(frame.new_ids[input]);
    if (node.kind == NodeKind::kInvoke) {
      frames.push_back(start(callee_of(module, node.callee, frames), inputs, visited));
      continue;
    }
    if (node.kind != NodeKind::kInput) {
      frame.new_ids[id] = result.add_copy(node, std::move(inputs));
    }
    ++frame.next;
  }
  infer_types(result);
  return result;
}

}  // namespace tvmq::ir
