// Building a new graph from an old one, node by node.
//
//   Graph without_dropout(const Graph& graph) {
//     return rewrite(graph, [](GraphRewriter& r, NodeId id) {
//       if (is_dropout(r.source(), id)) return r.input(id, 0);   // its operand, already rewritten
//       return r.copy(id);
//     });
//   }
#pragma once

#include <utility>
#include <vector>

#include "ir/graph.h"

namespace tvmq::ir {

/// Holds the two graphs of a rewrite and which new node stands for each old one.
class GraphRewriter {
 public:
  explicit GraphRewriter(const Graph& source) : source_(source), new_ids_(source.size(), kNone) {}

  [[nodiscard]] const Graph& source() const { return source_; }
  [[nodiscard]] Graph& target() { return target_; }

  /// The new node of old node `id`. REQUIRES: it was rewritten already.
  [[nodiscard]] NodeId mapped(NodeId id) const {
    check(new_ids_.at(id) != kNone, "operands are rewritten before their users");
    return new_ids_[id];
  }
  /// The new node of operand `which` of old node `id`.
  [[nodiscard]] NodeId input(NodeId id, std::size_t which) const {
    return mapped(source_[id].inputs.at(which));
  }
  [[nodiscard]] std::vector<NodeId> inputs(NodeId id) const {
    std::vector<NodeId> result;
    result.reserve(source_[id].inputs.size());
    for (const NodeId each : source_[id].inputs) result.push_back(mapped(each));
    return result;
  }
  /// The old node as it is, on its rewritten operands.
  NodeId copy(NodeId id) { return target_.add_copy(source_[id], inputs(id)); }
  void map(NodeId old_id, NodeId new_id) { new_ids_.at(old_id) = new_id; }

 private:
  static constexpr NodeId kNone = ~NodeId{0};
  const Graph& source_;
  Graph target_;
  std::vector<NodeId> new_ids_;
};

/// Calls `replace(rewriter, id)` for every node that the output reaches, in post order, and builds
/// the graph of what it returns. All inputs of the function are kept, in order, also unused ones;
/// `replace` is not called for them. What nothing uses any more is left out of the result.
template <class Replace>
Graph rewrite(const Graph& source, Replace&& replace);

/// Only the nodes that the output reaches, in post order behind the inputs: the canonical
/// numbering.
Graph compact(const Graph& graph);

template <class Replace>
Graph rewrite(const Graph& source, Replace&& replace) {
  GraphRewriter rewriter(source);
  for (const NodeId input : source.inputs()) rewriter.map(input, rewriter.copy(input));
  for (const NodeId id : post_order(source, source.output())) {
    if (source[id].kind == NodeKind::kInput) continue;
    rewriter.map(id, replace(rewriter, id));
  }
  rewriter.target().set_output(rewriter.mapped(source.output()));
  return compact(rewriter.target());
}

}  // namespace tvmq::ir
