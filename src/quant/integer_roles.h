// What an operator of the float graph can be in the integer graph.
#pragma once

#include <string>

#include "ir/graph.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {

bool is_float_tensor(const ir::Node& node);

/// What the node is by its operator, types and attributes alone. A layer is Role::kConvolution or
/// Role::kDense here even if why_no_kernel() has an objection.
Role role_of(const ir::Graph& graph, ir::NodeId id);

/// Why TVM cannot run the layer `id` faster on integers; empty if it can.
std::string why_no_kernel(const ir::Graph& graph, ir::NodeId id);

}  // namespace tvmq::quant
