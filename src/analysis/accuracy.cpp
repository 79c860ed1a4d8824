#include "analysis/accuracy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace tvmq::analysis {
namespace {

/// The two-sided 95 % point of the normal distribution.
constexpr double kZ = 1.959963984540054;

double ratio(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

bool is_among(std::span<const std::int64_t> classes, std::int64_t wanted) {
  return std::ranges::find(classes, wanted) != classes.end();
}

}  // namespace

std::vector<std::int64_t> top_classes(std::span<const float> logits, std::size_t most) {
  std::vector<std::int64_t> classes(logits.size());
  std::iota(classes.begin(), classes.end(), 0);
  const auto better = [&](std::int64_t left, std::int64_t right) {
    const float l = logits[static_cast<std::size_t>(left)];
    const float r = logits[static_cast<std::size_t>(right)];
    if (std::isnan(l) != std::isnan(r)) return std::isnan(r);
    if (l > r || l < r) return l > r;
    return left < right;
  };
  most = std::min(most, classes.size());
  std::partial_sort(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(most),
                    classes.end(), better);
  classes.resize(most);
  return classes;
}

Share share_of(std::int64_t hits, std::int64_t trials) {
  check(hits >= 0 && hits <= trials, "hits are trials");
  if (trials == 0) return {};
  const auto n = static_cast<double>(trials);
  const double p = ratio(hits, trials);
  const double z2 = kZ * kZ;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {.value = p,
          .low = hits == 0 ? 0 : std::max(0.0, centre - half),
          .high = hits == trials ? 1 : std::min(1.0, centre + half)};
}

Share paired_difference(const PairedCounts& counts) {
  check(counts.lost >= 0 && counts.gained >= 0 && counts.lost + counts.gained <= counts.trials,
        "discordant images are images");
  if (counts.trials == 0) return {.value = 0, .low = -1, .high = 1};
  const double n = static_cast<double>(counts.trials) + 2;
  const double lost = static_cast<double>(counts.lost) + 0.5;
  const double gained = static_cast<double>(counts.gained) + 0.5;
  const double centre = (gained - lost) / n;
  const double half = kZ * std::sqrt((gained + lost) / n - centre * centre) / std::sqrt(n);
  return {.value = ratio(counts.gained - counts.lost, counts.trials),
          .low = std::max(-1.0, centre - half),
          .high = std::min(1.0, centre + half)};
}

void AccuracyCounts::add(std::span<const std::int64_t> classes, std::int64_t label) {
  ++images;
  if (classes.empty()) return;
  if (classes.front() == label) ++top1;
  if (is_among(classes.first(std::min(classes.size(), kTopClasses)), label)) ++top5;
}

void AccuracyCounts::merge(const AccuracyCounts& other) {
  images += other.images;
  top1 += other.top1;
  top5 += other.top5;
}

void AgreementCounts::add(std::span<const std::int64_t> reference,
                          std::span<const std::int64_t> actual) {
  ++images;
  if (reference.empty() || actual.empty()) return;
  if (reference.front() == actual.front()) ++top1;
  if (is_among(actual.first(std::min(actual.size(), kTopClasses)), reference.front())) ++top5;
}

void AgreementCounts::merge(const AgreementCounts& other) {
  images += other.images;
  top1 += other.top1;
  top5 += other.top5;
}

}  // namespace tvmq::analysis
