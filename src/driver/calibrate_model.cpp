#include "driver/calibrate_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "driver/calibrated_network.h"
#include "driver/calibration.h"
#include "driver/model_files.h"
#include "driver/run_scheme.h"
#include "driver/samples.h"
#include "quant/calibration_cache.h"

namespace tvmq::driver {

CacheState calibrate_model(const Config& config, const RunOptions& run, Log& log) {
  if (!config.quantization.calibration_cache) {
    throw InputError(
        "QuantizationParameters/CalibrationCache is missing, expected the file to fill");
  }
  if (config.dataset.path.empty()) {
    throw InputError("Dataset/Path is missing, expected the folder of images to count");
  }
  if (config.quantization.calib_mode == CalibMode::kGlobalScale) {
    throw InputError("CalibMode global_scale looks at no images, there is nothing to keep");
  }
  const ir::Graph graph = load_model(resolve(config.model.model_json, run.config_file),
                                     resolve(config.model.weights_params, run.config_file));
  Samples samples(graph, config, run, log);
  samples.source();
  Calibration calibration(graph, samples, config, run, log);
  CacheState state;
  std::size_t failed = 0;
  std::string reason;
  const auto count = [&](std::string_view scheme, const std::function<void()>& work) {
    try {
      work();
    } catch (const IncompleteCalibration& incomplete) {
      state.missing.emplace_back(incomplete.what());
    } catch (const InputError& error) {
      log.warning(fmt::format("nothing for Scheme {}: {}", scheme, error.what()));
      reason = error.what();
      ++failed;
    }
  };
  // Also when what the cache holds is complete: a run may have ended between the two. What is
  // counted already costs nothing.
  count("integer", [&] { count_for_integer(graph, calibration, config, log); });
  count("tvm", [&] { count_for_tvm(graph, calibration, config, log); });
  if (failed == 2) throw InputError(reason);
  state.samples = calibration.cache().samples.size();
  state.complete = state.missing.empty() && quant::is_complete(calibration.cache());
  return state;
}

CacheState merge_caches(std::span<const std::filesystem::path> files,
                        const std::filesystem::path& output) {
  check(!files.empty(), "a file");
  quant::CalibrationCache merged = quant::read_calibration_cache(files[0]);
  std::string name = files[0].string();
  for (const std::filesystem::path& file : files.subspan(1)) {
    merged = quant::merge_caches(merged, name, quant::read_calibration_cache(file), file.string());
    name = "what was merged so far";
  }
  quant::write_calibration_cache(merged, output);
  CacheState state{
      .samples = merged.samples.size(), .complete = quant::is_complete(merged), .missing = {}};
  const auto short_of = [&](std::string_view what, std::size_t counted) {
    if (counted < merged.samples.size()) {
      state.missing.push_back(
          fmt::format("{}: {} of {} samples counted", what, counted, merged.samples.size()));
    }
  };
  if (!state.complete &&
      std::ranges::find(merged.networks, std::string_view("integer"),
                        &quant::CachedNetwork::scheme) == merged.networks.end()) {
    state.missing.emplace_back(
        "Scheme integer: equalization with all these samples gives another network, to be counted");
  }
  for (const quant::CachedNetwork& network : merged.networks) {
    const std::size_t unreadable = network.counts.unreadable.size();
    short_of(fmt::format("Scheme {}, pass 1", network.scheme),
             network.counts.ranged.size() + unreadable);
    short_of(fmt::format("Scheme {}, pass 2", network.scheme),
             network.counts.binned.size() + unreadable);
  }
  return state;
}

}  // namespace tvmq::driver
