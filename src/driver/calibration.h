// Calibration as the configuration asks for it: images or arrays from the data set, or what a
// calibration cache holds of them.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"
#include "quant/affine.h"
#include "quant/calibrate.h"
#include "quant/calibration_cache.h"

namespace tvmq::driver {

/// The mode that the configuration names.
quant::CalibMode calib_mode(const Config& config);

/// Everything that decides what the network sees, as one line: it binds a calibration cache to the
/// preprocessing that its numbers come from.
std::string describe_preprocessing(const DatasetConfig& dataset);

/// The cache is not complete, and the images that it lacks are not at hand.
class IncompleteCalibration : public InputError {
 public:
  using InputError::InputError;
};

/// What to collect for a scheme.
struct CalibrationRequest {
  std::string_view scheme;  ///< "integer" or "tvm"
  std::span<const ir::NodeId> observed;
  int bits = 8;
  bool needs_histograms = false;  ///< the scheme itself looks at the distributions
};

struct CalibrationResult {
  quant::CalibrationTable table;        ///< one entry per request.observed
  std::vector<quant::Interval> ranges;  ///< likewise; for tvm [-threshold, threshold]
};

/// The samples of a run and, with CalibrationCache, what is known of them already. Without a cache
/// everything is collected anew. With one that is complete the images are not looked at; one that
/// is not is gone on with, and written every few seconds.
class Calibration {
 public:
  /// Reads the cache, if its file is there. The arguments must outlive it.
  /// Throws InputError: a cache that is damaged, or of another model or preprocessing.
  Calibration(const ir::Graph& bound, Samples& samples, const Config& config, const RunOptions& run,
              Log& log);

  /// Whether there are images to look at.
  [[nodiscard]] bool has_samples() const { return samples_.present(); }
  [[nodiscard]] bool has_cache() const { return cache_.has_value(); }
  /// REQUIRES: has_cache().
  [[nodiscard]] const quant::CalibrationCache& cache() const { return *cache_; }

  /// Whether there is a cache that this run makes or goes on with, and images to do it with.
  [[nodiscard]] bool fills_cache() const { return cache_ && !complete_ && has_samples(); }

  /// The options that equalization is made with: those that the cache was made with, else `wanted`.
  [[nodiscard]] quant::IntegerOptions equalization_options(
      const quant::IntegerOptions& wanted) const;
  /// What equalization wants to know of `values` of `graph`, over the first samples.
  /// Throws IncompleteCalibration, InputError: neither in the cache nor images.
  std::vector<quant::ChannelStatistics> equalization(const ir::Graph& graph,
                                                     std::span<const ir::NodeId> values,
                                                     const quant::IntegerOptions& options);

  /// The ranges of `request.observed` on `graph` by CalibMode.
  /// Throws as equalization() does.
  CalibrationResult ranges(const ir::Graph& graph, const CalibrationRequest& request);
  /// Only counts what is not in the cache yet. REQUIRES: has_cache().
  void count(const ir::Graph& graph, const CalibrationRequest& request);

  /// The means of the inputs of layers, each a node of `graph`, from the cache (which count() and
  /// ranges() fill if there are images); nothing if it does not hold them.
  std::vector<std::vector<double>> layer_input_means(const ir::Graph& graph,
                                                     std::span<const ir::NodeId> inputs);
  /// Collects them for the cache. REQUIRES: has_cache().
  void count_layer_inputs(const ir::Graph& graph, std::span<const ir::NodeId> inputs);

 private:
  void write();
  void require_samples(std::string_view what) const;
  [[noreturn]] void refuse_incomplete(const std::vector<std::string>& counted,
                                      std::string_view what) const;
  quant::CachedNetwork& network(const ir::Graph& graph, std::string_view scheme);
  quant::CachedNetwork& complete_network(const ir::Graph& graph, const CalibrationRequest& request);
  void complete(const ir::Graph& graph, quant::CachedStatistics& statistics,
                std::span<const ir::NodeId> values, std::int64_t most, std::string_view title);
  CalibrationResult cached_ranges(const ir::Graph& graph, const CalibrationRequest& request);
  CalibrationResult collect(const ir::Graph& graph, const CalibrationRequest& request,
                            bool keep_histograms);
  [[nodiscard]] std::vector<quant::Interval> choose(const quant::CalibrationTable& table,
                                                    const CalibrationRequest& request) const;
  [[nodiscard]] quant::CalibrateOptions options(const CalibrationRequest& request,
                                                bool keep_histograms) const;

  Samples& samples_;
  const Config& config_;
  const RunOptions& run_;
  Log& log_;
  std::string preprocessing_;
  std::filesystem::path path_;
  std::optional<quant::CalibrationCache> cache_;
  bool complete_ = false;  ///< the cache was, when it was read
};

}  // namespace tvmq::driver
