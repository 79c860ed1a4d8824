// The few calls that passes build, with TVM's attributes.
#pragma once

#include <string>

#include "ir/graph.h"

namespace tvmq::passes {

inline ir::NodeId unary(ir::Graph& graph, ir::Op op, ir::NodeId x) {
  return graph.add_call(op, {x});
}
inline ir::NodeId binary(ir::Graph& graph, ir::Op op, ir::NodeId left, ir::NodeId right,
                         std::string name = {}) {
  return graph.add_call(op, {left, right}, {}, std::move(name));
}

/// A vector shaped for broadcasting along `axis` of a tensor of `rank` dimensions: itself if it is
/// the last axis, else followed by dimensions of 1: [C] -> [C, 1, 1].
/// REQUIRES: 0 <= axis < rank.
inline ir::NodeId expand_to_axis(ir::Graph& graph, ir::NodeId vector, std::int64_t rank,
                                 std::int64_t axis) {
  check(0 <= axis && axis < rank, "the axis exists");
  if (axis == rank - 1) return vector;
  return graph.add_call(ir::Op::kExpandDims, {vector},
                        ir::ExpandDimsAttrs{.axis = 1, .num_newaxis = rank - axis - 1});
}

/// The type of a node if it is known and is a tensor's.
inline const ir::TensorType* tensor_type_of(const ir::Graph& graph, ir::NodeId id) {
  return std::get_if<ir::TensorType>(&graph[id].type);
}

}  // namespace tvmq::passes
