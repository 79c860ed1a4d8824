#include "ir/rewrite.h"

namespace tvmq::ir {

Graph compact(const Graph& graph) {
  GraphRewriter rewriter(graph);
  for (const NodeId input : graph.inputs()) rewriter.map(input, rewriter.copy(input));
  for (const NodeId id : post_order(graph, graph.output())) {
    if (graph[id].kind != NodeKind::kInput) rewriter.map(id, rewriter.copy(id));
  }
  rewriter.target().set_output(rewriter.mapped(graph.output()));
  return std::move(rewriter.target());
}

}  // namespace tvmq::ir
