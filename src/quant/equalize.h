// Activation equalization: every channel of a stored value uses the whole range of its 8 bits.
//
//   before:  v -> conv2d(v, W)                 after:  v * (1/e) -> conv2d(v * (1/e), W * e)
//
// with one factor e per channel. One scale for a tensor wastes the bits of channels that are much
// smaller than the largest one; behind a depthwise convolution nothing averages that error out. The
// multiplication costs nothing: it becomes part of the scale with which v is quantized. A depthwise
// weight has a scale per channel anyway and loses nothing either; in other weights e makes some
// input channels smaller, which costs bits there. e = r^alpha (r: the channel's share of the range)
// with the alpha that makes the estimated sum of both errors least.
//
// The idea is cross-layer equalization (Nagel et al. 2019, "Data-Free Quantization"), with the
// estimate in place of the square root, and on values instead of weights: the activation function
// in between (ReLU6, swish) does not matter.
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"
#include "quant/channel_statistics.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {

/// The stored values of `plan` that can be equalized: computed, four-dimensional or a matrix, with
/// users that are layers, elementwise steps or means.
std::vector<ir::NodeId> equalizable(const IntegerPlan& plan);

/// plan.graph with the factors in it; typed; the same function up to rounding. `statistics` in the
/// order of `values`.
ir::Graph equalize(const IntegerPlan& plan, std::span<const ir::NodeId> values,
                   std::span<const ChannelStatistics> statistics, const IntegerOptions& options);

}  // namespace tvmq::quant
