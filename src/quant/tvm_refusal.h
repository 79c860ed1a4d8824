// Where TVM v0.19 stops with an error of its own, one function per reason. Each makes the
// InputError that names the layer, what TVM does there and what avoids it.
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "ir/graph.h"

namespace tvmq::quant::refusal {

/// A convolution or matrix product whose weight is computed from quantized values.
InputError computed_weight(const ir::Graph& graph, ir::NodeId layer);
/// A weight to be quantized that is not a constant (not bound, or computed).
InputError weight_not_constant(const ir::Graph& graph, ir::NodeId weight);
/// A weight without elements has no largest magnitude.
InputError empty_weight(const ir::Graph& graph, ir::NodeId weight);
/// multiply of two quantized values.
InputError product_of_quantized(const ir::Graph& graph, ir::NodeId multiply);
/// concatenate whose operand is not a tuple written out in the graph (a split's result, an input).
InputError concatenate_of_computed_tuple(const ir::Graph& graph, ir::NodeId concatenate);
/// A value without dimensions that should be quantized.
InputError scalar_quantized(const ir::Graph& graph, ir::NodeId scalar);
/// A value that should be quantized and is not float32.
InputError not_float32(const ir::Graph& graph, ir::NodeId data);
/// Statistics are asked for and no value is quantized.
InputError nothing_to_observe();
/// Statistics are asked for and a constant is quantized like an activation.
InputError constant_observed(const ir::Graph& graph, ir::NodeId constant);
/// An operator that needs integers on all sides and has them on some only.
InputError half_quantized(const ir::Graph& graph, ir::NodeId call);
/// A requantization to a scale that differs but whose ratio has the logarithm 0.
InputError ratio_too_close_to_one(const ir::Graph& graph, ir::NodeId call, float from, float to);
/// add or concatenate that would have to bring an operand to a coarser scale than it has.
InputError coarser_common_scale(const ir::Graph& graph, ir::NodeId call, ir::NodeId operand,
                                float scale, float common_scale);
/// A fixed point product of a constant that is not int32: TVM evaluates it while it folds
/// constants, and its kernel returns int32 where the type says otherwise.
InputError folded_fixed_point(const ir::Graph& graph, ir::NodeId multiply, ir::NodeId constant);
/// A clip on a value whose scale is 0 (its weight is all zeros): bounds of 0 / 0. TVM builds it;
/// what reads its file cannot mean anything by it.
InputError clip_to_nan(const ir::Graph& graph, ir::NodeId clip);
/// The graph that TVM builds is ill-typed; TVM's next type inference stops. `why` is ours.
InputError ill_typed_result(const std::string& why);

/// partition_conversions: a value that depends on several inputs enters the quantized part.
InputError several_inputs_in_prefix(const ir::Graph& graph, ir::NodeId call);
/// partition_conversions: a tuple on the way from the output to the last integers.
InputError tuple_in_suffix(const ir::Graph& graph, ir::NodeId tuple);
/// partition_conversions: the float end of the network needs more than one value.
InputError several_values_in_suffix(std::span<const std::string> values);
/// fully_integral: what is not integer.
InputError not_integral(std::span<const std::string> findings);

}  // namespace tvmq::quant::refusal
