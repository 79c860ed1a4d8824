// Classes from logits, and how sure one can be of a share of right ones.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tvmq::analysis {

/// The `most` classes with the largest logits, best first; of equal logits the lower class first,
/// NaN last. Fewer if there are fewer classes.
std::vector<std::int64_t> top_classes(std::span<const float> logits, std::size_t most);

/// A share of images, 0..1, with the ends of its 95 % confidence interval.
struct Share {
  double value = 0;
  double low = 0;
  double high = 1;
};

/// `hits` of `trials`; the interval is Wilson's score interval (E. B. Wilson, "Probable inference,
/// the law of succession, and statistical inference", 1927), which stays within 0..1 and is right
/// for shares near its ends. Of no trials: 0 within [0, 1].
Share share_of(std::int64_t hits, std::int64_t trials);

/// The same images judged twice, before and after.
struct PairedCounts {
  std::int64_t trials = 0;
  std::int64_t lost = 0;    ///< right before, wrong after
  std::int64_t gained = 0;  ///< wrong before, right after
};

/// How much the share of right ones changed, after - before, -1..1. Only discordant images count:
/// the interval is Wald's for matched pairs with one half added to each of the four counts
/// (A. Agresti and Y. Min, "Simple improved confidence intervals for comparing matched
/// proportions", 2005). Of no trials: 0 within [-1, 1].
Share paired_difference(const PairedCounts& counts);

/// Top-1 and top-5 counts of one classifier against labels.
struct AccuracyCounts {
  std::int64_t images = 0;
  std::int64_t top1 = 0;
  std::int64_t top5 = 0;

  void add(std::span<const std::int64_t> classes, std::int64_t label);
  void merge(const AccuracyCounts& other);
  bool operator==(const AccuracyCounts&) const = default;
};

/// How often two classifiers agree on the same images.
struct AgreementCounts {
  std::int64_t images = 0;
  std::int64_t top1 = 0;  ///< the first classes are the same
  std::int64_t top5 = 0;  ///< the reference's first class is among the other's first five

  void add(std::span<const std::int64_t> reference, std::span<const std::int64_t> actual);
  void merge(const AgreementCounts& other);
  bool operator==(const AgreementCounts&) const = default;
};

/// How many of the best classes count as "top-5".
inline constexpr std::size_t kTopClasses = 5;

}  // namespace tvmq::analysis
