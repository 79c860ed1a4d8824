#include "quant/affine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/error.h"

namespace tvmq::quant {

Interval unite(const Interval& left, const Interval& right) {
  return {std::min(left.low, right.low), std::max(left.high, right.high)};
}

AffineParameters affine_parameters(const Interval& interval, int bits) {
  check(bits >= 2 && bits <= 8, "2 to 8 bits");
  check(
      std::isfinite(interval.low) && std::isfinite(interval.high) && interval.low <= interval.high,
      "a finite interval");
  const double low = std::min(0.0F, interval.low);
  const double high = std::max(0.0F, interval.high);
  const int highest = (1 << bits) - 1;
  const double step = (high - low) / highest;
  // Steps below the smallest normal float32 would make 1/scale infinite.
  if (!(step >= static_cast<double>(std::numeric_limits<float>::min()))) {
    return {.scale = 1, .zero_point = 0, .highest = highest};
  }
  const auto scale = static_cast<float>(step);
  const auto zero_point = static_cast<std::int32_t>(std::lround(-low / static_cast<double>(scale)));
  return {.scale = scale, .zero_point = std::clamp(zero_point, 0, highest), .highest = highest};
}

AffineParameters wide_parameters(const Interval& interval) {
  check(
      std::isfinite(interval.low) && std::isfinite(interval.high) && interval.low <= interval.high,
      "a finite interval");
  const double low = std::min(0.0F, interval.low);
  const double high = std::max(0.0F, interval.high);
  // Of the 256 steps of the high byte one is kept for the zero point, rounded up, and one for the
  // low byte, which does not reach the next step.
  const double step = (high - low) / 254 / kWideStep;
  if (!(step >= static_cast<double>(std::numeric_limits<float>::min()))) {
    return {.scale = 1, .zero_point = 0, .highest = kWideHighest};
  }
  const auto scale = static_cast<float>(step);
  const auto zero_point =
      static_cast<std::int32_t>(std::ceil(-low / static_cast<double>(scale) / kWideStep));
  return {.scale = scale,
          .zero_point = std::clamp(zero_point, 0, 255) * kWideStep,
          .highest = kWideHighest};
}

AffineParameters high_byte(const AffineParameters& wide) {
  return {.scale = wide.scale * kWideStep,
          .zero_point = wide.zero_point / kWideStep,
          .highest = wide.highest / kWideStep};
}

namespace {

float largest_magnitude(std::span<const float> values) {
  float magnitude = 0;
  for (const float value : values) magnitude = std::max(magnitude, std::fabs(value));
  return magnitude;
}

}  // namespace

QuantizedWeight quantize_weight(const ir::Tensor& weight, WeightScale rule,
                                WeightGranularity granularity, int bits) {
  check(bits >= 2 && bits <= 8 && weight.rank() >= 1, "a weight with channels, 2 to 8 bits");
  const auto channels = static_cast<std::size_t>(weight.shape()[0]);
  const std::size_t per_channel =
      channels == 0 ? 0 : static_cast<std::size_t>(weight.size()) / channels;
  const std::int32_t highest = (1 << (bits - 1)) - 1;

  QuantizedWeight result{.values = ir::Tensor(ir::DType::kInt8, weight.shape()),
                         .scales = std::vector<float>(channels, kZeroChannelScale),
                         .sums = std::vector<std::int32_t>(channels, 0)};
  const auto real = weight.data<float>();
  auto quantized = result.values.mutable_data<std::int8_t>();
  const bool shared = granularity == WeightGranularity::kPerTensor;
  const float of_all = shared ? largest_magnitude(real) : 0;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const auto row = real.subspan(channel * per_channel, per_channel);
    float magnitude = shared ? of_all : largest_magnitude(row);
    if (rule == WeightScale::kPower2 && magnitude > 0) {
      magnitude = std::exp2(std::ceil(std::log2(magnitude)));
    }
    const float scale = magnitude / static_cast<float>(highest);
    if (scale >= std::numeric_limits<float>::min()) result.scales[channel] = scale;
    for (std::size_t i = 0; i < per_channel; ++i) {
      const double level =
          std::round(static_cast<double>(row[i]) / static_cast<double>(result.scales[channel]));
      const auto value = static_cast<std::int32_t>(
          std::clamp(level, -static_cast<double>(highest), static_cast<double>(highest)));
      quantized[channel * per_channel + i] = static_cast<std::int8_t>(value);
      result.sums[channel] += value;
    }
  }
  return result;
}

}  // namespace tvmq::quant
