// TVM's QuantizePartition: marks where low precision sections end (relay_quantize.md 3.1).
#pragma once

#include "ir/graph.h"
#include "quant/tvm_scheme.h"

namespace tvmq::quant {

/// Puts annotation.stop_fusion(annotation.cast_hint(x, dtype_input)) where a section of
/// convolution, addition, relu, clip, pooling ends:
///
///     before: conv2d(relu(conv2d(x)))    after: stop(hint(conv2d(stop(hint(relu(conv2d(x)))))))
///
/// The values of the network do not change. Types are unset.
ir::Graph partition(const ir::Graph& graph, const TvmQuantizeOptions& options);

}  // namespace tvmq::quant
