#include "quant/interval.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

/// Ends are tried at this many fractions of the seen minimum and maximum.
constexpr int kGrid = 100;
/// No end moves closer to zero than this fraction: what is left would be a different network.
constexpr double kLeastFraction = 0.2;

/// Sums over the histogram from the left: how many elements, their x and their x^2.
struct Moments {
  double count = 0;
  double sum = 0;
  double squares = 0;
};

class SquaredError {
 public:
  SquaredError(const CalibrationEntry& entry, int bits)
      : steps_(static_cast<double>((1 << bits) - 1)), absmax_(static_cast<double>(entry.absmax)) {
    cumulative_.reserve(kHistogramBins + 1);
    cumulative_.push_back({});
    const std::vector<std::uint64_t> histogram = entry.histogram.to_vector();
    Moments so_far;
    for (int bin = 0; bin < kHistogramBins; ++bin) {
      double count = static_cast<double>(histogram[static_cast<std::size_t>(bin)]);
      if (bin == kZeroBin) count -= std::min(count, static_cast<double>(entry.zeros));
      const double x = center(bin);
      so_far.count += count;
      so_far.sum += count * x;
      so_far.squares += count * x * x;
      cumulative_.push_back(so_far);
    }
  }

  [[nodiscard]] double of(double low, double high) const {
    const double step = (high - low) / steps_;
    const std::size_t first = bin_of(low);
    const std::size_t last = bin_of(high);
    const Moments& below = cumulative_[first];
    const Moments& inside_end = cumulative_[last + 1];
    const Moments& all = cumulative_.back();
    const double inside = inside_end.count - below.count;
    const Moments above{all.count - inside_end.count, all.sum - inside_end.sum,
                        all.squares - inside_end.squares};
    return inside * step * step / 12 + distance(below, low) + distance(above, high);
  }

 private:
  [[nodiscard]] double center(int bin) const {
    return (bin - kZeroBin) * 2 * absmax_ / kHistogramBins;
  }
  [[nodiscard]] std::size_t bin_of(double x) const {
    const double position = std::floor((x + absmax_) / (2 * absmax_) * kHistogramBins);
    return static_cast<std::size_t>(std::clamp(position, 0.0, kHistogramBins - 1.0));
  }
  /// Sum of (x - end)^2.
  static double distance(const Moments& part, double end) {
    return std::max(0.0, part.squares - 2 * end * part.sum + end * end * part.count);
  }

  double steps_;
  double absmax_;
  std::vector<Moments> cumulative_;
};

/// KL divergence looks at how often values occur, not at how large they are: of the skewed values
/// behind swish and of pixels it may cut off much of the signal. It decides only among ranges whose
/// squared error is at most so many times the least that is possible.
constexpr double kMostKlError = 1.3;

Interval least_squared_error(const CalibrationEntry& entry, int bits) {
  check(entry.histogram.size() == kHistogramBins, "the squared error needs the histogram");
  const double min = std::min(0.0, static_cast<double>(entry.min));
  const double max = std::max(0.0, static_cast<double>(entry.max));
  if (!(entry.absmax > 0)) return {};
  const SquaredError error(entry, bits);
  double best_error = error.of(min, max);
  Interval best{static_cast<float>(min), static_cast<float>(max)};
  const auto fraction = [](int step) {
    return 1 - (1 - kLeastFraction) * static_cast<double>(step) / kGrid;
  };
  for (int low_step = 0; low_step <= (min < 0 ? kGrid : 0); ++low_step) {
    for (int high_step = 0; high_step <= (max > 0 ? kGrid : 0); ++high_step) {
      const double low = min * fraction(low_step);
      const double high = max * fraction(high_step);
      const double candidate = error.of(low, high);
      if (candidate < best_error) {
        best_error = candidate;
        best = {static_cast<float>(low), static_cast<float>(high)};
      }
    }
  }
  return best;
}

/// All that was seen between -threshold and threshold.
Interval within_threshold(const CalibrationEntry& entry) {
  return {std::clamp(entry.min, -entry.threshold, entry.threshold),
          std::clamp(entry.max, -entry.threshold, entry.threshold)};
}

Interval least_divergence(const CalibrationEntry& entry, int bits) {
  const Interval chosen = within_threshold(entry);
  if (!(entry.absmax > 0)) return chosen;
  const Interval best = least_squared_error(entry, bits);
  const SquaredError error(entry, bits);
  const auto of = [&](const Interval& interval) {
    return error.of(std::min(0.0, static_cast<double>(interval.low)),
                    std::max(0.0, static_cast<double>(interval.high)));
  };
  return of(chosen) <= kMostKlError * of(best) ? chosen : best;
}

}  // namespace

Interval interval_of(const CalibrationEntry& entry, CalibMode mode, int bits) {
  switch (mode) {
    case CalibMode::kMse:
      return least_squared_error(entry, bits);
    case CalibMode::kMinMax:
      return extent_of(entry);
    case CalibMode::kGlobalScale:
      return {-entry.threshold, entry.threshold};
    case CalibMode::kKlDivergence:
      return least_divergence(entry, bits);
    case CalibMode::kPercentile:
      return within_threshold(entry);
  }
  throw InternalError("calibration mode without an interval");
}

Interval extent_of(const CalibrationEntry& entry) {
  if (entry.min > entry.max) return {};
  return {entry.min, entry.max};
}

}  // namespace tvmq::quant
