#include "quant/calibration_table.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant {

CalibrationTable read_calibration_table(const std::filesystem::path& path) {
  return parse_calibration_table(read_file(path), path.string());
}

void write_calibration_table(const CalibrationTable& table, const std::filesystem::path& path) {
  AtomicFile file(path);
  file.write(to_json(table));
  file.commit();
}

void require_match(const CalibrationTable& table, const CalibrationKey& key,
                   std::string_view name_for_errors) {
  constexpr std::string_view kRemedy =
      "delete the file to calibrate anew, or name another file for this run";
  if (table.graph_hash != key.graph_hash) {
    throw InputError(fmt::format(
        "{}: made for another model (graph hash {}, expected {}): thresholds fit only the network "
        "they were found on; {}",
        name_for_errors, table.graph_hash, key.graph_hash, kRemedy));
  }
  if (table.preprocessing != key.preprocessing) {
    throw InputError(
        fmt::format("{}: made with another preprocessing of the images: '{}', expected '{}'; {}",
                    name_for_errors, table.preprocessing, key.preprocessing, kRemedy));
  }
  if (table.entries.size() != key.entries) {
    throw InputError(fmt::format(
        "{}: {} thresholds, expected {}: it was made with other options of the quantizer; {}",
        name_for_errors, table.entries.size(), key.entries, kRemedy));
  }
}

std::optional<CalibrationTable> with_mode(const CalibrationTable& table, CalibMode mode,
                                          const ThresholdOptions& options) {
  const ThresholdMode& row = threshold_mode(mode);
  CalibrationTable result = table;
  result.mode = mode;
  for (CalibrationEntry& each : result.entries) {
    if (row.needs_samples && each.count == 0) return std::nullopt;
    if (row.needs.histogram && each.histogram.empty()) return std::nullopt;
    if (row.needs.percentile) {
      if (!each.percentile) return std::nullopt;
      each.threshold = *each.percentile;
      continue;
    }
    ValueStatistics statistics;
    statistics.range.min = each.min;
    statistics.range.max = each.max;
    statistics.range.count = static_cast<std::uint64_t>(each.count);
    statistics.range.zeros = static_cast<std::uint64_t>(each.zeros);
    statistics.histogram = each.histogram;
    each.threshold = row.threshold(statistics, options);
  }
  return result;
}

}  // namespace tvmq::quant
