// Are two graphs the same network?
#pragma once

#include <optional>
#include <string>

#include "ir/graph.h"

namespace tvmq::ir {

/// Nothing if the graphs are equal: same operators, attributes, constants (to the bit), operand
/// order, sharing, inputs (order, name, declared type) and outputs. Node numbers, layer names and
/// inferred types do not count. Otherwise one sentence about the first difference found, which
/// names the two nodes as describe() does, with their numbers.
std::optional<std::string> first_difference(const Graph& left, const Graph& right);
/// The same for all functions of two modules, in any order.
std::optional<std::string> first_difference(const Module& left, const Module& right);

}  // namespace tvmq::ir
