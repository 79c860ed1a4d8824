// Filling calibration caches without quantizing, and merging them: the work of `calibrate` and
// `merge`.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "driver/config.h"
#include "driver/quantize_model.h"

namespace tvmq::driver {

/// Where a cache is on its way.
struct CacheState {
  std::size_t samples = 0;  ///< that shall be counted in the end
  bool complete = false;
  std::vector<std::string> missing;  ///< if not: what is, a line each
};

/// Counts for both schemes what the configuration's CalibrationCache lacks and its images have.
/// A scheme that cannot take the network is left out, and the log says so.
/// Throws InputError: no CalibrationCache or no images configured, and what quantizing would throw
/// up to the end of calibration.
CacheState calibrate_model(const Config& config, const RunOptions& run, Log& log);

/// Writes what the caches have counted together. Throws InputError: files that are no caches, that
/// do not belong together, or that have counted the same images (quant::merge_caches()).
/// REQUIRES: a file.
CacheState merge_caches(std::span<const std::filesystem::path> files,
                        const std::filesystem::path& output);

}  // namespace tvmq::driver
