#include "quant/threshold_mse.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

/// The distribution of |x|, measured in bin widths: bin j covers [j - 1/2, j + 1/2), bin 0 only its
/// right half.
class Magnitudes {
 public:
  Magnitudes(std::span<const std::uint64_t> histogram, std::uint64_t zeros)
      : density_(kZeroBin + 1), mass_(kZeroBin + 2), first_moment_(kZeroBin + 2) {
    check(histogram.size() == kHistogramBins, "a histogram of 8001 bins");
    // Fewer where zero_bin() is another: those count as very small numbers then.
    zeros = std::min(zeros, histogram[kZeroBin]);
    total_ = static_cast<double>(zeros);
    for (int j = 0; j <= kZeroBin; ++j) {
      const double count = j == 0 ? static_cast<double>(histogram[kZeroBin] - zeros)
                                  : static_cast<double>(histogram[kZeroBin - j]) +
                                        static_cast<double>(histogram[kZeroBin + j]);
      const double left = j == 0 ? 0.0 : j - 0.5;
      const double right = j + 0.5;
      density_[j] = count / (right - left);
      mass_[j + 1] = mass_[j] + count;
      first_moment_[j + 1] = first_moment_[j] + density_[j] * 0.5 * (right * right - left * left);
      second_moment_ += density_[j] * (right * right * right - left * left * left) / 3.0;
      total_ += count;
    }
  }

  /// E of the grid with `steps` steps of `step` bin widths.
  [[nodiscard]] double error(int steps, double step) const {
    double masses = 0;
    double moments = 0;
    for (int a = 1; a <= steps; ++a) {
      const double border = (a - 0.5) * step;
      const double from_left = border + 0.5;  // bins 0, 1, ... begin at 0, 1, ... of this
      const int j = static_cast<int>(from_left);
      if (j > kZeroBin) {  // beyond the largest |x|
        masses += (2.0 * a - 1.0) * mass_.back();
        moments += first_moment_.back();
        continue;
      }
      const double left = j == 0 ? 0.0 : j - 0.5;
      masses += (2.0 * a - 1.0) * (mass_[j] + density_[j] * (border - left));
      moments += first_moment_[j] + density_[j] * 0.5 * (border * border - left * left);
    }
    return second_moment_ - 2.0 * step * (steps * first_moment_.back() - moments) +
           step * step * (static_cast<double>(steps) * steps * mass_.back() - masses);
  }

  [[nodiscard]] double total() const { return total_; }

 private:
  std::vector<double> density_;
  std::vector<double> mass_;          ///< M_0 at the left end of bin j, without the zeros
  std::vector<double> first_moment_;  ///< M_1 there
  double second_moment_ = 0;
  double total_ = 0;
};

}  // namespace

float threshold_mse(std::span<const std::uint64_t> histogram, float absmax, std::uint64_t zeros,
                    int steps) {
  check(steps >= 1, "a grid has at least one step");
  if (absmax == 0.0F) return 0.0F;
  constexpr int kFirstHalf = 127;
  const Magnitudes magnitudes(histogram, zeros);
  int best = kZeroBin;
  double least = std::numeric_limits<double>::infinity();
  for (int half = kFirstHalf; half <= kZeroBin; ++half) {
    const double error = magnitudes.error(steps, (half + 0.5) / steps);
    if (error < least) {
      least = error;
      best = half;
    }
  }
  return histogram_edges(absmax)[static_cast<std::size_t>(best) + kZeroBin + 1];
}

double quantization_error(std::span<const std::uint64_t> histogram, float absmax,
                          std::uint64_t zeros, int steps, double bins) {
  check(steps >= 1 && bins > 0, "a grid has at least one step");
  const Magnitudes magnitudes(histogram, zeros);
  const double bin_width = 2.0 * absmax / kHistogramBins;
  return magnitudes.error(steps, bins / steps) / magnitudes.total() * bin_width * bin_width;
}

}  // namespace tvmq::quant
