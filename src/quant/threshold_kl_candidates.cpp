#include "quant/threshold_kl_candidates.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant::kl {
namespace {

constexpr std::size_t kPadding = kLanes;

/// A prefix array of term(count) over the non-zero bins.
template <class Term>
std::vector<double> prefix(std::span<const std::uint64_t> histogram, Term&& term) {
  std::vector<double> result(histogram.size() + 1 + kPadding, 0.0);
  for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
    const auto count = static_cast<double>(histogram[bin]);
    result[bin + 1] = result[bin] + (histogram[bin] == 0 ? 0.0 : term(count));
  }
  return result;
}

/// For every b >= kZeroBin the float32 sum of count[b ..] from left to right. Rounding makes these
/// different sums, not suffixes of one: kWidth of them advance together.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void sum_tails(
    const float* count, float* tail) {
  constexpr int kWidth = 64;
  for (int first = kZeroBin; first < kHistogramBins; first += kWidth) {
    std::array<float, kWidth> sums{};
    for (int bin = first; bin < std::min(first + kWidth, kHistogramBins); ++bin) {
      for (int lane = 0; lane <= bin - first; ++lane) sums[lane] += count[bin];
    }
    for (int bin = first + kWidth; bin < kHistogramBins; ++bin) {
      for (int lane = 0; lane < kWidth; ++lane) sums[lane] += count[bin];
    }
    for (int lane = 0; lane < std::min(kWidth, kHistogramBins - first); ++lane) {
      tail[first + lane] = sums[lane];
    }
  }
}

struct Smoothing {
  bool empty;
  float taken;
};
Smoothing smoothing(int size, int nonzeros) {
  if (nonzeros == 0) return {.empty = true, .taken = 0};
  const float taken = kEpsilon * static_cast<float>(size - nonzeros) / static_cast<float>(nonzeros);
  return {.empty = taken >= 1.0F, .taken = taken};
}

/// The mean of the non-zero bins of a level before smoothing, in TVM's float32 steps; 0 if there
/// is none. The level covers bins first .. last-1, what is behind `full` is its remainder.
float level_mean(const Tables& tables, int first, int full, int last) {
  const double nonzeros = tables.nonzeros[last] - tables.nonzeros[first];
  if (nonzeros == 0) return 0.0F;
  float mass = static_cast<float>(tables.sum[full] - tables.sum[first]);
  mass += static_cast<float>(tables.sum[last] - tables.sum[full]);
  return mass / static_cast<float>(nonzeros);
}

