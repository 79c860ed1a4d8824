// Changing a graph the way TVM's mutators do.
//
// The pool starts as a copy of the source, with the same ids, and grows. A node of the result is
// the source's own node unless an operand of it was replaced, so that identity of ids is TVM's
// identity of objects: "the original expression" and "the rewritten expression" can both be used,
// and coincide where nothing changed.
//
//   Mutation mutation(source);
//   for (const NodeId id : post_order(source, source.output())) {
//     mutation.replace(id, is_dropout(id) ? mutation.input(id, 0) : mutation.rebuild(id));
//   }
//   return std::move(mutation).finish();
#pragma once

#include <numeric>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "ir/infer_types.h"
#include "ir/rewrite.h"

namespace tvmq::passes {

class Mutation {
 public:
  explicit Mutation(const ir::Graph& source)
      : source_(source), pool_(source), current_(source.size()) {
    std::iota(current_.begin(), current_.end(), ir::NodeId{0});
  }

  /// References into it stay valid while the pool grows.
  [[nodiscard]] const ir::Graph& source() const { return source_; }
  [[nodiscard]] ir::Graph& pool() { return pool_; }

  /// What stands for source node `id`: itself until replace() is called.
  [[nodiscard]] ir::NodeId operator[](ir::NodeId id) const { return current_.at(id); }
  /// What stands for operand `which` of source node `id`.
  [[nodiscard]] ir::NodeId input(ir::NodeId id, std::size_t which) const {
    return current_.at(source_[id].inputs.at(which));
  }
  void replace(ir::NodeId id, ir::NodeId by) { current_.at(id) = by; }

  /// Source node `id` on `inputs`: the node itself if they are its own operands, else a copy.
  ir::NodeId rebuild(ir::NodeId id, std::vector<ir::NodeId> inputs) {
    if (inputs == source_[id].inputs) return id;
    return pool_.add_copy(source_[id], std::move(inputs));
  }
  /// ... on what stands for its operands.
  ir::NodeId rebuild(ir::NodeId id) {
    std::vector<ir::NodeId> inputs = source_[id].inputs;
    for (ir::NodeId& each : inputs) each = current_.at(each);
    return rebuild(id, std::move(inputs));
  }

  /// The result: what the output became, compact and typed.
  ir::Graph finish() && {
    pool_.set_output(current_.at(source_.output()));
    ir::Graph result = ir::compact(pool_);
    ir::infer_types(result);
    return result;
  }

 private:
  const ir::Graph& source_;
  ir::Graph pool_;
  std::vector<ir::NodeId> current_;
};

}  // namespace tvmq::passes
