// How far the numbers of one graph are from those of another.
#pragma once

#include <cstdint>
#include <span>

namespace tvmq::analysis {

/// The result of a comparison of a reference r with what stands for it, a.
struct ErrorMetrics {
  /// Signal to quantization noise ratio, 10 log10(sum r^2 / sum (r - a)^2). +infinity for equal
  /// values, -infinity for an error on a reference of zeros, NaN if anything is not finite.
  double sqnr_db = 0;
  /// Cosine of the angle between r and a as vectors; 1 if both are zero, 0 if one of them is.
  double cosine = 0;
  double max_abs_error = 0;
  std::int64_t elements = 0;
};

/// Sums in double, from which the metrics follow. The sums of one batch are taken by one thread;
/// whoever merges those of all batches in the order of batches gets the same bits for any number of
/// threads.
class ErrorSums {
 public:
  /// REQUIRES: spans of the same size.
  void add(std::span<const float> reference, std::span<const float> actual);
  void merge(const ErrorSums& other);
  [[nodiscard]] ErrorMetrics metrics() const;
  [[nodiscard]] bool empty() const { return elements_ == 0; }
  bool operator==(const ErrorSums&) const = default;

 private:
  double reference_squares_ = 0;
  double actual_squares_ = 0;
  double error_squares_ = 0;
  double products_ = 0;
  double max_abs_error_ = 0;
  std::int64_t elements_ = 0;
};

/// The sums of all batches, merged in order.
ErrorSums merged(std::span<const ErrorSums> batches);

}  // namespace tvmq::analysis
