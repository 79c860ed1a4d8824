#include "driver/calibration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <system_error>
#include <utility>

#include "quant/graph_hash.h"
#include "quant/interval.h"

namespace tvmq::driver {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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

Calibration::Calibration(const ir::Graph& bound, Samples& samples, const Config& config,
                         const RunOptions& run, Log& log)
    : samples_(samples),
      config_(config),
      run_(run),
      log_(log),
      preprocessing_(describe_preprocessing(config.dataset)) {
  if (!config.quantization.calibration_cache) return;
  path_ = *config.quantization.calibration_cache;
  const std::string model = quant::graph_hash(bound);
  std::error_code ignored;
  if (std::filesystem::exists(path_, ignored)) {
    cache_ = quant::read_calibration_cache(path_);
    quant::require_match(*cache_, model, preprocessing_, config.dataset.batch_size, path_.string());
    if (quant::is_complete(*cache_)) {
      complete_ = true;
      log.info(fmt::format("calibration cache: {} samples in {}", cache_->samples.size(),
                           path_.string()));
      return;
    }
    log.info(
        fmt::format("calibration cache: going on with {}, which is not complete", path_.string()));
  } else {
    cache_ = quant::CalibrationCache{.model = model,
                                     .preprocessing = preprocessing_,
                                     .batch_size = config.dataset.batch_size,
                                     .samples = {}};
  }
  const bool looks_at_samples = quant::threshold_mode(calib_mode(config)).needs_samples;
  if (looks_at_samples && has_samples()) {
    std::vector<std::string> names = quant::names_of(samples.source());
    std::ranges::sort(names);
    quant::plan_samples(*cache_, names);
  }
}

void Calibration::write() { quant::write_calibration_cache(*cache_, path_); }

void Calibration::require_samples(std::string_view what) const {
  if (has_samples()) return;
  throw InputError(
      fmt::format("{} does not hold {}, and there are no images: Dataset/Path {}; name the folder "
                  "of images, or "
                  "leave the options as they were when the cache was made",
                  path_.string(), what,
                  config_.dataset.path.empty()
                      ? "is not given"
                      : fmt::format("'{}' does not exist", config_.dataset.path.string())));
}

void Calibration::refuse_incomplete(const std::vector<std::string>& counted,
                                    std::string_view what) const {
  std::size_t missing = 0;
  std::string first;
  for (const std::string& name : cache_->samples) {
    if (std::ranges::binary_search(counted, name)) continue;
    if (missing++ == 0) first = name;
  }
  throw IncompleteCalibration(fmt::format(
      "{}: {} of {} samples are not counted yet ({}), '{}'{}, and not in Dataset/Path; merge it "
      "with "
      "the caches of the other parts, or add these files",
      path_.string(), missing, cache_->samples.size(), what, first, missing > 1 ? ", ..." : ""));
}

quant::CalibrateOptions Calibration::options(const CalibrationRequest& request,
                                             bool keep_histograms) const {
  return {.mode = calib_mode(config_),
          .mse_steps = {},
          .bits = request.bits,
          .global_scale = static_cast<float>(config_.quantization.global_scale),
          .threads = run_.threads,
          .keep_histograms = keep_histograms,
          .preprocessing = preprocessing_};
}

std::vector<quant::Interval> Calibration::choose(const quant::CalibrationTable& table,
                                                 const CalibrationRequest& request) const {
  std::vector<quant::Interval> ranges;
  for (const quant::CalibrationEntry& entry : table.entries) {
    ranges.push_back(request.scheme == "integer"
                         ? quant::interval_of(entry, table.mode, request.bits)
                         : quant::Interval{-entry.threshold, entry.threshold});
  }
  return ranges;
}

CalibrationResult Calibration::collect(const ir::Graph& graph, const CalibrationRequest& request,
                                       bool keep_histograms) {
  const bool needs_samples = quant::threshold_mode(calib_mode(config_)).needs_samples &&
                             !std::ranges::all_of(request.observed, [&](ir::NodeId node) {
                               return graph[node].is_constant();
                             });
  CalibrationResult result;
  result.table = quant::calibrate(graph, request.observed,
                                  needs_samples ? samples_.source() : quant::BatchSource{},
                                  options(request, keep_histograms), log_);
  result.ranges = choose(result.table, request);
  return result;
}

quant::CachedNetwork& Calibration::network(const ir::Graph& graph, std::string_view scheme) {
  const std::string hash = quant::graph_hash(graph);
  if (auto* found = cache_->find(scheme, hash)) return *found;
  cache_->networks.push_back(
      {.scheme = std::string(scheme), .counts = {}, .ranges = {}, .layer_inputs = {}});
  cache_->networks.back().counts.graph_hash = hash;
  quant::sort_networks(*cache_);
  return *cache_->find(scheme, hash);
}

quant::CachedNetwork& Calibration::complete_network(const ir::Graph& graph,
                                                    const CalibrationRequest& request) {
  const auto* known = cache_->find(request.scheme, quant::graph_hash(graph));
  if (known == nullptr || !quant::is_complete(*cache_, *known)) {
    require_samples(
        fmt::format("the ranges that Scheme {} needs with these options", request.scheme));
    const quant::BatchSource& source = samples_.source();
    // A cache that was complete for another network is made to hold this one as well.
    std::vector<std::string> names = quant::names_of(source);
    std::ranges::sort(names);
    if (cache_->samples.empty()) quant::plan_samples(*cache_, names);
    quant::CachedNetwork& network = this->network(graph, request.scheme);
    std::vector<ir::NodeId> varying;
    for (const ir::NodeId node : request.observed) {
      if (!graph[node].is_constant() && std::ranges::find(varying, node) == varying.end()) {
        varying.push_back(node);
      }
    }
    if (network.counts.values.empty() ||
        !quant::are_values(network.counts.values, graph, varying)) {
      network.counts = {};  // begun with other options, or by another version of the program
    }
    const bool all = quant::count_samples(
        graph, request.observed, source,
        {.threads = run_.threads, .planned = cache_->samples, .checkpoint = [this] { write(); }},
        network.counts, log_);
    write();
    if (!all) {
      const auto& counts = network.counts;
      const bool first_pass = counts.binned.empty();
      refuse_incomplete(
          quant::united(first_pass ? counts.ranged : counts.binned, counts.unreadable),
          fmt::format("Scheme {}, pass {} of 2", request.scheme, first_pass ? 1 : 2));
    }
    return network;
  }
  return network(graph, request.scheme);
}

void Calibration::count(const ir::Graph& graph, const CalibrationRequest& request) {
  complete_network(graph, request);
}

CalibrationResult Calibration::ranges(const ir::Graph& graph, const CalibrationRequest& request) {
  const quant::CalibMode mode = calib_mode(config_);
  if (!quant::threshold_mode(mode).needs_samples) {
    log_.info(fmt::format("calibration: {}, every threshold is {}", quant::calib_mode_name(mode),
                          config_.quantization.global_scale));
    return collect(graph, request, false);
  }
  if (cache_) return cached_ranges(graph, request);
  const auto start = std::chrono::steady_clock::now();
  CalibrationResult result = collect(graph, request, request.needs_histograms);
  log_.info(fmt::format("calibration: {} on {} batches of {}, {} values observed, {:.1f} s",
                        quant::calib_mode_name(mode), result.table.samples,
                        config_.dataset.batch_size, request.observed.size(), seconds_since(start)));
  return result;
}

CalibrationResult Calibration::cached_ranges(const ir::Graph& graph,
                                             const CalibrationRequest& request) {
  const quant::CalibMode mode = calib_mode(config_);
  const auto start = std::chrono::steady_clock::now();
  quant::CachedNetwork& network = complete_network(graph, request);
  const quant::CalibrationCounts& counts = network.counts;
  std::vector<ir::NodeId> nodes;
  for (const auto& value : counts.values) {
    if (value.node >= graph.size() || value.name != describe(graph, value.node)) {
      throw InputError(fmt::format(
          "{}: its values are not those of the network ('{}' is no node {}); delete the file to "
          "calibrate anew",
          path_.string(), value.name, value.node));
    }
    nodes.push_back(value.node);
  }
  const quant::CalibrationTable table =
      quant::table_of(graph, nodes, counts, options(request, true));
  const bool chosen =
      network.ranges && network.ranges->mode == mode && network.ranges->bits == request.bits;
  const std::vector<quant::Interval> ranges =
      chosen ? network.ranges->of_values : choose(table, request);
  if (!network.ranges) {
    network.ranges = quant::CachedRanges{.mode = mode, .bits = request.bits, .of_values = ranges};
    write();
  }
  std::map<ir::NodeId, std::pair<quant::CalibrationEntry, quant::Interval>> known;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    known.emplace(nodes[i], std::pair(table.entries[i], ranges[i]));
  }
  std::vector<ir::NodeId> missing;
  for (const ir::NodeId node : request.observed) {
    if (!known.contains(node)) missing.push_back(node);
  }
  if (!missing.empty()) {
    const bool constants =
        std::ranges::all_of(missing, [&](ir::NodeId node) { return graph[node].is_constant(); });
    if (!constants) require_samples(fmt::format("the range of {}", describe(graph, missing[0])));
    CalibrationRequest rest = request;
    rest.observed = missing;
    const CalibrationResult more = collect(graph, rest, true);
    for (std::size_t i = 0; i < missing.size(); ++i) {
      known.emplace(missing[i], std::pair(more.table.entries[i], more.ranges[i]));
    }
  }
  CalibrationResult result;
  result.table = table;
  result.table.entries.clear();
  for (const ir::NodeId node : request.observed) {
    result.table.entries.push_back(known.at(node).first);
    result.ranges.push_back(known.at(node).second);
  }
  log_.info(fmt::format("calibration: {} of {} values from {}{}, {:.1f} s",
                        chosen ? "the ranges" : quant::calib_mode_name(mode),
                        request.observed.size() - missing.size(), path_.string(),
                        samples_.calibrated() ? "" : ", no image is read", seconds_since(start)));
  return result;
}

}  // namespace tvmq::driver
