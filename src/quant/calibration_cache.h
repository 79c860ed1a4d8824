// What calibration found, in a file: used instead of the images, for any mode, scheme or bit width;
// gone on from, if it is not complete; merged with that of other images.
//
//   equalization   per channel statistics of a few samples: what decides how Scheme integer changes
//                  the network before calibration. Made once; later runs from the same cache use it
//                  whatever their options are, because the ranges are those of that network.
//   networks       per scheme the network that was observed, and the counts of its values
//
// The file is JSON that people can read and edit: numbers are written with the fewest digits that
// give the same value back. It belongs to a model by graph_hash() of the network as it was read,
// and to a preprocessing by a text. docs/calibration_cache.md describes it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "quant/affine.h"
#include "quant/calibration_counts.h"
#include "quant/channel_statistics.h"
#include "quant/integer_scheme.h"
#include "quant/threshold.h"

namespace tvmq::quant {

/// The channels of one value.
struct CachedChannels {
  ir::NodeId node = 0;
  std::string name = {};  ///< ir::describe() of the node
  ChannelSums sums = {};
  bool operator==(const CachedChannels&) const = default;
};

/// Channels of a network's values over a few samples.
struct CachedStatistics {
  std::vector<std::string> samples = {};     ///< counted, sorted
  std::vector<std::string> unreadable = {};  ///< that could not be read, sorted
  std::vector<CachedChannels> values = {};
  bool operator==(const CachedStatistics&) const = default;
};

struct CachedEqualization {
  /// Those that it was made with: all but dense_kernels and skip_conv_layers, skip_dense_layer,
  /// skip_layers count.
  IntegerOptions options = {};
  CachedStatistics statistics = {};  ///< of the network before equalization
};

/// The ranges that were chosen from the counts.
struct CachedRanges {
  CalibMode mode = CalibMode::kMse;
  int bits = 8;
  std::vector<Interval> of_values = {};  ///< one per value of the counts
  bool operator==(const CachedRanges&) const = default;
};

struct CachedNetwork {
  std::string scheme = {};  ///< "integer", "tvm"
  CalibrationCounts counts = {};
  std::optional<CachedRanges> ranges = std::nullopt;
  /// Of the inputs of the layers, for biases without images; Scheme integer only.
  std::optional<CachedStatistics> layer_inputs = std::nullopt;
};

struct CalibrationCache {
  std::string model = {};          ///< graph_hash() of the model
  std::string preprocessing = {};  ///< what was done to the images, in the caller's words
  std::int64_t batch_size = 1;
  std::vector<std::string> samples = {};  ///< that shall be counted in the end, sorted
  std::optional<CachedEqualization> equalization = std::nullopt;
  std::vector<CachedNetwork> networks = {};

  /// The network that the scheme observed; null if there is none.
  [[nodiscard]] CachedNetwork* find(std::string_view scheme, std::string_view graph_hash);
};

/// Whether cached values (CachedChannels, CountedValue) are these nodes of this graph.
template <class Cached>
bool are_values(const std::vector<Cached>& cached, const ir::Graph& graph,
                std::span<const ir::NodeId> values) {
  return std::ranges::equal(cached, values, [&](const Cached& each, ir::NodeId node) {
    return each.node == node && each.name == ir::describe(graph, node);
  });
}

/// Puts the networks into the order of their schemes and hashes, as the file has them.
void sort_networks(CalibrationCache& cache);

/// The samples that equalization looks at, of `samples` in their order: the first 64, but at most
/// half. The ranges that calibration finds on all of them then tell how far channels go beyond what
/// equalization has seen; fitted to the same samples, every channel would end exactly where its
/// range does, and saturate on the next image.
std::int64_t equalization_samples(std::int64_t samples);
/// The samples that the means of layers' inputs are taken from: the first so many.
inline constexpr std::int64_t kLayerInputSamples = 32;

/// Whether every sample that `statistics` should have, the first `most` of the cache, is counted.
bool is_complete(const CalibrationCache& cache, const CachedStatistics& statistics,
                 std::int64_t most);
/// Whether both passes over all samples are done.
bool is_complete(const CalibrationCache& cache, const CachedNetwork& network);
/// Whether all that the cache holds is complete, and that is something.
bool is_complete(const CalibrationCache& cache);

/// Adds `samples` to those that shall be counted. What that makes wrong is forgotten: equalization
/// if other samples are the first ones now, and with it the network that it made; histograms.
void plan_samples(CalibrationCache& cache, const std::vector<std::string>& samples);

/// What the two have counted together; names for errors. Each of the passes has counted the same
/// samples in both, or different ones. Throws InputError: caches of different models,
/// preprocessings, batch sizes or networks, samples that both have counted beside others.
CalibrationCache merge_caches(const CalibrationCache& left, std::string_view left_name,
                              const CalibrationCache& right, std::string_view right_name);

/// `sink` receives the text piece by piece.
void write_json(const CalibrationCache& cache, const std::function<void(std::string_view)>& sink);
std::string to_json(const CalibrationCache& cache);

/// InputError, with the place: no JSON, not our format or version, a field missing, unknown, twice
/// or of the wrong type or range, counts that contradict each other.
CalibrationCache parse_calibration_cache(std::string_view json, std::string_view name_for_errors);
CalibrationCache read_calibration_cache(const std::filesystem::path& path);
/// The file appears whole or not at all.
void write_calibration_cache(const CalibrationCache& cache, const std::filesystem::path& path);

/// InputError, saying which and what to do, unless `cache` was made for this model, preprocessing
/// and, if there is something left to count, batch size.
void require_match(const CalibrationCache& cache, std::string_view model,
                   std::string_view preprocessing, std::int64_t batch_size,
                   std::string_view name_for_errors);

}  // namespace tvmq::quant
