// TVM's QuantizeRealize: simulated quantizes become integer arithmetic (relay_quantize.md 3.4).
#pragma once

#include <span>

#include "quant/tvm_scheme.h"

namespace tvmq::quant {

/// The integer graph before constants are folded; types are unset. `scales` holds the attributes of
/// annotated.quantizes with scale and bounds set, in that order (see set_scales()).
ir::Graph realize_operators(const AnnotatedGraph& annotated,
                            std::span<const ir::SimulatedQuantizeAttrs> scales,
                            const TvmQuantizeOptions& options);

}  // namespace tvmq::quant
