// A sum of doubles without rounding errors: the same for any order and any grouping of its terms.
//
// The sum is kept as doubles that do not overlap (Shewchuk 1997, "Adaptive Precision Floating-Point
// Arithmetic"; Python's math.fsum does the same). So parts of a sum that were taken elsewhere can
// be added, and nothing tells that from a sum in one piece.
#pragma once

#include <vector>

namespace tvmq::quant {

class ExactSum {
 public:
  /// NaN or infinity: the sum is NaN from then on.
  void add(double term);
  void add(const ExactSum& other);
  /// The sum, rounded once.
  [[nodiscard]] double value() const;

  /// Doubles whose exact sum this is, the largest magnitude first: each is what is left of the sum,
  /// rounded. Two sums are equal if and only if their terms are. Empty for 0.
  [[nodiscard]] std::vector<double> terms() const;

  bool operator==(const ExactSum& other) const { return terms() == other.terms(); }

 private:
  std::vector<double> parts_;  ///< ascending magnitudes, no two overlap
};

}  // namespace tvmq::quant
