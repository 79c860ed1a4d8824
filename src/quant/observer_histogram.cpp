#include "quant/observer_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "quant/observer_indices.h"

namespace tvmq::quant {
namespace {

/// Below, BinScale::bins_per_unit overflows float32.
constexpr float kSmallestFastRange = 1e-30F;

bool is_fast(float absmax) { return absmax == 0.0F || absmax >= kSmallestFastRange; }

double half_range(float absmax) { return absmax == 0.0F ? 0.5 : static_cast<double>(absmax); }

double bin_width(float absmax) {
  const double half = half_range(absmax);
  return (half - -half) / kHistogramBins;
}

}  // namespace

std::vector<float> histogram_edges(float absmax) {
  check(absmax >= 0.0F && std::isfinite(absmax), "the range of a histogram is finite");
  const double half = half_range(absmax);
  const double width = bin_width(absmax);
  std::vector<float> edges(kHistogramBins + 1);
  for (int k = 0; k < kHistogramBins; ++k) {
    edges[static_cast<std::size_t>(k)] = static_cast<float>(k * width - half);
  }
  edges.back() = static_cast<float>(half);
  return edges;
}

int histogram_bin(std::span<const float> edges, float x) {
  const auto above = std::upper_bound(edges.begin(), edges.end(), x);
  const auto bin = static_cast<int>(above - edges.begin()) - 1;
  return std::clamp(bin, 0, kHistogramBins - 1);
}

int zero_bin(float absmax) {
  if (is_fast(absmax)) return kZeroBin;
  return histogram_bin(histogram_edges(absmax), 0.0F);
}

void HistogramCounter::count(float absmax, std::span<const float> elements) {
  std::array<std::uint16_t, kIndexBlock + kIndexSlack> indices;
  if (!is_fast(absmax)) {
    const std::vector<float> edges = histogram_edges(absmax);
    for (const float x : elements) {
      indices[0] = static_cast<std::uint16_t>(histogram_bin(edges, x));
      counters_.increment({indices.data(), 1});
    }
    return;
  }
  const double half = half_range(absmax);
  const BinScale scale{.bins_per_unit = static_cast<float>(kHistogramBins / (2.0 * half)),
                       .bin_width = bin_width(absmax),
                       .last_edge = half,
                       .bins = kHistogramBins};
  for (std::size_t first = 0; first < elements.size(); first += kIndexBlock) {
    const std::size_t size = std::min(kIndexBlock, elements.size() - first);
    const IndexedBlock block = index_bins(elements.subspan(first, size), scale, indices.data());
    counters_.increment({indices.data(), block.indices});
    zeros_ += block.zeros;
    last_ += block.last;
  }
}

void HistogramCounter::move_to(SparseCounts& histogram) {
  counters_.move_to(histogram);
  histogram.add(kZeroBin, zeros_);
  histogram.add(kHistogramBins - 1, last_);
  zeros_ = last_ = 0;
}

}  // namespace tvmq::quant
