// How far each channel of a stored value is enlarged: the numbers behind quant/equalize.h.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "quant/channel_statistics.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {

/// A layer that reads the value: its weight, and how its channels meet those of the value.
struct EqualizedLayer {
  const ir::Tensor* weight = nullptr;  ///< [output][input][kernel...]
  bool depthwise = false;              ///< output channel c reads channel c of the value alone
};

/// One factor e per channel, in (0, 1]: the value is stored as v / e, the layers' weights become
/// W * e. Empty if it is best left as it is.
///
/// A channel fills the range [low, high] of its tensor if e is its share of it,
/// max(max_c / high, min_c / low), where its extremes count with headroom for what was not seen;
/// that share to the power of alpha is tried for several alphas, and for several positions of zero
/// within the range: where few channels are negative (behind a swish, say), filling the negative
/// side as well would cost all others half of their steps. The combination of least estimated error
/// is taken, in which rounding the value and rounding the weights both count. Without layers there
/// is no weight to lose: every channel fills the range.
std::vector<double> equalization_factors(const ChannelStatistics& statistics,
                                         std::span<const EqualizedLayer> layers,
                                         const IntegerOptions& options);

}  // namespace tvmq::quant