void prepare_candidate(const Tables& tables, Candidate& candidate) {
  const int start = kZeroBin - candidate.half;
  const int stop = kZeroBin + candidate.half + 1;
  const int last_level = start + (kLevels - 1) * candidate.merged;
  // The first bin is in p only, it does not count for q.
  const float first_mean =
      level_mean(tables, start + 1, start + candidate.merged, start + candidate.merged);
  const float last_mean = level_mean(tables, last_level, last_level + candidate.merged, stop);
  const float head = tables.head[start];
  const float tail = tables.tail[stop - 1];

  const int between = static_cast<int>(tables.nonzeros[stop - 1] - tables.nonzeros[start + 1]);
  const int p_nonzeros = between + static_cast<int>(head != 0.0F) + static_cast<int>(tail != 0.0F);
  const bool q_first = head != 0.0F && first_mean != 0.0F;
  const bool q_last = tail != 0.0F && last_mean != 0.0F;
  const int q_nonzeros = between + static_cast<int>(q_first) + static_cast<int>(q_last);
  const Smoothing q = smoothing(candidate.size(), q_nonzeros);
  const Smoothing p = smoothing(candidate.size(), p_nonzeros);
  candidate.empty = q.empty;
  candidate.p_taken = p.empty ? 0.0F : p.taken;
  candidate.q_taken = q.empty ? 0.0F : q.taken;
  candidate.p_first = head != 0.0F ? head - candidate.p_taken : kEpsilon;
  candidate.p_last = tail != 0.0F ? tail - candidate.p_taken : kEpsilon;
  candidate.q_first = q_first ? first_mean - candidate.q_taken : kEpsilon;
  candidate.q_last = q_last ? last_mean - candidate.q_taken : kEpsilon;
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void fill_levels(
    const double* sum, const double* nonzeros, int merged, const float* taken,
    std::array<float, kLanes>* levels) {
  for (int level = 0; level < kLevels - 1; ++level) {
    const double* const sum_first = sum + level * merged + static_cast<int>(level == 0);
    const double* const sum_last = sum + (level + 1) * merged;
    const double* const nonzeros_first = nonzeros + level * merged + static_cast<int>(level == 0);
    const double* const nonzeros_last = nonzeros + (level + 1) * merged;
    std::array<float, kLanes> result;
    for (int lane = 0; lane < kLanes; ++lane) {
      // An empty level computes (0 + epsilon) / 1 - 0 instead of branching, which vectorises.
      const auto mass = static_cast<float>(sum_last[lane] - sum_first[lane]);
      const auto nonempty = static_cast<float>(nonzeros_last[lane] - nonzeros_first[lane]);
      const auto empty = static_cast<float>(nonempty == 0.0F);
      result[lane] = (mass + empty * kEpsilon) / (nonempty + empty) - (1.0F - empty) * taken[lane];
    }
    levels[level] = result;
  }
}

using Vector = float __attribute__((vector_size(64)));
constexpr int kVectorLanes = 16;
constexpr int kVectors = kLanes / kVectorLanes;
static_assert(kLanes % kVectorLanes == 0);

/// The float32 sums of p and q from left to right, one candidate per lane. `count` points at the
/// bin of lane 0's first element. `sizes` descend by 2 from lane to lane.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void sum_elements(
    const float* count, const Group& group, float* p_sums, float* q_sums) {
  Vector p_sum[kVectors];
  Vector q_sum[kVectors];
  Vector p_taken[kVectors];
  Vector p_last[kVectors];
  Vector q_last[kVectors];
  for (int lane = 0; lane < kLanes; ++lane) {
    const Candidate& each = group.candidates[lane];
    const int vector = lane / kVectorLanes;
    const int place = lane % kVectorLanes;
    p_sum[vector][place] = each.p_first;
    q_sum[vector][place] = each.q_first;
    p_taken[vector][place] = each.p_taken;
    p_last[vector][place] = each.p_last;
    q_last[vector][place] = each.q_last;
  }
  const Vector epsilon = Vector{} + kEpsilon;
  const auto inner = [&](int element, const float* level) __attribute__((always_inline)) {
    for (int vector = 0; vector < kVectors; ++vector) {
      Vector c;
      Vector q;
      __builtin_memcpy(&c, count + element + vector * kVectorLanes, sizeof c);
      __builtin_memcpy(&q, level + vector * kVectorLanes, sizeof q);
      p_sum[vector] += c != 0.0F ? c - p_taken[vector] : epsilon;
      q_sum[vector] += c != 0.0F ? q : epsilon;
    }
  };
  const int smallest = group.candidates[group.lanes - 1].size();
  int element = 1;
  for (int level = 0; level < kLevels; ++level) {
    const int last = level == kLevels - 1 ? smallest - 1 : (level + 1) * group.merged;
    for (; element < last; ++element) inner(element, group.level_q[level].data());
  }
  // Here the lanes end, the last one first.
  for (int lane = group.lanes - 1; lane >= 0; --lane) {
    const Candidate& each = group.candidates[lane];
    const int vector = lane / kVectorLanes;
    const int place = lane % kVectorLanes;
    for (; element < each.size() - 1; ++element) {
      inner(element, group.level_q[kLevels - 1].data());
    }
    p_sums[lane] = p_sum[vector][place] + p_last[vector][place];
    q_sums[lane] = q_sum[vector][place] + q_last[vector][place];
  }
}

}  // namespace

