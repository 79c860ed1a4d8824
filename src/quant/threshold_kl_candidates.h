// The inside of threshold_kl(): cheap and certain bounds on the divergence of every candidate, and
// the exact float32 divergence of single ones. Not for use elsewhere.
//
// Candidate `half` keeps the bins start .. stop-1 around zero, start = 4000 - half, size =
// 2 * half + 1; element k is bin start + k. Its first element also gets everything left of it, its
// last one everything right of it. Within one of the 255 levels all non-zero elements of q are
// equal, which is what makes bounds cheap: with prefix sums a level costs one logarithm.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tvmq::quant::kl {

inline constexpr int kLevels = 255;
inline constexpr int kFirstHalf = kLevels / 2;
inline constexpr float kEpsilon = 0.0001F;

/// Candidates that are worked on at a time, one per vector lane.
inline constexpr int kLanes = 32;

/// What all candidates share. Prefix arrays hold the sum over the bins below their index; all
/// arrays are padded so that a vector may start at any valid index.
struct Tables {
  explicit Tables(std::span<const std::uint64_t> histogram);

  std::vector<float> count;  ///< of each bin
  std::vector<double> sum;   ///< prefix of the counts c, exact
  std::vector<double> nonzeros;
  std::vector<double> c_log_c;         ///< prefix of c ln(c)
  std::vector<double> log_c_plus_1;    ///< prefix of ln(c) + 1
  std::vector<double> inverse;         ///< prefix of 1/c
  std::vector<double> inverse_square;  ///< prefix of 1/c^2; these six over non-zero bins only
  std::vector<int> nonzero_bins;
  std::vector<float> head;  ///< [b]: float32 sum of bins 0 .. b from left to right
  std::vector<float> tail;  ///< [b]: float32 sum of bins b .. 8000 from left to right
};

/// A candidate's float32 values, exactly as TVM computes them.
struct Candidate {
  int half = 0;
  int merged = 0;     ///< elements per level; the last level also has the remainder
  bool empty = true;  ///< too few non-zeros to smooth: the divergence is +inf, the rest undefined
  float p_taken = 0;  ///< what smoothing takes from each non-zero
  float q_taken = 0;
  float p_first = 0;  ///< smoothed, not yet divided by the sum
  float p_last = 0;
  float q_first = 0;
  float q_last = 0;
  float p_sum = 0;
  float q_sum = 0;

  [[nodiscard]] int size() const { return 2 * half + 1; }
};

/// The float32 divergence is within `error` of `estimate`.
struct Bound {
  double estimate = 0;
  double error = 0;
};

/// Up to kLanes neighbours with the same number of merged bins. Lane l is the candidate
/// `last_half - l`, so that the same element of neighbouring lanes is in neighbouring bins.
struct Group {
  int last_half = 0;
  int lanes = 0;
  int merged = 0;
  std::array<Candidate, kLanes> candidates;
  /// level_q() of every level and lane.
  alignas(64) std::array<std::array<float, kLanes>, kLevels> level_q;
};

/// q of the non-zero elements of a level, smoothed; kEpsilon if the level has none.
float level_q(const Tables& tables, const Candidate& candidate, int level);

/// Fills everything of `group` from last_half and lanes; false, and only candidates[].empty is
/// filled, if all of them are empty. REQUIRES: all lanes share `merged`.
bool prepare(const Tables& tables, Group& group);
/// One bound per lane; of an empty candidate it means nothing.
std::array<Bound, kLanes> bounds(const Tables& tables, const Group& group);
/// The exact divergence of a candidate that prepare() has filled. `scratch` is overwritten.
float divergence(const Tables& tables, const Candidate& candidate, std::vector<float>& scratch);

}  // namespace tvmq::quant::kl
