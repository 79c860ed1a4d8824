// Bounds on the float32 divergence of 32 candidates at a time, in double and with prefix sums.
//
// With P = c - taken and Q the smoothed values, Sp and Sq their (float32) sums, r = ln(Sp / Sq):
//
//   divergence = 1/Sp * sum over elements of P * (ln P - ln Q - r)
//
// Q is one number in all non-zero elements of a level, zeros have P = Q = epsilon, so a level is
//
//   1/Sp * (F - P_level * (ln Q + r) - zeros * epsilon * r),   F = sum of P ln P, P_level = sum of
//   P
//
// and F follows from prefix sums over c ln c and a Taylor series in `taken`, which is small.
//
// What float32 adds to that: every element's term is off by a few units in the last place, and
// every partial sum s_k on the way is rounded by at most 2^-24 |s_k|. Within a level |s_k| is at
// most the larger one at the level's ends plus the level's share of q, because
// p ln(p / q) >= p - q, so that no run of terms sums to less than minus its share of q.
#include <algorithm>
#include <bit>
#include <cmath>

#include "quant/observer_histogram.h"
#include "quant/threshold_kl_candidates.h"

namespace tvmq::quant::kl {
namespace {

/// Above, the Taylor series of F would need more terms; there are few non-zero bins then.
constexpr double kLargestTaken = 0.01;

constexpr double kHalfUlp = 0x1p-24;

/// ln(x) to about 1e-14 for normal x > 0, in operations that every vector unit has.
__attribute__((always_inline)) inline double vector_log(double x) {
  // x = 2^exponent * mantissa with the mantissa in [sqrt(1/2), sqrt(2)).
  constexpr std::uint64_t kSqrtHalf = 0x3FE6A09E667F3BCDULL;
  constexpr std::uint64_t kBias = 1023ULL << 52;
  constexpr std::uint64_t kTwo52 = 0x4330000000000000ULL;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t biased = (bits - kSqrtHalf + kBias) >> 52;
  const double exponent = std::bit_cast<double>(biased | kTwo52) - (0x1p52 + 1023.0);
  const double mantissa = std::bit_cast<double>(bits - (biased << 52) + kBias);
  // ln(m) = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172.
  const double s = (mantissa - 1.0) / (mantissa + 1.0);
  const double z = s * s;
  double series = 1.0 / 17.0;
  series = series * z + 1.0 / 15.0;
  series = series * z + 1.0 / 13.0;
  series = series * z + 1.0 / 11.0;
  series = series * z + 1.0 / 9.0;
  series = series * z + 1.0 / 7.0;
  series = series * z + 1.0 / 5.0;
  series = series * z + 1.0 / 3.0;
  series = series * z + 1.0;
  return exponent * 0.693147180559945309417 + 2.0 * s * series;
}

struct Lanes {
  alignas(64) std::array<double, kLanes> p_scale;    ///< 1 / Sp
  alignas(64) std::array<double, kLanes> q_scale;    ///< 1 / Sq
  alignas(64) std::array<double, kLanes> log_ratio;  ///< r
  alignas(64) std::array<double, kLanes> taken;      ///< from p
  alignas(64) std::array<double, kLanes> partial;    ///< the divergence so far
  alignas(64) std::array<double, kLanes> rounded;    ///< bound on the sum of |s_k| so far
};

/// The part of elements first .. last-1, all of one level, none of them the first or last.
struct Level {
  double count;  ///< number of elements
  double nonzeros;
  double mass;     ///< of p
  double p_log_p;  ///< F
  double q;        ///< of one non-zero element
};

__attribute__((always_inline)) inline void add_level(const Level& level, Lanes& lanes, int lane) {
  const double zeros = level.count - level.nonzeros;
  const double epsilon = kEpsilon;
  const double before = lanes.partial[lane];
  const double ratio = lanes.log_ratio[lane];
  const double after =
      before + lanes.p_scale[lane] * (level.p_log_p - level.mass * (vector_log(level.q) + ratio) -
                                      zeros * epsilon * ratio);
  const double q_share = lanes.q_scale[lane] * (level.nonzeros * level.q + zeros * epsilon);
  const double a = std::fabs(before);
  const double b = std::fabs(after);
  lanes.rounded[lane] += level.count * ((a > b ? a : b) + q_share);
  lanes.partial[lane] = after;
}

/// Where a level begins and ends in the prefix arrays.
struct Prefixes {
  const double* sum;
  const double* nonzeros;
  const double* c_log_c;
  const double* log_c_plus_1;
  const double* inverse;
  const double* inverse_square;
};

__attribute__((always_inline)) inline Level level_between(const Prefixes& at, std::ptrdiff_t first,
                                                          std::ptrdiff_t last, double taken,
                                                          double q) {
  const double nonzeros = at.nonzeros[last] - at.nonzeros[first];
  const double series = (at.inverse[last] - at.inverse[first]) * 0.5 +
                        taken * (1.0 / 6.0) * (at.inverse_square[last] - at.inverse_square[first]);
  return {.count = static_cast<double>(last - first),
          .nonzeros = nonzeros,
          .mass = at.sum[last] - at.sum[first] - taken * nonzeros,
          .p_log_p = at.c_log_c[last] - at.c_log_c[first] -
                     taken * (at.log_c_plus_1[last] - at.log_c_plus_1[first]) +
                     taken * taken * series,
          .q = q};
}

/// All levels but the last one, for all lanes. `at` is the bin of lane 0's first element.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void add_full_levels(
    const Prefixes& at, const Group& group, Lanes& result) {
  Lanes lanes = result;  // a copy that the arrays read here cannot overlap, so that loops vectorise
  for (int level = 0; level < kLevels - 1; ++level) {
    const std::ptrdiff_t first = level == 0 ? 1 : level * group.merged;
    const std::ptrdiff_t last = (level + 1) * group.merged;
    const float* const q = group.level_q[level].data();
    for (int lane = 0; lane < kLanes; ++lane) {
      const Level part = level_between(at, first + lane, last + lane, lanes.taken[lane],
                                       static_cast<double>(q[lane]));
      add_level(part, lanes, lane);
    }
  }
  result = lanes;
}

/// The term of a single element.
void add_element(double p, double q, Lanes& lanes, int lane) {
  lanes.partial[lane] +=
      p * lanes.p_scale[lane] * (std::log(p) - std::log(q) - lanes.log_ratio[lane]);
  lanes.rounded[lane] += std::fabs(lanes.partial[lane]);
}

/// All elements but the first and last of a candidate with few non-zero bins, one by one.
void add_few(const Tables& tables, const Group& group, Lanes& lanes, int lane) {
  const Candidate& candidate = group.candidates[lane];
  const int start = kZeroBin - candidate.half;
  const int end = candidate.size() - 1;
  const auto add_zeros = [&](int count) {
    if (count == 0) return;
    const double before = std::fabs(lanes.partial[lane]);
    lanes.partial[lane] -= lanes.p_scale[lane] * count * double{kEpsilon} * lanes.log_ratio[lane];
    lanes.rounded[lane] += count * std::max(before, std::fabs(lanes.partial[lane]));
  };
  int done = 1;
  for (auto bin = std::upper_bound(tables.nonzero_bins.begin(), tables.nonzero_bins.end(), start);
       bin != tables.nonzero_bins.end() && *bin - start < end; ++bin) {
    const int element = *bin - start;
    add_zeros(element - done);
    const int level = std::min(element / candidate.merged, kLevels - 1);
    add_element(double{tables.count[*bin]} - double{candidate.p_taken},
                double{group.level_q[level][lane]}, lanes, lane);
    done = element + 1;
  }
  add_zeros(end - done);
}

}  // namespace

