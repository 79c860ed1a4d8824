#include "quant/calibration_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/file.h"

namespace tvmq::quant {
namespace {

constexpr std::int64_t kMostEqualizationSamples = 64;

std::vector<std::string> first_of(const std::vector<std::string>& samples, std::int64_t most) {
  const auto count = std::min(static_cast<std::int64_t>(samples.size()), most);
  return {samples.begin(), samples.begin() + count};
}

/// The first samples of a cache, which equalization looks at.
std::vector<std::string> for_equalization(const CalibrationCache& cache) {
  return first_of(cache.samples,
                  equalization_samples(static_cast<std::int64_t>(cache.samples.size())));
}

/// Whether only wanted samples were counted.
bool has_only(const CachedStatistics& statistics, const std::vector<std::string>& wanted) {
  return each_is_in(statistics.samples, wanted, {});
}

void forget_equalization(CalibrationCache& cache) {
  cache.equalization.reset();
  std::erase_if(cache.networks, [](const auto& network) { return network.scheme == "integer"; });
}

/// Forgets what the samples that are planned now make wrong.
void forget_wrong_samples(CalibrationCache& cache) {
  if (cache.equalization && !has_only(cache.equalization->statistics, for_equalization(cache))) {
    forget_equalization(cache);
  }
  for (CachedNetwork& network : cache.networks) {
    if (network.layer_inputs &&
        !has_only(*network.layer_inputs, first_of(cache.samples, kLayerInputSamples))) {
      network.layer_inputs.reset();
    }
    if (!each_is_in(cache.samples, network.counts.ranged, network.counts.unreadable)) {
      network.counts.forget_histograms();
      network.ranges.reset();
    }
  }
}

/// REQUIRES: statistics of the same values, or none yet.
void merge_statistics(CachedStatistics& statistics, const CachedStatistics& other,
                      std::string_view name, std::string_view other_name) {
  if (statistics == other) return;
  const auto fail = [&](std::string_view what) {
    throw InputError(fmt::format("{} and {} cannot be merged: {}", name, other_name, what));
  };
  const auto shared = in_both(statistics.samples, other.samples);
  if (!shared.empty()) {
    fail(
        fmt::format("channels of '{}' are in both, but not only those; merge parts of different "
                    "images, all of which were begun with the same cache",
                    shared[0]));
  }
  const auto same_value = [](const CachedChannels& a, const CachedChannels& b) {
    const std::size_t left = a.sums.low.size();
    const std::size_t right = b.sums.low.size();
    return a.node == b.node && a.name == b.name && (left == right || left == 0 || right == 0);
  };
  if (!std::ranges::equal(statistics.values, other.values, same_value)) {
    fail("channels of different values; make all parts with the same options of the quantizer");
  }
  for (std::size_t i = 0; i < statistics.values.size(); ++i) {
    statistics.values[i].sums.merge(other.values[i].sums);
  }
  statistics.samples = united(statistics.samples, other.samples);
  statistics.unreadable = united(statistics.unreadable, other.unreadable);
}

/// Of the options, those that decide about equalization.
auto decisive(const IntegerOptions& options) {
  return std::tuple(options.activation_bits, options.weight_bits, options.weight_scale,
                    options.weight_granularity, options.skip_conv_layers, options.skip_dense_layer,
                    options.skip_layers, options.dense_kernels);
}

/// Statistics that one of the two lacks are kept if they are complete. A part of them would be part
/// of every part that goes on from here, and these could not be merged.
template <class Cached, class StatisticsOf>
bool keep_complete(const CalibrationCache& cache, std::optional<Cached>& to,
                   const std::optional<Cached>& from, std::int64_t most,
                   StatisticsOf&& statistics_of) {
  if (to.has_value() == from.has_value()) return to.has_value();
  if (!to) to = from;
  if (!is_complete(cache, statistics_of(*to), most)) to.reset();
  return false;
}

void merge_equalization(CalibrationCache& cache, const CalibrationCache& other,
                        std::string_view name, std::string_view other_name) {
  const auto most = equalization_samples(static_cast<std::int64_t>(cache.samples.size()));
  if (!keep_complete(cache, cache.equalization, other.equalization, most,
                     [](const CachedEqualization& each) { return each.statistics; })) {
    return;
  }
  if (decisive(cache.equalization->options) != decisive(other.equalization->options)) {
    throw InputError(fmt::format(
        "{} and {} cannot be merged: equalization was made with different options of the quantizer",
        name, other_name));
  }
  merge_statistics(cache.equalization->statistics, other.equalization->statistics, name,
                   other_name);
}

void merge_networks(CalibrationCache& cache, const CalibrationCache& other, std::string_view name,
                    std::string_view other_name) {
  for (const CachedNetwork& from : other.networks) {
    CachedNetwork* to = cache.find(from.scheme, from.counts.graph_hash);
    if (to == nullptr) {
      cache.networks.push_back(from);
      continue;
    }
    merge_counts(to->counts, from.counts, name, other_name);
    if (to->ranges != from.ranges) to->ranges.reset();
    if (keep_complete(cache, to->layer_inputs, from.layer_inputs, kLayerInputSamples,
                      [](const CachedStatistics& each) { return each; })) {
      merge_statistics(*to->layer_inputs, *from.layer_inputs, name, other_name);
    }
  }
  sort_networks(cache);
}

}  // namespace

CachedNetwork* CalibrationCache::find(std::string_view scheme, std::string_view graph_hash) {
  const auto place = std::ranges::find_if(networks, [&](const CachedNetwork& network) {
    return network.scheme == scheme && network.counts.graph_hash == graph_hash;
  });
  return place == networks.end() ? nullptr : &*place;
}

void sort_networks(CalibrationCache& cache) {
  std::ranges::sort(cache.networks, {}, [](const CachedNetwork& network) {
    return std::tie(network.scheme, network.counts.graph_hash);
  });
}

std::int64_t equalization_samples(std::int64_t samples) {
  return std::min(kMostEqualizationSamples, (samples + 1) / 2);
}

bool is_complete(const CalibrationCache& cache, const CachedStatistics& statistics,
                 std::int64_t most) {
  return each_is_in(first_of(cache.samples, most), statistics.samples, statistics.unreadable);
}

bool is_complete(const CalibrationCache& cache, const CachedNetwork& network) {
  const CalibrationCounts& counts = network.counts;
  return !counts.ranged.empty() && counts.binned == counts.ranged &&
         each_is_in(cache.samples, counts.ranged, counts.unreadable);
}

bool is_complete(const CalibrationCache& cache) {
  const auto equalization = equalization_samples(static_cast<std::int64_t>(cache.samples.size()));
  // What was equalized is there to be observed.
  const bool observed =
      !cache.equalization || std::ranges::find(cache.networks, std::string_view("integer"),
                                               &CachedNetwork::scheme) != cache.networks.end();
  return !cache.networks.empty() && observed &&
         (!cache.equalization ||
          is_complete(cache, cache.equalization->statistics, equalization)) &&
         std::ranges::all_of(cache.networks, [&](const CachedNetwork& network) {
           return is_complete(cache, network) &&
                  (!network.layer_inputs ||
                   is_complete(cache, *network.layer_inputs, kLayerInputSamples));
         });
}

void plan_samples(CalibrationCache& cache, const std::vector<std::string>& samples) {
  cache.samples = united(cache.samples, samples);
  forget_wrong_samples(cache);
}

CalibrationCache merge_caches(const CalibrationCache& left, std::string_view left_name,
                              const CalibrationCache& right, std::string_view right_name) {
  const auto require_same = [&](std::string_view what, const auto& a, const auto& b) {
    if (a == b) return;
    throw InputError(
        fmt::format("{} and {} cannot be merged: they are of different {}, '{}' and "
                    "'{}'",
                    left_name, right_name, what, a, b));
  };
  require_same("models (graph hashes)", left.model, right.model);
  require_same("preprocessings of the images", left.preprocessing, right.preprocessing);
  require_same("batch sizes", left.batch_size, right.batch_size);
  // What the other's samples make wrong goes first: the rest was counted on the same basis.
  CalibrationCache result = left;
  CalibrationCache other = right;
  plan_samples(result, right.samples);
  plan_samples(other, left.samples);
  const bool changes_equalization =
      result.equalization.has_value() != other.equalization.has_value() ||
      (result.equalization && result.equalization->statistics != other.equalization->statistics);
  if (changes_equalization) {
    for (CalibrationCache* each : {&result, &other}) {
      std::erase_if(each->networks,
                    [](const auto& network) { return network.scheme == "integer"; });
    }
  }
  merge_equalization(result, other, left_name, right_name);
  merge_networks(result, other, left_name, right_name);
  forget_wrong_samples(result);
  return result;
}

CalibrationCache read_calibration_cache(const std::filesystem::path& path) {
  return parse_calibration_cache(read_file(path), path.string());
}

void write_calibration_cache(const CalibrationCache& cache, const std::filesystem::path& path) {
  AtomicFile file(path);
  write_json(cache, [&](std::string_view piece) { file.write(piece); });
  file.commit();
}

void require_match(const CalibrationCache& cache, std::string_view model,
                   std::string_view preprocessing, std::int64_t batch_size,
                   std::string_view name_for_errors) {
  constexpr std::string_view kRemedy =
      "delete the file to calibrate anew, or name another file for this run";
  if (cache.model != model) {
    throw InputError(fmt::format(
        "{}: made for another model (graph hash {}, expected {}): ranges fit only the network they "
        "were found on; {}",
        name_for_errors, cache.model, model, kRemedy));
  }
  if (cache.preprocessing != preprocessing) {
    throw InputError(
        fmt::format("{}: made with another preprocessing of the images: '{}', expected '{}'; {}",
                    name_for_errors, cache.preprocessing, preprocessing, kRemedy));
  }
  if (cache.batch_size != batch_size && !is_complete(cache)) {
    throw InputError(fmt::format(
        "{}: begun with BatchSize {}, and not complete: it cannot be gone on with BatchSize {}; {}",
        name_for_errors, cache.batch_size, batch_size, kRemedy));
  }
}

}  // namespace tvmq::quant
