#include "data/sample.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace tvmq::data {
namespace {

/// Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t value = state_;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
  }

  /// Uniform in [0, bound): values from the incomplete last round are drawn again.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t first_whole = (0 - bound) % bound;  // 2^64 mod bound
    std::uint64_t value = next();
    while (value < first_whole) value = next();
    return value % bound;
  }

 private:
  std::uint64_t state_;
};

}  // namespace

Samples choose_samples(std::size_t available, std::size_t calibration, std::size_t verification,
                       std::optional<std::uint64_t> seed) {
  check(calibration <= available && verification <= available - calibration,
        "no more samples than files");
  std::vector<std::size_t> order(available);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (seed) {
    SplitMix64 random(*seed);
    for (std::size_t i = 0; i < calibration + verification; ++i) {
      std::swap(order[i], order[i + random.below(available - i)]);
    }
  }
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(calibration);
  const auto end = middle + static_cast<std::ptrdiff_t>(verification);
  Samples samples{.calibration = {order.begin(), middle}, .verification = {middle, end}};
  std::sort(samples.calibration.begin(), samples.calibration.end());
  std::sort(samples.verification.begin(), samples.verification.end());
  return samples;
}

}  // namespace tvmq::data