Tables::Tables(std::span<const std::uint64_t> histogram)
    : count(histogram.size() + kPadding, 0.0F),
      sum(prefix(histogram, [](double c) { return c; })),
      nonzeros(prefix(histogram, [](double) { return 1.0; })),
      c_log_c(prefix(histogram, [](double c) { return c * std::log(c); })),
      log_c_plus_1(prefix(histogram, [](double c) { return std::log(c) + 1.0; })),
      inverse(prefix(histogram, [](double c) { return 1.0 / c; })),
      inverse_square(prefix(histogram, [](double c) { return 1.0 / (c * c); })),
      head(histogram.size()),
      tail(histogram.size()) {
  check(histogram.size() == kHistogramBins, "a histogram of 8001 bins");
  check(sum[kHistogramBins] < 9007199254740992.0, "counts that are exact in double");
  float left = 0;
  for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
    count[bin] = static_cast<float>(histogram[bin]);
    left += count[bin];
    head[bin] = left;
    if (histogram[bin] != 0) nonzero_bins.push_back(static_cast<int>(bin));
  }
  sum_tails(count.data(), tail.data());
}

float level_q(const Tables& tables, const Candidate& candidate, int level) {
  const int start = kZeroBin - candidate.half;
  const int begin = start + level * candidate.merged;
  const int full = begin + candidate.merged;
  const bool last = level == kLevels - 1;
  const float mean = level_mean(tables, level == 0 ? begin + 1 : begin, full,
                                last ? start + candidate.size() : full);
  return mean == 0.0F ? kEpsilon : mean - candidate.q_taken;
}

bool prepare(const Tables& tables, Group& group) {
  group.merged = (2 * group.last_half + 1) / kLevels;
  std::array<float, kLanes> taken{};
  bool all_empty = true;
  for (int lane = 0; lane < group.lanes; ++lane) {
    Candidate& each = group.candidates[lane];
    each = {.half = group.last_half - lane, .merged = group.merged};
    check(each.size() / kLevels == group.merged, "lanes of one shape");
    prepare_candidate(tables, each);
    taken[lane] = each.q_taken;
    all_empty = all_empty && each.empty;
  }
  if (all_empty) return false;

  const int start = kZeroBin - group.last_half;
  fill_levels(tables.sum.data() + start, tables.nonzeros.data() + start, group.merged, taken.data(),
              group.level_q.data());
  for (int lane = 0; lane < group.lanes; ++lane) {
    group.level_q[kLevels - 1][lane] = level_q(tables, group.candidates[lane], kLevels - 1);
  }
  std::array<float, kLanes> p_sums{};
  std::array<float, kLanes> q_sums{};
  sum_elements(tables.count.data() + start, group, p_sums.data(), q_sums.data());
  for (int lane = 0; lane < group.lanes; ++lane) {
    group.candidates[lane].p_sum = p_sums[lane];
    group.candidates[lane].q_sum = q_sums[lane];
  }
  return true;
}

float divergence(const Tables& tables, const Candidate& candidate, std::vector<float>& scratch) {
  const int start = kZeroBin - candidate.half;
  const int size = candidate.size();
  const auto term = [](float p_share, float q_share) {
    return p_share != 0.0F && q_share != 0.0F ? p_share * std::log(p_share / q_share) : 0.0F;
  };
  // All zeros have the same term; the others are written over it.
  scratch.assign(static_cast<std::size_t>(size),
                 term(kEpsilon / candidate.p_sum, kEpsilon / candidate.q_sum));
  auto bin = std::upper_bound(tables.nonzero_bins.begin(), tables.nonzero_bins.end(), start);
  int element = bin == tables.nonzero_bins.end() ? size : *bin - start;
  for (int level = 0; level < kLevels && element < size - 1; ++level) {
    const int last = level == kLevels - 1 ? size - 1 : (level + 1) * candidate.merged;
    const float q_share = level_q(tables, candidate, level) / candidate.q_sum;
    while (element < last) {
      const float p_share = (tables.count[*bin] - candidate.p_taken) / candidate.p_sum;
      scratch[element] = term(p_share, q_share);
      ++bin;
      element = bin == tables.nonzero_bins.end() ? size : *bin - start;
    }
  }
  scratch.front() = term(candidate.p_first / candidate.p_sum, candidate.q_first / candidate.q_sum);
  scratch.back() = term(candidate.p_last / candidate.p_sum, candidate.q_last / candidate.q_sum);
  float result = 0;
  for (const float each : scratch) result += each;
  return result;
}

}  // namespace tvmq::quant::kl
