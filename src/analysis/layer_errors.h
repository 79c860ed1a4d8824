// Where a quantized network loses accuracy: the error of every layer, by itself and with all that
// came before it, and how much of every stored value saturates.
//
//   batch --> reference Session --taps--> inputs of layers: errors of rounded operands
//         |                         |---> stored values: how many elements saturate
//         |                         '---> outputs of layers: elements at some positions --.
//         '-> quantized Session ----taps--> the same positions, as real numbers ------> compared
//
// Two runs per batch and a few products of patches; memory is a few positions per layer. Sums are
// kept per batch and merged in order: the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "analysis/error_metrics.h"
#include "analysis/quantized_network.h"
#include "base/log.h"
#include "quant/calibrate.h"

namespace tvmq::analysis {

struct LayerErrorOptions {
  std::string_view title = "layer errors";  ///< of the progress
  std::int64_t most_batches = 32;           ///< the first so many of the source
  int threads = 0;                          ///< 0: all cores; does not change the result
};

/// Of the output of a layer. Nothing where it is not known: values that do not correspond, operands
/// that operand_errors.h does not know.
struct LayerError {
  std::optional<ErrorMetrics> accumulated;  ///< in the quantized network
  std::optional<ErrorMetrics> isolated;     ///< if only this layer's operands were rounded
  std::optional<ErrorMetrics> weight;       ///< ... only its weight
  std::optional<ErrorMetrics> activation;   ///< ... only its input
};

struct LayerErrors {
  std::int64_t batches = 0;
  std::vector<LayerError> layers;  ///< one per network.layers
  /// One per network.stored: the share of elements beyond the grid's ends; of none: 0.
  std::vector<double> saturated;
};

/// Throws InputError: no batch that could be loaded, no kernel for an operator.
LayerErrors measure_layer_errors(const QuantizedNetwork& network, const quant::BatchSource& source,
                                 const LayerErrorOptions& options, Log& log);

}  // namespace tvmq::analysis
