// How stored values are stored.
#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.h"
#include "quant/integer_scheme.h"

namespace tvmq::quant {

using ir::NodeId;

namespace {

/// Larger values than calibration saw are not cut off up to so many times: it costs two of 16 bits.
constexpr float kWideRoom = 4;

/// float32 ends where that would be infinite.
Interval with_room(const Interval& extent) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  return {std::clamp(kWideRoom * extent.low, -kLargest, kLargest),
          std::clamp(kWideRoom * extent.high, -kLargest, kLargest)};
}

}  // namespace

QuantizedWeight layer_weight(const IntegerPlan& plan, const IntegerParameters& parameters,
                             const IntegerOptions& options, NodeId layer) {
  const auto& weights = parameters.weights;
  if (!weights.empty() && !weights.at(layer).scales.empty()) return weights[layer];
  return quantize_weight(plan.graph[plan.graph[layer].inputs[1]].value, options.weight_scale,
                         options.weight_granularity, options.weight_bits);
}

std::vector<AffineParameters> stored_parameters(const IntegerPlan& plan,
                                                std::span<const Interval> ranges, int bits) {
  check(ranges.size() == plan.observed.size(), "one range per observed value");
  std::vector<std::optional<Interval>> united(plan.graph.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    auto& group = united[plan.groups[plan.observed[i]]];
    group = group ? unite(*group, ranges[i]) : ranges[i];
  }
  std::vector<AffineParameters> result(plan.graph.size());
  for (NodeId id = 0; id < plan.graph.size(); ++id) {
    if (!plan.stored[id]) continue;
    const auto& interval = united[plan.groups[id]];
    check(interval.has_value(), "every stored value belongs to a group with a range");
    result[id] = affine_parameters(*interval, bits);
  }
  return result;
}

std::vector<AffineParameters> wide_stored_parameters(const IntegerPlan& plan,
                                                     const IntegerParameters& parameters) {
  const auto& extents = parameters.extents.empty() ? parameters.ranges : parameters.extents;
  check(extents.size() == plan.observed.size(), "one extent per observed value");
  std::vector<AffineParameters> result(plan.graph.size());
  for (std::size_t i = 0; i < extents.size(); ++i) {
    result[plan.observed[i]] = wide_parameters(with_room(extents[i]));
  }
  return result;
}

}  // namespace tvmq::quant
