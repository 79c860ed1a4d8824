// Asymmetric 8-bit numbers: real = scale * (q - zero_point), q in [0, 2^bits - 1].
//
// The one home of these formulas (relay_quantize.md 5, "real value"). Zero is always exactly
// representable, because padding and ReLU produce it and an error there is systematic.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/tensor.h"

namespace tvmq::quant {

/// A range of real values; what lies outside saturates.
struct Interval {
  float low = 0;
  float high = 0;
  bool operator==(const Interval&) const = default;
};

/// The smallest interval that holds both.
Interval unite(const Interval& left, const Interval& right);

struct AffineParameters {
  float scale = 1;
  std::int32_t zero_point = 0;
  std::int32_t highest = 255;  ///< the largest q; the smallest is 0
  bool operator==(const AffineParameters&) const = default;
};

/// What the high byte of a 16-bit number counts in, and the largest such number.
inline constexpr std::int32_t kWideStep = 256;
inline constexpr std::int32_t kWideHighest = 65535;

/// The parameters that cover `interval` (widened to hold zero) with 2^bits levels. The zero point
/// is 0 for an interval without negative values, as behind a ReLU. An interval that is just zero
/// gets scale 1. REQUIRES: 2 <= bits <= 8, finite ends, low <= high.
AffineParameters affine_parameters(const Interval& interval, int bits);

/// The same with 16 bits, as two bytes: q = 256 * high + low. The zero point is a multiple of 256,
/// so that of the low byte is 0. REQUIRES: finite ends, low <= high.
AffineParameters wide_parameters(const Interval& interval);
/// How the high byte of such a number is stored, taken by itself.
AffineParameters high_byte(const AffineParameters& wide);

/// A weight tensor as int8 with one scale per output channel (axis 0) and zero point 0.
struct QuantizedWeight {
  ir::Tensor values;               ///< int8, the weight's shape, in [-(2^(bits-1)-1), 2^(bits-1)-1]
  std::vector<float> scales;       ///< per output channel
  std::vector<std::int32_t> sums;  ///< per output channel: the sum of its values
};

/// Of a channel of zeros, as pruning leaves them: any scale is right for its weights, but its bias
/// counts in steps of the input's scale times this one.
inline constexpr float kZeroChannelScale = 1.0F / 4096;

/// Which scale a channel gets from its largest magnitude.
enum class WeightScale : std::uint8_t {
  kMax,    ///< the magnitude itself
  kPower2  ///< rounded up to a power of two
};

/// Whether every output channel has a scale of its own, or the largest one serves all.
enum class WeightGranularity : std::uint8_t { kPerChannel, kPerTensor };

/// Symmetric quantization, round to nearest. A channel of zeros gets kZeroChannelScale.
/// REQUIRES: float32, rank >= 1, 2 <= bits <= 8.
QuantizedWeight quantize_weight(const ir::Tensor& weight, WeightScale rule,
                                WeightGranularity granularity, int bits);

}  // namespace tvmq::quant
