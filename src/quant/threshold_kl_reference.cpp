#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "quant/observer_histogram.h"
#include "quant/threshold_kl.h"

namespace tvmq::quant {
namespace {

constexpr std::size_t kLevels = 255;
constexpr float kEpsilon = 0.0001F;

/// Moves a little mass from the non-zeros to the zeros; empty if there is not enough of it.
std::vector<float> smooth(std::vector<float> distribution) {
  const auto zeros =
      static_cast<std::size_t>(std::count(distribution.begin(), distribution.end(), 0.0F));
  const std::size_t nonzeros = distribution.size() - zeros;
  if (nonzeros == 0) return {};
  const float taken = kEpsilon * static_cast<float>(zeros) / static_cast<float>(nonzeros);
  if (taken >= 1.0F) return {};
  for (float& each : distribution) each = each == 0.0F ? kEpsilon : each - taken;
  return distribution;
}

float sum(const std::vector<float>& values) {
  float result = 0;
  for (const float each : values) result += each;
  return result;
}

float divergence(const std::vector<float>& p, const std::vector<float>& q) {
  const float p_sum = sum(p);
  const float q_sum = sum(q);
  float result = 0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    check(p[k] > 0 && q[k] > 0, "smoothed distributions are positive");
    const float p_share = p[k] / p_sum;
    const float q_share = q[k] / q_sum;
    if (p_share != 0.0F && q_share != 0.0F) result += p_share * std::log(p_share / q_share);
  }
  return result;
}

/// Of the candidate that keeps the 2 * half + 1 bins around zero.
float candidate_divergence(std::span<const std::uint64_t> histogram, std::size_t half) {
  const std::size_t start = kZeroBin - half;
  const std::size_t stop = kZeroBin + half + 1;
  const std::size_t size = stop - start;

  std::vector<std::uint64_t> inside(size, 0);
  std::vector<float> p(size, 0.0F);
  for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
    const auto count = static_cast<float>(histogram[bin]);
    if (bin <= start) {
      p.front() += count;
    } else if (bin >= stop) {
      p.back() += count;
    } else {
      inside[bin - start] = histogram[bin];
      p[bin - start] = count;
    }
  }

  const std::size_t merged = size / kLevels;
  const auto total = [&](std::size_t first, std::size_t last) {
    std::uint64_t result = 0;
    for (std::size_t k = first; k < last; ++k) result += inside[k];
    return static_cast<float>(result);
  };
  std::vector<float> q(size, 0.0F);
  for (std::size_t level = 0; level < kLevels; ++level) {
    const bool last_level = level == kLevels - 1;
    const std::size_t first = level * merged;
    const std::size_t last = last_level ? size : first + merged;
    float mass = total(first, first + merged);
    if (last_level) mass += total(first + merged, size);
    std::size_t nonzeros = 0;
    for (std::size_t k = first; k < last; ++k) nonzeros += static_cast<std::size_t>(inside[k] != 0);
    if (nonzeros == 0) continue;
    for (std::size_t k = first; k < last; ++k) {
      if (p[k] != 0.0F) q[k] = mass / static_cast<float>(nonzeros);
    }
  }

  q = smooth(std::move(q));
  if (q.empty()) return std::numeric_limits<float>::infinity();
  return divergence(smooth(std::move(p)), q);
}

}  // namespace

float find_scale_by_kl_reference(std::span<const std::uint64_t> histogram, float absmax) {
  check(histogram.size() == kHistogramBins, "a histogram of 8001 bins");
  std::vector<float> divergences;
  for (std::size_t half = kLevels / 2; half <= kZeroBin; ++half) {
    divergences.push_back(candidate_divergence(histogram, half));
  }
  const auto best = static_cast<std::size_t>(
      std::min_element(divergences.begin(), divergences.end()) - divergences.begin());
  return histogram_edges(absmax)[kZeroBin + kLevels / 2 + best + 1];
}

}  // namespace tvmq::quant
