// Looking at a quantized graph: what TVM will say to it, and what became integer.
#pragma once

#include <string>
#include <vector>

#include "quant/tvm_scheme.h"

namespace tvmq::quant {

/// One line per operator that TVM v0.19 types, but cannot compile. REQUIRES: a typed graph.
///   * fixed_point_multiply of 8 or 16 bit integers: computes int32, is typed as its operand
///     (relay_quantize.md 3.4, UnifyDTypeScale)
///   * clip of integers to a bound that their type cannot hold
std::vector<std::string> not_compilable(const ir::Graph& quantized);

/// What became of `layers` (those of the annotated graph, in visit order) in the graph that realize
/// built, and how many operators work on integers. REQUIRES: a typed graph.
QuantizationSummary summarize(std::vector<QuantizationSummary::Layer> layers,
                              const ir::Graph& realized);
/// Counts again, after constants were folded.
void count_operators(const ir::Graph& quantized, QuantizationSummary& summary);

}  // namespace tvmq::quant
