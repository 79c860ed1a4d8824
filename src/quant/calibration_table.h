// The result of calibration: one threshold per observed value, and the file it is kept in.
//
// The file is JSON that people can read and edit: numbers are written with the fewest digits that
// give the same float32 back. It is bound to the model by graph_hash() and to the preprocessing of
// the images by a text, so that thresholds cannot be used for something they were not made for.
//
//   {
//     "format": "tvm-quantization calibration table",
//     "version": 1,
//     "mode": "kl_divergence",
//     "graph_hash": "9c1f0e4a2b6d8f3050a7c4e19b2d6f80",
//     "preprocessing": "227x227 BGR mean 123.68 ...",
//     "samples": 128,
//     "parameters": {},
//     "entries": [
//       {"name": "nn.relu 'relu1'", "threshold": 3.5088, "absmax": 3.677, "min": 0, "max": 3.677,
//        "count": 20000, "zeros": 12, "percentile": 3.6, "histogram": [-4000, 19, 7, -3, ...]},
//       ...
//     ]
//   }
//
// "percentile" and "histogram" may be absent. A histogram lists the counts of its 8001 bins; a
// negative number stands for so many empty bins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quant/graph_hash.h"
#include "quant/threshold.h"

namespace tvmq::quant {

/// One observed value.
struct CalibrationEntry {
  std::string name;  ///< ir::describe() of the value; for people, need not be unique
  float threshold = 0;
  float absmax = 0;  ///< max(|min|, |max|) over all samples
  float min = 0;
  float max = 0;
  std::int64_t count = 0;  ///< elements seen
  std::int64_t zeros = 0;  ///< of them 0.0 or -0.0
  /// The threshold of CalibMode::kPercentile, which a histogram does not tell exactly.
  std::optional<float> percentile = std::nullopt;
  /// kHistogramBins counts over [-absmax, absmax], or empty: with them the threshold of another
  /// mode can be found without the images.
  std::vector<std::uint64_t> histogram = {};
  bool operator==(const CalibrationEntry&) const = default;
};

struct CalibrationTable {
  CalibMode mode = CalibMode::kMse;
  std::string graph_hash;     ///< graph_hash() of the graph that was observed
  std::string preprocessing;  ///< what was done to the images, in the caller's words
  std::int64_t samples = 0;   ///< batches that were seen; 0 if the mode needs none
  /// Whatever else the thresholds depend on, by name, in the caller's words.
  std::map<std::string, std::string, std::less<>> parameters = {};
  /// In TVM's visit order (relay_quantize.md 3.3): as `observed` was given to calibrate().
  std::vector<CalibrationEntry> entries = {};
  bool operator==(const CalibrationTable&) const = default;
};

/// What a table must be for, to be used.
struct CalibrationKey {
  std::string graph_hash;
  std::string preprocessing;
  std::size_t entries = 0;  ///< how many values are observed
};

/// The file's text.
std::string to_json(const CalibrationTable& table);

/// InputError, with the place: no JSON, not our format or version, a field missing, unknown, twice
/// or of the wrong type or range, a threshold that is negative or not finite.
CalibrationTable parse_calibration_table(std::string_view json, std::string_view name_for_errors);
CalibrationTable read_calibration_table(const std::filesystem::path& path);
/// The file appears whole or not at all.
void write_calibration_table(const CalibrationTable& table, const std::filesystem::path& path);

/// InputError, saying which and what to do, unless `table` was made for `key`.
void require_match(const CalibrationTable& table, const CalibrationKey& key,
                   std::string_view name_for_errors);

/// The table for another mode from the statistics in `table`; nothing if they do not tell (the
/// table comes from global_scale, or was made without keep_histograms).
std::optional<CalibrationTable> with_mode(const CalibrationTable& table, CalibMode mode,
                                          const ThresholdOptions& options);

}  // namespace tvmq::quant