std::array<Bound, kLanes> bounds(const Tables& tables, const Group& group) {
  Lanes lanes{};
  for (int lane = 0; lane < group.lanes; ++lane) {
    const Candidate& each = group.candidates[lane];
    lanes.p_scale[lane] = 1.0 / double{each.p_sum};
    lanes.q_scale[lane] = 1.0 / double{each.q_sum};
    lanes.log_ratio[lane] = std::log(double{each.p_sum} / double{each.q_sum});
    lanes.taken[lane] = each.p_taken;
    add_element(each.p_first, each.q_first, lanes, lane);
  }
  const Lanes begin = lanes;
  const int start = kZeroBin - group.last_half;
  const Prefixes at{.sum = tables.sum.data() + start,
                    .nonzeros = tables.nonzeros.data() + start,
                    .c_log_c = tables.c_log_c.data() + start,
                    .log_c_plus_1 = tables.log_c_plus_1.data() + start,
                    .inverse = tables.inverse.data() + start,
                    .inverse_square = tables.inverse_square.data() + start};
  add_full_levels(at, group, lanes);

  std::array<Bound, kLanes> result{};
  for (int lane = 0; lane < group.lanes; ++lane) {
    const Candidate& each = group.candidates[lane];
    if (lanes.taken[lane] > kLargestTaken) {
      lanes.partial[lane] = begin.partial[lane];
      lanes.rounded[lane] = begin.rounded[lane];
      add_few(tables, group, lanes, lane);
    } else {
      const int first = std::max((kLevels - 1) * group.merged, 1);
      add_level(level_between(at, first + lane, each.size() - 1 + lane, lanes.taken[lane],
                              double{group.level_q[kLevels - 1][lane]}),
                lanes, lane);
    }
    add_element(each.p_last, each.q_last, lanes, lane);
    // Each term: at most 6 half units of p and 7 of itself; the terms' magnitudes sum up to less
    // than the divergence + 2. The first summand is the series, doubles, and the logarithm above.
    const double terms = kHalfUlp * (20.0 + 7.0 * std::fabs(lanes.partial[lane]));
    result[lane] = {.estimate = lanes.partial[lane],
                    .error = 2e-9 + terms + 1.05 * kHalfUlp * lanes.rounded[lane]};
  }
  return result;
}

}  // namespace tvmq::quant::kl
