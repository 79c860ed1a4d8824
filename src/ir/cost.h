// What a network costs, as far as its graph tells.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace tvmq::ir {

/// Multiply-accumulates of one call of a convolution (also transposed) or matrix product, on floats
/// or integers; 0 for any other node, and where a type is not known or a dimension is open.
std::int64_t multiply_accumulates(const Graph& graph, NodeId id);

/// The sum over all nodes that the output reaches.
std::int64_t multiply_accumulates(const Graph& graph);

/// Elements of the constants that the output reaches, each once.
std::int64_t constant_elements(const Graph& graph);

}  // namespace tvmq::ir
