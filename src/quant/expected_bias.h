// Bias correction without samples, from the means of the layers' inputs alone.
//
// Rounding a weight w to q moves the mean of an output by sum((q - w) * E[x]). That is all of what
// bias_correction.h measures but the effect of rounded and clipped activations, and of padding,
// whose zeros are counted as inputs here (Nagel et al. 2019, "Data-Free Quantization", 4.2, with
// means that were measured).
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {

/// The inputs of the plan's integer layers that depend on samples and have channels along axis 1,
/// each once, in order.
std::vector<ir::NodeId> layer_inputs(const IntegerPlan& plan);

/// `means`: per element of layer_inputs(plan), the mean of every channel; a layer whose input has
/// none is left as it is.
BiasOffsets expected_bias(const IntegerPlan& plan, const IntegerParameters& parameters,
                          const IntegerOptions& options,
                          std::span<const std::vector<double>> means);

}  // namespace tvmq::quant
