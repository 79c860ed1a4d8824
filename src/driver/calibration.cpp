#include "driver/calibration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <system_error>

#include "base/error.h"

namespace tvmq::driver {
namespace {

/// The steps between 0 and the threshold on the symmetric grid that the thresholds are for.
quant::ThresholdOptions threshold_options(const CalibrationRequest& request, const Config& config) {
  return {.mse_steps = (1 << (request.bits - 1)) - 1,
          .global_scale = static_cast<float>(config.quantization.global_scale)};
}

bool fits(const quant::CalibrationTable& table, quant::CalibMode mode, bool needs_histograms) {
  if (table.mode != mode) return false;
  return !needs_histograms || (!table.entries.empty() && !table.entries.front().histogram.empty());
}

}  // namespace

quant::CalibMode calib_mode(const Config& config) {
  switch (config.quantization.calib_mode) {
    case CalibMode::kKlDivergence:
      return quant::CalibMode::kKlDivergence;
    case CalibMode::kGlobalScale:
      return quant::CalibMode::kGlobalScale;
    case CalibMode::kPercentile:
      return quant::CalibMode::kPercentile;
    case CalibMode::kMinmax:
      return quant::CalibMode::kMinMax;
    case CalibMode::kMse:
      return quant::CalibMode::kMse;
  }
  throw InternalError("unknown calibration mode");
}

std::string describe_preprocessing(const DatasetConfig& dataset) {
  const std::string resolution =
      dataset.image_resolution
          ? fmt::format("{}x{}", (*dataset.image_resolution)[0], (*dataset.image_resolution)[1])
          : "as they are";
  return fmt::format("resolution {}, layout {}, normalization {}, mean {}, std {}, channels {}",
                     resolution, dataset.layout, dataset.normalization, dataset.mean, dataset.std,
                     dataset.channel_swap);
}

quant::CalibrationTable calibrate_as_configured(const ir::Graph& graph,
                                                const CalibrationRequest& request, Samples& samples,
                                                const Config& config, const RunOptions& run,
                                                Log& log) {
  const quant::CalibMode mode = calib_mode(config);
  const auto& cache = config.quantization.calibration_cache;
  const std::string preprocessing = describe_preprocessing(config.dataset);
  std::error_code ignored;
  if (cache && std::filesystem::exists(*cache, ignored)) {
    quant::CalibrationTable table = quant::read_calibration_table(*cache);
    quant::require_match(table,
                         {.graph_hash = quant::graph_hash(graph),
                          .preprocessing = preprocessing,
                          .entries = request.observed.size()},
                         cache->string());
    if (table.mode != mode) {
      if (auto other = quant::with_mode(table, mode, threshold_options(request, config))) {
        table = std::move(*other);
      }
    }
    if (fits(table, mode, request.needs_histograms)) {
      log.info(fmt::format("calibration: {} thresholds from {}, no image is read",
                           table.entries.size(), cache->string()));
      return table;
    }
    log.info(fmt::format("calibration: {} does not hold what {} needs, collecting anew",
                         cache->string(), quant::calib_mode_name(mode)));
  }

  const bool needs_samples = quant::threshold_mode(mode).needs_samples;
  const auto start = std::chrono::steady_clock::now();
  const quant::ThresholdOptions thresholds = threshold_options(request, config);
  quant::CalibrationTable table = quant::calibrate(
      graph, request.observed, needs_samples ? samples.source() : quant::BatchSource{},
      {.mode = mode,
       .mse_steps = {},
       .bits = request.bits,
       .global_scale = thresholds.global_scale,
       .threads = run.threads,
       .keep_histograms = request.needs_histograms || cache.has_value(),
       .preprocessing = preprocessing},
      log);
  if (needs_samples) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    log.info(fmt::format("calibration: {} on {} batches of {}, {} values observed, {:.1f} s",
                         quant::calib_mode_name(mode), table.samples, config.dataset.batch_size,
                         request.observed.size(), seconds.count()));
  } else {
    log.info(fmt::format("calibration: {}, every threshold is {}", quant::calib_mode_name(mode),
                         config.quantization.global_scale));
  }
  if (cache) quant::write_calibration_table(table, *cache);
  return table;
}

}  // namespace tvmq::driver
