#include "analysis/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "exec/layer_patch.h"

namespace tvmq::analysis {

std::vector<std::int64_t> sample_positions(std::int64_t total, std::int64_t most,
                                           std::int64_t batch) {
  check(total >= 0 && most >= 0, "sizes");
  const std::int64_t count = std::min(total, most);
  std::vector<std::int64_t> positions(static_cast<std::size_t>(count));
  if (count == total) {
    std::iota(positions.begin(), positions.end(), 0);
    return positions;
  }
  // Multiples of a step near the golden section of the range are spread evenly, and never repeat if
  // the step has no divisor in common with it.
  constexpr double kGoldenSection = 0.6180339887498949;
  auto step = static_cast<std::int64_t>(kGoldenSection * static_cast<double>(total)) | 1;
  while (std::gcd(step, total) != 1) ++step;
  std::int64_t position = batch * count % total;
  for (std::int64_t& each : positions) {
    position = (position + step) % total;
    each = position;
  }
  std::ranges::sort(positions);
  return positions;
}

std::int64_t position_count(const exec::TapView& view) {
  return view.channels == 0 ? 0 : static_cast<std::int64_t>(view.elements.size()) / view.channels;
}

bool has_channels_in_front(const exec::TapView& view, const ir::Shape& shape) {
  if (shape.size() < 2 || view.channels != shape[1]) return false;
  const bool plain = view.block == 1 && view.inner * shape[0] * shape[1] ==
                                            static_cast<std::int64_t>(view.elements.size());
  return view.channel_axis == 1 || plain;
}

std::vector<float> gather(const exec::TapView& view, std::span<const std::int64_t> positions) {
  std::vector<float> result;
  result.reserve(positions.size() * static_cast<std::size_t>(view.channels));
  for (const std::int64_t position : positions) {
    const std::int64_t n = position / view.inner;
    const std::int64_t i = position % view.inner;
    for (std::int64_t channel = 0; channel < view.channels; ++channel) {
      result.push_back(view.elements[exec::element_index(view, n, channel, i)]);
    }
  }
  return result;
}

}  // namespace tvmq::analysis
