#include "quant/tvm_scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/tvm_refusal.h"

namespace tvmq::quant {
namespace {

/// NaN if there is one, as numpy's amax.
float largest_magnitude(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) {
    if (std::isnan(value)) return value;
    largest = std::max(largest, std::abs(value));
  }
  return largest;
}

int bits_of(AnnotateKind kind, const TvmQuantizeOptions& options) {
  switch (kind) {
    case AnnotateKind::kInput:
      return options.nbit_input;
    case AnnotateKind::kWeight:
      return options.nbit_weight;
    case AnnotateKind::kActivation:
      return options.nbit_activation;
    case AnnotateKind::kNone:
      break;
  }
  throw InternalError("a simulated quantize without a kind");
}

}  // namespace

QuantizeParameters quantize_parameters(double threshold, int bits) {
  const double range = std::ldexp(1.0, bits - 1);
  return {.scale = static_cast<float>(threshold / range),
          .low = static_cast<float>(-(range - 1)),
          .high = static_cast<float>(range - 1)};
}

double weight_threshold(const ir::Tensor& weight, WeightScale mode) {
  const float largest = largest_magnitude(weight.data<float>());
  if (mode == WeightScale::kMax) return largest;
  if (!(largest > 0)) return 1.0;
  // Python's math.log(v, 2) is this quotient; for some powers of two it lies above the exponent.
  const double log2 = std::log(static_cast<double>(largest)) / std::log(2.0);
  return std::exp2(std::ceil(log2));
}

std::vector<ir::SimulatedQuantizeAttrs> set_scales(const AnnotatedGraph& annotated,
                                                   std::span<const float> thresholds,
                                                   const TvmQuantizeOptions& options) {
  const std::size_t expected = threshold_count(annotated);
  if (thresholds.size() != expected) {
    throw InputError(fmt::format("found {} thresholds, expected {}, one per observed value",
                                 thresholds.size(), expected));
  }
  std::vector<ir::SimulatedQuantizeAttrs> result;
  std::size_t next = 0;
  for (const ir::NodeId id : annotated.quantizes) {
    auto attrs = annotated.graph[id].attrs_as<ir::SimulatedQuantizeAttrs>();
    const auto kind = static_cast<AnnotateKind>(attrs.kind);
    const ir::NodeId data = annotated.graph[id].inputs[0];
    double threshold = 0;
    if (kind == AnnotateKind::kWeight) {
      const ir::Tensor& weight = annotated.graph[data].value;
      if (weight.dtype() != ir::DType::kFloat32) throw refusal::not_float32(annotated.graph, data);
      threshold = weight_threshold(weight, options.weight_scale);
    } else {
      threshold = thresholds[next];
      if (!(threshold >= 0 && threshold <= std::numeric_limits<float>::max())) {
        throw InputError(fmt::format("the threshold of {} is {}, expected a finite number >= 0",
                                     ir::describe(annotated.graph, data), threshold));
      }
      ++next;
    }
    const QuantizeParameters numbers = quantize_parameters(threshold, bits_of(kind, options));
    attrs.scale = numbers.scale;
    attrs.clip_min = numbers.low;
    attrs.clip_max = numbers.high;
    result.push_back(attrs);
  }
  return result;
}

}  // namespace tvmq::quant
