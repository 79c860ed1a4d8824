// Sequential bias correction: rounding a weight moves the mean of a layer's output, and the means
// of what the layers before it hand on have moved already. The difference between the means of the
// float and of the integer layer, per channel, measured on a few samples, goes into the bias.
//
// Layers are corrected in the order of the network, a few at a time, each time on the integer graph
// with the corrections so far (the sequential kind of Nagel et al. 2019, "Data-Free Quantization",
// 4.2; Banner et al. 2019).
#pragma once

#include <span>

#include "base/log.h"
#include "quant/calibrate.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {

struct BiasCorrectionOptions {
  std::int64_t most_batches = 32;  ///< the first so many of the source
  /// Each round compiles and runs the layers up to those that it corrects. One layer per round
  /// while rounds times layers are no more than this (256 layers); beyond, layers are taken
  /// together, so that the work does not grow with the square of the layers.
  std::size_t most_layer_runs = std::size_t{256} * 256;
  int threads = 0;  ///< 0: all cores; does not change the result
};

BiasOffsets correct_bias(const IntegerPlan& plan, IntegerParameters parameters,
                         const IntegerOptions& options, const BatchSource& source,
                         const BiasCorrectionOptions& correction, Log& log);

}  // namespace tvmq::quant
