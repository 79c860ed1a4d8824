#include "analysis/error_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace tvmq::analysis {
namespace {

/// Independent partial sums, so that the compiler can use vectors without reordering additions: the
/// result is the same on every machine.
constexpr std::size_t kLanes = 8;

struct LaneSums {
  std::array<double, kLanes> reference{};
  std::array<double, kLanes> actual{};
  std::array<double, kLanes> error{};
  std::array<double, kLanes> product{};
  std::array<double, kLanes> largest{};

  void add(std::size_t lane, float reference_value, float actual_value) {
    const auto r = static_cast<double>(reference_value);
    const auto a = static_cast<double>(actual_value);
    const double e = r - a;
    reference[lane] += r * r;
    actual[lane] += a * a;
    error[lane] += e * e;
    product[lane] += r * a;
    largest[lane] = std::max(largest[lane], std::fabs(e));
  }
};

double sum(const std::array<double, kLanes>& lanes) {
  double result = 0;
  for (const double lane : lanes) result += lane;
  return result;
}

// Not of external linkage: clang 14 gives the function that picks a clone another name.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) LaneSums lane_sums(
    std::span<const float> reference, std::span<const float> actual) {
  LaneSums lanes;
  const std::size_t whole = reference.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes.add(lane, reference[i + lane], actual[i + lane]);
    }
  }
  for (std::size_t i = whole; i < reference.size(); ++i) {
    lanes.add(i - whole, reference[i], actual[i]);
  }
  return lanes;
}

}  // namespace

void ErrorSums::add(std::span<const float> reference, std::span<const float> actual) {
  check(reference.size() == actual.size(), "values that correspond");
  const LaneSums lanes = lane_sums(reference, actual);
  reference_squares_ += sum(lanes.reference);
  actual_squares_ += sum(lanes.actual);
  error_squares_ += sum(lanes.error);
  products_ += sum(lanes.product);
  max_abs_error_ = std::max(max_abs_error_, *std::ranges::max_element(lanes.largest));
  elements_ += static_cast<std::int64_t>(reference.size());
}

void ErrorSums::merge(const ErrorSums& other) {
  reference_squares_ += other.reference_squares_;
  actual_squares_ += other.actual_squares_;
  error_squares_ += other.error_squares_;
  products_ += other.products_;
  max_abs_error_ = std::max(max_abs_error_, other.max_abs_error_);
  elements_ += other.elements_;
}

ErrorMetrics ErrorSums::metrics() const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ErrorMetrics result{.max_abs_error = max_abs_error_, .elements = elements_};
  if (error_squares_ == 0) {
    result.sqnr_db = kInfinity;
  } else if (reference_squares_ == 0) {
    result.sqnr_db = -kInfinity;
  } else {
    result.sqnr_db = 10 * std::log10(reference_squares_ / error_squares_);
  }
  if (!std::isfinite(error_squares_) || !std::isfinite(reference_squares_)) {
    result.sqnr_db = result.cosine = result.max_abs_error =
        std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  const double lengths = std::sqrt(reference_squares_ * actual_squares_);
  const bool both_zero = reference_squares_ == 0 && actual_squares_ == 0;
  result.cosine = lengths > 0 ? std::clamp(products_ / lengths, -1.0, 1.0) : both_zero ? 1 : 0;
  return result;
}

ErrorSums merged(std::span<const ErrorSums> batches) {
  ErrorSums result;
  for (const ErrorSums& batch : batches) result.merge(batch);
  return result;
}

}  // namespace tvmq::analysis
