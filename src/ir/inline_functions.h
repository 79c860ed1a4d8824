// A module of several functions as one graph.
#pragma once

#include "ir/graph.h"

namespace tvmq::ir {

/// `main` with the body of every function it calls in place of the call: what the fast executor and
/// layer-by-layer comparisons want of a module that partition_conversions split. Types are inferred
/// anew. Throws InputError: a call of a function that is not there or with another number of
/// arguments, functions that call each other in a circle, bodies of more than kMostInlinedNodes
/// values together, each counted as often as it is called.
///
///   before:  main(x) = quantized_main(quantize_inputs(x))
///   after:   main(x) = conv2d(cast(clip(multiply(x, 1/s)...)))
Graph inline_functions(const Module& module);

/// Functions that call functions twice double at every level; a file must not choose our memory.
inline constexpr NodeId kMostInlinedNodes = 1U << 20U;

}  // namespace tvmq::ir
