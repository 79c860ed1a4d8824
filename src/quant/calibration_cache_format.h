// What the writer and the reader of calibration caches agree on. Internal to quant.
#pragma once

#include <cstdint>
#include <string_view>

#include "quant/affine.h"

namespace tvmq::quant {

constexpr std::string_view kCacheFormat = "tvm-quantization calibration cache";
constexpr std::int64_t kCacheVersion = 2;
constexpr std::string_view kCacheSchemes[] = {"integer", "tvm"};

inline std::string_view name_of(WeightScale scale) {
  return scale == WeightScale::kPower2 ? "power2" : "max";
}
inline std::string_view name_of(WeightGranularity granularity) {
  return granularity == WeightGranularity::kPerTensor ? "per_tensor" : "per_channel";
}

}  // namespace tvmq::quant
