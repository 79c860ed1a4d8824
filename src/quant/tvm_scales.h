// The numbers that TVM binds to every simulated quantize (relay_quantize.md 3.3).
#pragma once

#include <span>

#include "quant/tvm_scheme.h"

namespace tvmq::quant {

/// A value v stands for the integer round(v / scale), held within low..high.
struct QuantizeParameters {
  float scale = 0;
  float low = 0;
  float high = 0;
};

/// scale = threshold / 2^(bits - 1); the bounds are symmetric, so that the most negative integer is
/// never used: -127..127 for 8 bits. 32 bits give +-2^31, as float32 has nothing nearer.
QuantizeParameters quantize_parameters(double threshold, int bits);

/// max|w| over the whole tensor, for kPower2 rounded up to a power of two (1 if the maximum is 0 or
/// NaN); for kMax a NaN is the result and a zero tensor gives 0. REQUIRES: a float32 tensor that is
/// not empty.
double weight_threshold(const ir::Tensor& weight, WeightScale mode);

/// Copies of the annotated graph's simulated quantizes' attributes with scale and bounds filled in,
/// one per element of annotated.quantizes. Throws InputError unless there is one finite,
/// non-negative threshold per observed value, or for weights that are not float32.
std::vector<ir::SimulatedQuantizeAttrs> set_scales(const AnnotatedGraph& annotated,
                                                   std::span<const float> thresholds,
                                                   const TvmQuantizeOptions& options);

}  // namespace tvmq::quant
