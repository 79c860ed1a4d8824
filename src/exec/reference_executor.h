// Runs whole graphs and modules with the reference kernels.
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"

namespace tvmq::exec {

/// Evaluates what the outputs need, in topological order, and drops every value after its last use.
///
/// `inputs` are in the order of graph.inputs(); each must have the declared dtype and shape (any
/// size where the declaration leaves a dimension open). An input that nothing needs may be an empty
/// tensor. Returns one tensor per graph.outputs(), or per field if the only output is tuple-typed.
/// infer_types() need not have been called.
///
/// Throws InputError: an operator without a kernel is needed (names the layer), an input that does
/// not fit, a call of another function (use the overload for modules).
std::vector<ir::Tensor> run_reference(const ir::Graph& graph, std::span<const ir::Tensor> inputs);

/// The same for `main` of a module, following calls of its other functions.
/// Also throws InputError for functions that call each other in a circle.
std::vector<ir::Tensor> run_reference(const ir::Module& module, std::span<const ir::Tensor> inputs);

}  // namespace tvmq::exec
