// Is a graph well formed? Run between passes, to name the pass that broke it.
#pragma once

#include <optional>
#include <string>

#include "ir/graph.h"

namespace tvmq::ir {

/// One sentence about the first thing wrong with the graph, which names the node; nothing if all is
/// well: it has an output; operands precede their users; every kind of node has the operands and
/// fields of its kind and no others; calls have their operator's number of arguments and its kind
/// of attributes; inputs() lists the inputs; and every type is the one that infer_types() gives. A
/// graph in which no computed value has a type counts as not inferred yet: then its types are not
/// looked at.
std::optional<std::string> first_violation(const Graph& graph);

}  // namespace tvmq::ir
