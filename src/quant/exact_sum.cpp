#include "quant/exact_sum.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace tvmq::quant {

void ExactSum::add(double term) {
  if (!std::isfinite(term)) {
    parts_.assign(1, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    double part = parts_[i];
    if (std::fabs(term) < std::fabs(part)) std::swap(term, part);
    const double sum = term + part;
    const double lost = part - (sum - term);  // exact, since |term| >= |part|
    if (lost != 0) parts_[kept++] = lost;
    term = sum;
  }
  parts_.resize(kept);
  if (!std::isfinite(term)) {
    parts_.assign(1, std::numeric_limits<double>::quiet_NaN());
  } else if (term != 0) {
    parts_.push_back(term);
  }
}

void ExactSum::add(const ExactSum& other) {
  const std::vector<double> terms = other.parts_;  // `other` may be this
  for (const double term : terms) add(term);
}

double ExactSum::value() const {
  if (parts_.empty()) return 0;
  std::size_t i = parts_.size() - 1;
  double sum = parts_[i];
  double lost = 0;
  while (i > 0) {
    const double before = sum;
    const double part = parts_[--i];
    sum = before + part;
    lost = part - (sum - before);
    if (lost != 0) break;
  }
  // Half way between two doubles: what lies below decides.
  if (i > 0 && ((lost < 0 && parts_[i - 1] < 0) || (lost > 0 && parts_[i - 1] > 0))) {
    const double twice = lost * 2;
    const double up = sum + twice;
    if (twice == up - sum) sum = up;
  }
  return sum;
}

std::vector<double> ExactSum::terms() const {
  std::vector<double> result;
  ExactSum rest = *this;
  while (!rest.parts_.empty()) {
    result.push_back(rest.value());
    if (std::isnan(result.back())) break;
    rest.add(-result.back());
  }
  return result;
}

}  // namespace tvmq::quant
