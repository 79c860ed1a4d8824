// Which dtype and shape every value of a graph has, by TVM v0.19's rules.
#pragma once

#include "ir/graph.h"

namespace tvmq::ir {

/// Sets the type of every node from the declared types of the inputs and the values of the
/// constants. What an opaque operator or another function returns is not known, nor is anything
/// computed from it, nor what depends on an input without a declared type. A dimension that TVM
/// would leave open stays kDynamicDim.
///
/// Throws InputError for a call that no type fits (shapes that do not match, an attribute out of
/// range, a product that overflows); it names the node as describe() does, what was found and what
/// was expected. No attribute value leads to undefined behaviour.
///
/// Where TVM types a call that it cannot compute, this is an error as well: a window that does not
/// fit into the padded data once, sizes below zero, operands of a matrix product whose inner
/// dimensions differ.
void infer_types(Graph& graph);

/// The type of one node. REQUIRES: the nodes it uses have their types (they may be unknown).
/// Inputs keep the type they have.
Type infer_type(const Graph& graph, NodeId id);

}  // namespace tvmq::ir
