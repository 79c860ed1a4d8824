#include "quant/threshold.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.h"
#include "quant/threshold_kl.h"
#include "quant/threshold_mse.h"

namespace tvmq::quant {
namespace {

float kl(const ValueStatistics& statistics, const ThresholdOptions& /*options*/) {
  return threshold_kl(statistics.histogram.to_vector(), statistics.range.absmax());
}
float percentile(const ValueStatistics& statistics, const ThresholdOptions& /*options*/) {
  return threshold_percentile(statistics);
}
float minmax(const ValueStatistics& statistics, const ThresholdOptions& /*options*/) {
  return threshold_minmax(statistics.range);
}
float mse(const ValueStatistics& statistics, const ThresholdOptions& options) {
  return threshold_mse(statistics.histogram.to_vector(), statistics.range.absmax(),
                       statistics.range.zeros, options.mse_steps);
}
float global_scale(const ValueStatistics& /*statistics*/, const ThresholdOptions& options) {
  return options.global_scale;
}

constexpr StatisticsKinds kRangeOnly{};
constexpr StatisticsKinds kHistogram{.percentile = false, .histogram = true};
constexpr StatisticsKinds kPercentileCounts{.percentile = true, .histogram = false};

constexpr std::array kModes = {
    ThresholdMode{CalibMode::kKlDivergence, "kl_divergence", true, kHistogram, kl},
    ThresholdMode{CalibMode::kPercentile, "percentile", true, kPercentileCounts, percentile},
    ThresholdMode{CalibMode::kMinMax, "minmax", true, kRangeOnly, minmax},
    ThresholdMode{CalibMode::kMse, "mse", true, kHistogram, mse},
    ThresholdMode{CalibMode::kGlobalScale, "global_scale", false, kRangeOnly, global_scale},
};

}  // namespace

std::span<const ThresholdMode> threshold_modes() { return kModes; }

const ThresholdMode& threshold_mode(CalibMode mode) {
  const auto* const row = std::find_if(kModes.begin(), kModes.end(),
                                       [&](const auto& each) { return each.mode == mode; });
  check(row != kModes.end(), "every mode has a row");
  return *row;
}

std::optional<CalibMode> parse_calib_mode(std::string_view name) {
  for (const ThresholdMode& each : kModes) {
    if (each.name == name) return each.mode;
  }
  return std::nullopt;
}

std::string_view calib_mode_name(CalibMode mode) { return threshold_mode(mode).name; }

float threshold_minmax(const RangeStatistics& range) { return range.absmax(); }

std::uint64_t percentile_rank(std::uint64_t count) {
  return static_cast<std::uint64_t>(static_cast<double>(count) * 0.99999);
}

float threshold_percentile(const ValueStatistics& statistics) {
  check(!statistics.lower_counts.empty(), "percentile counts were collected");
  const std::uint64_t below = statistics.upper_counts.below(statistics.selected_upper);
  const std::uint64_t rank = percentile_rank(statistics.range.count);
  check(rank >= below, "the second pass looked for this rank");
  const std::size_t lower = statistics.lower_counts.counter_of_rank(rank - below);
  return std::bit_cast<float>((statistics.selected_upper << 16) |
                              static_cast<std::uint32_t>(lower));
}

}  // namespace tvmq::quant
