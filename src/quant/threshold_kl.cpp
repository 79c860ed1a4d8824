#include "quant/threshold_kl.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "base/error.h"
#include "quant/observer_histogram.h"
#include "quant/threshold_kl_candidates.h"

namespace tvmq::quant {
namespace {

/// A candidate that may have the least divergence.
struct Contender {
  kl::Candidate candidate;
  double lowest;  ///< its divergence is not below
};

/// The groups of the candidates of all sizes: neighbours with the same number of merged bins.
template <class Visitor>
void for_each_group(Visitor&& visit) {
  int last = kZeroBin;
  while (last >= kl::kFirstHalf) {
    int first = last;
    const auto merged = [](int half) { return (2 * half + 1) / kl::kLevels; };
    while (first > kl::kFirstHalf && last - first + 1 < kl::kLanes &&
           merged(first - 1) == merged(last)) {
      --first;
    }
    visit(last, last - first + 1);
    last = first - 1;
  }
}

/// The candidate with the least divergence, the smallest one of several: bounds for all of them,
/// then exact values from the lowest bound upwards until no bound is below what was found.
int best_half(const kl::Tables& tables) {
  const auto group = std::make_unique<kl::Group>();
  std::vector<Contender> contenders;
  double highest = std::numeric_limits<double>::infinity();  // the least divergence is not above
  for_each_group([&](int last_half, int lanes) {
    group->last_half = last_half;
    group->lanes = lanes;
    if (!kl::prepare(tables, *group)) return;
    const std::array<kl::Bound, kl::kLanes> bounds = kl::bounds(tables, *group);
    for (int lane = 0; lane < lanes; ++lane) {
      if (group->candidates[lane].empty) continue;
      const auto [estimate, error] = bounds[lane];
      highest = std::min(highest, estimate + error);
      contenders.push_back({group->candidates[lane], estimate - error});
    }
  });
  std::erase_if(contenders, [&](const Contender& each) { return each.lowest > highest; });
  std::sort(contenders.begin(), contenders.end(), [](const Contender& a, const Contender& b) {
    return a.lowest != b.lowest ? a.lowest < b.lowest : a.candidate.half < b.candidate.half;
  });

  int best = kl::kFirstHalf;  // where all are infinite, the first one counts
  float least = std::numeric_limits<float>::infinity();
  std::vector<float> scratch;
  for (const auto& [candidate, lowest] : contenders) {
    if (lowest > double{least}) break;
    const float divergence = kl::divergence(tables, candidate, scratch);
    if (divergence < least || (divergence == least && candidate.half < best)) {
      least = divergence;
      best = candidate.half;
    }
  }
  return best;
}

}  // namespace

float threshold_kl(std::span<const std::uint64_t> histogram, float absmax) {
  check(histogram.size() == kHistogramBins, "a histogram of 8001 bins");
  const kl::Tables tables(histogram);
  return histogram_edges(absmax)[static_cast<std::size_t>(best_half(tables)) + kZeroBin + 1];
}

}  // namespace tvmq::quant
