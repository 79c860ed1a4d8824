#include "quant/equalize_factors.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tvmq::quant {
namespace {

constexpr double kAlphas[] = {0.25, 0.5, 0.75, 1};
/// Shares of the range that lie below zero, for values that have both signs.
constexpr double kNegativeShares[] = {0.015, 0.03, 0.06, 0.1, 0.15, 0.2,
                                      0.3,   0.4,  0.5,  0.6, 0.7,  0.85};
/// A channel is enlarged by no more than this: beyond, its noise is enlarged too.
constexpr double kLeastFactor = 1.0 / 1024;

/// What a layer's estimate needs of its weight, once for all candidates.
struct WeightSummary {
  std::vector<double> squares;               ///< per channel of the value: sum of w^2
  std::vector<std::vector<double>> largest;  ///< per output: |w|, per channel that it reads
  double kernel = 0;                         ///< elements per output and input channel
  bool depthwise = false;
};

WeightSummary summarize(const EqualizedLayer& layer, std::size_t channels) {
  const auto outputs = static_cast<std::size_t>(layer.weight->shape()[0]);
  const auto inputs = static_cast<std::size_t>(layer.weight->shape()[1]);
  const auto data = layer.weight->data<float>();
  WeightSummary result{.squares = std::vector<double>(channels, 0),
                       .largest = std::vector<std::vector<double>>(outputs),
                       .depthwise = layer.depthwise};
  if (data.empty()) return result;
  const std::size_t kernel = data.size() / (outputs * inputs);
  result.kernel = static_cast<double>(kernel);
  for (std::size_t o = 0; o < outputs; ++o) {
    result.largest[o].resize(inputs, 0);
    for (std::size_t i = 0; i < inputs; ++i) {
      const std::size_t channel = layer.depthwise ? o : i;
      for (const float value : data.subspan((o * inputs + i) * kernel, kernel)) {
        const auto w = static_cast<double>(value);
        result.squares[channel] += w * w;
        result.largest[o][i] = std::max(result.largest[o][i], std::fabs(w));
      }
    }
  }
  return result;
}

/// The squared error that rounding the weight adds to the layer's outputs, summed over them: a
/// rounding error is uniform with variance step^2 / 12.
double weight_error(const WeightSummary& layer, const std::vector<double>& factors,
                    const ChannelStatistics& statistics, int bits) {
  const double levels = (1 << (bits - 1)) - 1;
  const auto energy = [&](std::size_t c) {
    return statistics.mean_square[c] / (factors[c] * factors[c]) * layer.kernel;
  };
  double all = 0;
  if (!layer.depthwise) {
    for (std::size_t c = 0; c < factors.size(); ++c) all += energy(c);
  }
  double error = 0;
  for (std::size_t o = 0; o < layer.largest.size(); ++o) {
    double largest = 0;
    for (std::size_t i = 0; i < layer.largest[o].size(); ++i) {
      largest = std::max(largest, layer.largest[o][i] * factors[layer.depthwise ? o : i]);
    }
    const double step = largest / levels;
    error += (layer.depthwise ? energy(o) : all) * step * step / 12;
  }
  return error;
}

double estimated_error(std::span<const WeightSummary> layers, const std::vector<double>& factors,
                       const ChannelStatistics& statistics, const IntegerOptions& options) {
  double low = 0;
  double high = 0;
  for (std::size_t c = 0; c < factors.size(); ++c) {
    low = std::min(low, statistics.low[c] / factors[c]);
    high = std::max(high, statistics.high[c] / factors[c]);
  }
  const double step = (high - low) / ((1 << options.activation_bits) - 1);
  double error = 0;
  for (std::size_t c = 0; c < factors.size(); ++c) {
    double squares = layers.empty() ? 1 : 0;
    for (const WeightSummary& layer : layers) squares += layer.squares[c];
    error += squares * factors[c] * factors[c] * step * step / 12;
  }
  for (const WeightSummary& layer : layers) {
    error += weight_error(layer, factors, statistics, options.weight_bits);
  }
  return error;
}

/// How much of a range with `negative` of it below zero each channel uses, relative to the channel
/// that uses most; 1 for channels of zeros.
std::vector<double> shares_of_range(const ChannelStatistics& statistics, double negative) {
  std::vector<double> shares(statistics.high.size());
  double largest = 0;
  for (std::size_t c = 0; c < shares.size(); ++c) {
    const double above = statistics.high[c] > 0 ? statistics.high[c] / (1 - negative) : 0;
    const double below = statistics.low[c] < 0 ? -statistics.low[c] / negative : 0;
    shares[c] = std::max(above, below);
    largest = std::max(largest, shares[c]);
  }
  for (double& share : shares) {
    share = share > 0 ? std::max(share / largest, kLeastFactor) : 1;
  }
  return shares;
}

/// How far each channel is expected to go if all images are seen. A channel of n elements that were
/// seen goes beyond their largest once in n elements; with an exponential tail of scale b, another
/// h * b of range makes the sum of clipping error, 2 b^2 exp(-h) / n, and rounding error,
/// ((ln(n) + h) b / 255)^2 / 12, least at about h = ln(70,000 / n): nothing where the channel is an
/// image, more than the range itself where it is one pixel. Each side gets of it what it has of
/// the range, since the lower end of a swish is known well.
ChannelStatistics with_headroom(ChannelStatistics statistics) {
  constexpr double kEnough = 70'000;
  constexpr double kTail = 0.4;  // b, in standard deviations: between a Gaussian's and 1
  if (statistics.count <= 0) return statistics;
  const double headroom = kTail * std::log(kEnough / static_cast<double>(statistics.count));
  if (headroom <= 0) return statistics;
  for (std::size_t c = 0; c < statistics.high.size(); ++c) {
    const double variance = statistics.mean_square[c] - statistics.mean[c] * statistics.mean[c];
    const double largest = std::max(statistics.high[c], -statistics.low[c]);
    if (variance <= 0 || largest <= 0) continue;
    const double growth = 1 + headroom * std::sqrt(variance) / largest;
    statistics.high[c] *= growth;
    statistics.low[c] *= growth;
  }
  return statistics;
}

}  // namespace

std::vector<double> equalization_factors(const ChannelStatistics& seen,
                                         std::span<const EqualizedLayer> layers,
                                         const IntegerOptions& options) {
  const ChannelStatistics statistics = with_headroom(seen);
  const std::size_t channels = statistics.high.size();
  const bool positive = std::any_of(statistics.high.begin(), statistics.high.end(),
                                    [](double high) { return high > 0; });
  const bool negative =
      std::any_of(statistics.low.begin(), statistics.low.end(), [](double low) { return low < 0; });
  if (!positive && !negative) return {};
  std::vector<WeightSummary> summaries;
  summaries.reserve(layers.size());
  for (const EqualizedLayer& layer : layers) summaries.push_back(summarize(layer, channels));

  std::vector<double> best;
  double least = estimated_error(summaries, std::vector<double>(channels, 1), statistics, options);
  const auto consider = [&](double negative_share) {
    const std::vector<double> shares = shares_of_range(statistics, negative_share);
    for (const double alpha : kAlphas) {
      std::vector<double> factors(channels);
      for (std::size_t c = 0; c < channels; ++c) factors[c] = std::pow(shares[c], alpha);
      const double error = estimated_error(summaries, factors, statistics, options);
      if (error < least) {
        least = error;
        best = std::move(factors);
      }
    }
  };
  if (!negative || !positive) {
    consider(negative ? 1 : 0);
  } else {
    for (const double share : kNegativeShares) consider(share);
  }
  return best;
}

}  // namespace tvmq::quant
