#include "quant/observer_histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace tvmq::quant {
namespace {

// Values that occur very often (zeros behind a ReLU, the upper limit of a clip) would make every
// increment wait for the one before it. They are spread over counters behind the histogram.
constexpr std::int32_t kSpread = 16;
constexpr std::int32_t kZeroCounters = kHistogramBins;
constexpr std::int32_t kLastBinCounters = kZeroCounters + kSpread;
constexpr std::size_t kCounters = kLastBinCounters + kSpread;

constexpr std::size_t kBlock = 1024;
static_assert(kBlock % kSpread == 0);
using IndexBlock = std::array<std::int32_t, kBlock>;

/// Adding 1.5 * 2^23 to a float of magnitude < 2^22 rounds it to the nearest integer, which then is
/// in the low bits of the sum.
constexpr float kRounder = 12582912.0F;

/// Below, the scale of provisional_index() overflows float32; above is nothing.
constexpr float kSmallestFastRange = 1e-30F;

struct Scale {
  float bins_per_unit;  ///< 8001 / 2t
  double bin_width;     ///< 2t / 8001, as numpy rounds it
  double last_edge;     ///< t
};

double half_range(float absmax) { return absmax == 0.0F ? 0.5 : static_cast<double>(absmax); }

double bin_width(float absmax) {
  const double half = half_range(absmax);
  return (half - -half) / kHistogramBins;
}

/// Which counter each element adds to, in groups of kSpread elements.
///
/// A float32 estimate of the position, in bins, is off by less than 0.001, so that the integer
/// nearest to it names the only edge that can be in doubt; that edge is computed as numpy does and
/// compared.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void find_counters(
    const float* elements, std::size_t groups, Scale scale, std::int32_t* counters) {
  constexpr float kCentre = static_cast<float>(kHistogramBins) / 2.0F;
  constexpr std::int32_t kRounderBits = 0x4B400000;
  for (std::size_t group = 0; group < groups; ++group) {
    for (std::int32_t lane = 0; lane < kSpread; ++lane) {
      const float x = elements[lane];
      const float position = x * scale.bins_per_unit + kCentre;
      const std::int32_t nearest = std::bit_cast<std::int32_t>(position + kRounder) - kRounderBits;
      const auto edge =
          static_cast<float>(static_cast<double>(nearest) * scale.bin_width - scale.last_edge);
      // Clamped, so that a value outside the range, or NaN, lands in an end bin and not elsewhere.
      const std::int32_t in_doubt = nearest - static_cast<std::int32_t>(x < edge);
      const std::int32_t bin = in_doubt < 0 ? 0 : in_doubt;
      const std::int32_t inner = bin >= kHistogramBins - 1 ? kLastBinCounters + lane : bin;
      counters[lane] = x == 0.0F ? kZeroCounters + lane : inner;
    }
    elements += kSpread;
    counters += kSpread;
  }
}

void count_by_search(float absmax, std::span<const float> elements,
                     std::span<std::uint32_t> counts) {
  const std::vector<float> edges = histogram_edges(absmax);
  for (const float x : elements) ++counts[static_cast<std::size_t>(histogram_bin(edges, x))];
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

std::span<const std::uint32_t> HistogramCounter::count(float absmax,
                                                       std::span<const float> elements) {
  check(elements.size() <= kMaxElements, "counts fit in 32 bits");
  counts_.assign(kCounters, 0);
  const std::span<const std::uint32_t> result(counts_.data(), kHistogramBins);
  if (absmax != 0.0F && absmax < kSmallestFastRange) {
    count_by_search(absmax, elements, counts_);
    return result;
  }
  const double half = half_range(absmax);
  const Scale scale{.bins_per_unit = static_cast<float>(kHistogramBins / (2.0 * half)),
                    .bin_width = bin_width(absmax),
                    .last_edge = half};
  IndexBlock block;
  for (std::size_t first = 0; first < elements.size(); first += kBlock) {
    const std::size_t size = std::min(kBlock, elements.size() - first);
    const std::size_t groups = size / kSpread;
    find_counters(elements.data() + first, groups, scale, block.data());
    if (const std::size_t rest = size % kSpread; rest > 0) {
      std::array<float, kSpread> last{};
      std::array<std::int32_t, kSpread> last_counters;
      std::copy_n(elements.data() + first + groups * kSpread, rest, last.begin());
      find_counters(last.data(), 1, scale, last_counters.data());
      std::copy_n(last_counters.begin(), rest, block.data() + groups * kSpread);
    }
    std::uint32_t* const counts = counts_.data();
    for (std::size_t i = 0; i < size; ++i) ++counts[block[i]];
  }
  for (std::int32_t lane = 0; lane < kSpread; ++lane) {
    counts_[kZeroBin] += counts_[kZeroCounters + lane];
    counts_[kHistogramBins - 1] += counts_[kLastBinCounters + lane];
  }
  return result;
}

}  // namespace tvmq::quant
