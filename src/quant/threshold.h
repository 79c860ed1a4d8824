// From the statistics of a value to its threshold: the magnitude beyond which quantization clips.
// Every mode of calibration is one row of a table (threshold_modes) and one pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "quant/observer.h"

namespace tvmq::quant {

/// How a threshold is chosen.
enum class CalibMode : std::uint8_t {
  kKlDivergence,  ///< TVM's: least Kullback-Leibler divergence, threshold_kl.h
  kPercentile,    ///< TVM's: the |x| that 0.99999 of all |x| do not exceed
  kMinMax,        ///< ours: the largest |x|
  kMse,           ///< ours: least expected squared error, threshold_mse.h
  kGlobalScale,   ///< TVM's: one given number for all values, no samples needed
};

struct ThresholdOptions {
  /// kMse: steps of the integer grid between 0 and the threshold; 127 for 8 bits with a sign, 255
  /// for a value without negative elements in 8 bits without a sign.
  int mse_steps = 127;
  float global_scale = 8.0F;  ///< kGlobalScale
};

struct ThresholdMode {
  CalibMode mode;
  std::string_view name;  ///< as in a configuration: "kl_divergence"
  bool needs_samples;     ///< false: the threshold is known without statistics
  StatisticsKinds needs;  ///< what must be collected beside the range
  /// The threshold; finite, >= 0. REQUIRES: what `needs` says was collected, count > 0.
  float (*threshold)(const ValueStatistics& statistics, const ThresholdOptions& options);
};

/// All modes.
std::span<const ThresholdMode> threshold_modes();
const ThresholdMode& threshold_mode(CalibMode mode);
/// The mode of that name; nothing if there is none.
std::optional<CalibMode> parse_calib_mode(std::string_view name);
std::string_view calib_mode_name(CalibMode mode);

/// The largest |x|.
float threshold_minmax(const RangeStatistics& range);

/// TVM's percentile: the element of rank int(n * 0.99999) (0-based) of the n ascending |x|; for
/// n < 100,000 the largest. To the last bit.
float threshold_percentile(const ValueStatistics& statistics);
/// The rank that threshold_percentile() asks for, ValueObserver::begin_histogram() wants it.
std::uint64_t percentile_rank(std::uint64_t count);

}  // namespace tvmq::quant
