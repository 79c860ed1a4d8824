// Reads calibration caches, which people may have edited.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <utility>

#include "base/error.h"
#include "quant/calibration_cache.h"
#include "quant/calibration_cache_format.h"
#include "quant/json_fields.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

/// More than any scheme knows; a number above means the same.
constexpr std::int64_t kMaxBits = 64;

SparseCounts parse_counts(simdjson::dom::array numbers, std::string_view name, std::size_t size,
                          const Fields& fields) {
  SparseCounts counts(size);
  std::size_t next = 0;
  for (const simdjson::dom::element each : numbers) {
    std::int64_t value = 0;
    if (each.get(value) != simdjson::SUCCESS || value < -static_cast<std::int64_t>(size) ||
        value > kMaxCount) {
      fields.fail(fmt::format("'{}' must hold counts, or minus a number of empty ones", name));
    }
    const std::size_t places = value < 0 ? static_cast<std::size_t>(-value) : 1;
    if (places > size - next) {
      fields.fail(fmt::format("'{}' has more than {} counts", name, size));
    }
    if (value > 0) counts.add(next, static_cast<std::uint64_t>(value));
    next += places;
  }
  if (next != size) {
    fields.fail(fmt::format("'{}' has {} counts, expected {}", name, next, size));
  }
  return counts;
}

/// At most a little above kMaxCount: what is beyond fits nothing anyway.
std::uint64_t total(const SparseCounts& counts) {
  std::uint64_t sum = 0;
  counts.for_each([&](std::size_t /*index*/, std::uint64_t count) {
    if (sum <= static_cast<std::uint64_t>(kMaxCount)) sum += count;
  });
  return sum;
}

/// What the threshold functions rely on.
void require_consistent(const ValueStatistics& statistics, bool binned, const Fields& fields) {
  const RangeStatistics& range = statistics.range;
  if (range.min > range.max) {
    fields.fail(fmt::format("'min' {} is above 'max' {}", range.min, range.max));
  }
  if (range.zeros > range.count) {
    fields.fail(fmt::format("{} 'zeros' among {} elements", range.zeros, range.count));
  }
  const auto require_total = [&](std::string_view name, const SparseCounts& counts,
                                 std::uint64_t expected, bool all) {
    const std::uint64_t found = total(counts);
    if (found > expected || (all && found != expected)) {
      fields.fail(fmt::format("'{}' counts {} elements, expected {}", name, found, expected));
    }
  };
  require_total("upper_bits", statistics.upper_counts, range.count, true);
  if (binned && (statistics.histogram.empty() || statistics.lower_counts.empty())) {
    fields.fail("'histogram', 'selected' and 'lower_bits' are missing");
  }
  if (!statistics.histogram.empty()) {
    require_total("histogram", statistics.histogram, range.count, binned);
    const auto bin = static_cast<std::size_t>(zero_bin(range.absmax()));
    if (binned && range.zeros > statistics.histogram[bin]) {
      fields.fail(fmt::format("{} 'zeros', but {} in the bin of 'histogram' that holds them",
                              range.zeros, statistics.histogram[bin]));
    }
  }
  if (statistics.lower_counts.empty()) return;
  const std::uint64_t rank = percentile_rank(range.count);
  if (range.count == 0 ||
      statistics.upper_counts.counter_of_rank(rank) != statistics.selected_upper) {
    fields.fail("'selected' is not where the percentile is among 'upper_bits'");
  }
  require_total("lower_bits", statistics.lower_counts,
                statistics.upper_counts[statistics.selected_upper], binned);
}

struct ParsedValue {
  CountedValue value;
  std::optional<Interval> range;
};

ParsedValue parse_value(simdjson::dom::element element, bool binned, std::string where) {
  Fields fields(element, std::move(where));
  ParsedValue result;
  result.value.node = static_cast<ir::NodeId>(fields.count("node"));
  result.value.name = fields.text("name");
  if (const auto range = fields.find("range")) {
    const std::vector<double> ends = fields.to_numbers("range", *range);
    if (ends.size() != 2 || !(ends[0] <= ends[1]) || std::fabs(ends[0]) >= kFloatOverflow ||
        std::fabs(ends[1]) >= kFloatOverflow) {
      fields.fail("'range' must be two float32 numbers, the lower one first");
    }
    result.range = Interval{static_cast<float>(ends[0]), static_cast<float>(ends[1])};
  }
  ValueStatistics& statistics = result.value.statistics;
  statistics.upper_counts = SparseCounts(kUpperCounts);
  if (const auto numbers = fields.optional_array("upper_bits")) {
    statistics.upper_counts = parse_counts(*numbers, "upper_bits", kUpperCounts, fields);
    statistics.range.min = fields.finite("min");
    statistics.range.max = fields.finite("max");
    statistics.range.count = static_cast<std::uint64_t>(fields.count("count"));
    statistics.range.zeros = static_cast<std::uint64_t>(fields.count("zeros"));
  }
  if (const auto numbers = fields.optional_array("histogram")) {
    statistics.histogram = parse_counts(*numbers, "histogram", kHistogramBins, fields);
  }
  if (const auto numbers = fields.optional_array("lower_bits")) {
    statistics.lower_counts = parse_counts(*numbers, "lower_bits", kLowerCounts, fields);
    const std::int64_t selected = fields.count("selected");
    if (selected >= static_cast<std::int64_t>(kUpperCounts)) {
      fields.fail(fmt::format("'selected' must be below {}", kUpperCounts));
    }
    statistics.selected_upper = static_cast<std::uint32_t>(selected);
  }
  fields.require_all_known();
  if (statistics.range.count > 0 || binned) require_consistent(statistics, binned, fields);
  return result;
}

/// Sorts: the file may have been edited.
std::vector<std::string> parse_names(Fields& fields, std::string_view field) {
  std::vector<std::string> names = fields.texts(field);
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end()) {
    fields.fail(fmt::format("'{}' holds '{}' twice", field, *twice));
  }
  return names;
}

ExactSum parse_sum(simdjson::dom::element element, std::string_view field, const Fields& fields) {
  ExactSum sum;
  double number = 0;
  if (element.get(number) == simdjson::SUCCESS) {
    sum.add(number);
  } else {
    for (const double term : fields.to_numbers(field, element)) sum.add(term);
  }
  if (!std::isfinite(sum.value())) fields.fail(fmt::format("'{}' must hold finite sums", field));
  return sum;
}

CachedChannels parse_channels(simdjson::dom::element element, std::string where) {
  Fields fields(element, std::move(where));
  CachedChannels result;
  result.node = static_cast<ir::NodeId>(fields.count("node"));
  result.name = fields.text("name");
  ChannelSums& sums = result.sums;
  sums.per_channel = fields.count("per_channel");
  sums.low = fields.numbers("low");
  sums.high = fields.numbers("high");
  for (const char* field : {"sum", "squares"}) {
    auto& to = field == std::string_view("sum") ? sums.sum : sums.squares;
    for (const simdjson::dom::element each : fields.array(field)) {
      to.push_back(parse_sum(each, field, fields));
    }
  }
  const std::size_t channels = sums.low.size();
  if (sums.high.size() != channels || sums.sum.size() != channels ||
      sums.squares.size() != channels || (channels == 0) != (sums.per_channel == 0)) {
    fields.fail("'low', 'high', 'sum' and 'squares' must have one number per channel each");
  }
  for (std::size_t c = 0; c < channels; ++c) {
    if (sums.low[c] > 0 || sums.high[c] < 0 || sums.squares[c].value() < 0) {
      fields.fail(
          fmt::format("channel {}: 'low' must not be above 0, 'high' and 'squares' not "
                      "below",
                      c));
    }
  }
  fields.require_all_known();
  return result;
}

CachedStatistics parse_statistics(Fields& fields, const std::string& where) {
  CachedStatistics result;
  result.samples = parse_names(fields, "samples");
  result.unreadable = parse_names(fields, "unreadable");
  for (const simdjson::dom::element each : fields.array("values")) {
    result.values.push_back(
        parse_channels(each, fmt::format("{}: value {}", where, result.values.size())));
  }
  return result;
}

CachedEqualization parse_equalization(simdjson::dom::element element, const std::string& where) {
  Fields fields(element, where);
  CachedEqualization result;
  IntegerOptions& options = result.options;
  const auto bits = [&](std::string_view name) {
    const std::int64_t value = fields.count(name);
    if (value < 2 || value > 8) fields.fail(fmt::format("'{}' must be 2 to 8", name));
    return static_cast<int>(value);
  };
  options.activation_bits = bits("activation_bits");
  options.weight_bits = bits("weight_bits");
  const std::string scale = fields.text("weight_scale");
  const std::string granularity = fields.text("weight_granularity");
  options.weight_scale = scale == "power2" ? WeightScale::kPower2 : WeightScale::kMax;
  options.weight_granularity =
      granularity == "per_tensor" ? WeightGranularity::kPerTensor : WeightGranularity::kPerChannel;
  if (scale != name_of(options.weight_scale)) fields.fail("'weight_scale' must be max or power2");
  if (granularity != name_of(options.weight_granularity)) {
    fields.fail("'weight_granularity' must be per_channel or per_tensor");
  }
  for (const double number : fields.numbers("skip_conv_layers")) {
    if (!(number >= 0 && number < 1e9)) fields.fail("'skip_conv_layers' must hold numbers from 0");
    options.skip_conv_layers.push_back(static_cast<int>(number));
  }
  options.skip_dense_layer = fields.flag("skip_dense_layer");
  options.skip_layers = fields.texts("skip_layers");
  options.dense_kernels = fields.flag("dense_kernels");
  result.statistics = parse_statistics(fields, where);
  fields.require_all_known();
  return result;
}

CachedNetwork parse_network(simdjson::dom::element element, std::string where) {
  Fields fields(element, where);
  CachedNetwork network;
  network.scheme = fields.text("scheme");
  if (std::ranges::find(kCacheSchemes, network.scheme) == std::end(kCacheSchemes)) {
    fields.fail(fmt::format("unknown scheme '{}'", network.scheme));
  }
  CalibrationCounts& counts = network.counts;
  counts.graph_hash = fields.text("graph_hash");
  counts.ranged = parse_names(fields, "pass_1");
  std::string_view as_first;
  const bool binned = fields.get("pass_2").get(as_first) == simdjson::SUCCESS;
  if (binned && as_first != "as pass_1") fields.fail("'pass_2' must be a list or 'as pass_1'");
  counts.binned = binned ? counts.ranged : parse_names(fields, "pass_2");
  if (!each_is_in(counts.binned, counts.ranged, {})) {
    fields.fail("'pass_2' has a sample that 'pass_1' has not");
  }
  counts.unreadable = parse_names(fields, "unreadable");
  if (fields.find("mode")) {
    CachedRanges& ranges = network.ranges.emplace();
    const std::string mode_name = fields.text("mode");
    const auto mode = parse_calib_mode(mode_name);
    if (!mode) fields.fail(fmt::format("unknown mode '{}'", mode_name));
    ranges.mode = *mode;
    ranges.bits = static_cast<int>(std::min<std::int64_t>(fields.count("bits"), kMaxBits));
  }
  if (const auto inputs = fields.find("layer_inputs")) {
    Fields inner(*inputs, where + ": layer_inputs");
    network.layer_inputs = parse_statistics(inner, where + ": layer_inputs");
    inner.require_all_known();
  }
  std::set<ir::NodeId> nodes;
  for (const simdjson::dom::element each : fields.array("values")) {
    ParsedValue parsed = parse_value(each, binned && !counts.ranged.empty(),
                                     fmt::format("{}: value {}", where, counts.values.size()));
    if (!nodes.insert(parsed.value.node).second) {
      fields.fail(fmt::format("node {} occurs twice among 'values'", parsed.value.node));
    }
    if (parsed.range.has_value() != network.ranges.has_value()) {
      fields.fail("each of 'values' has a 'range' if there are 'mode' and 'bits', else none");
    }
    if (parsed.range) network.ranges->of_values.push_back(*parsed.range);
    counts.values.push_back(std::move(parsed.value));
  }
  fields.require_all_known();
  return network;
}

}  // namespace

CalibrationCache parse_calibration_cache(std::string_view json, std::string_view name_for_errors) {
  const std::string name(name_for_errors);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root);
      error != simdjson::SUCCESS) {
    throw InputError(
        fmt::format("{}: expected a calibration cache in JSON: {}; delete the file to "
                    "calibrate anew",
                    name, simdjson::error_message(error)));
  }
  Fields fields(root, name);
  if (fields.text("format") != kCacheFormat) {
    fields.fail(fmt::format("'format' is not '{}'", kCacheFormat));
  }
  if (const std::int64_t version = fields.count("version"); version != kCacheVersion) {
    fields.fail(fmt::format("version {}, expected {}", version, kCacheVersion));
  }
  CalibrationCache cache;
  cache.model = fields.text("model");
  cache.preprocessing = fields.text("preprocessing");
  cache.batch_size = fields.count("batch_size");
  cache.samples = parse_names(fields, "samples");
  if (const auto equalization = fields.find("equalization")) {
    cache.equalization = parse_equalization(*equalization, name + ": equalization");
  }
  for (const simdjson::dom::element each : fields.array("networks")) {
    cache.networks.push_back(
        parse_network(each, fmt::format("{}: network {}", name, cache.networks.size())));
    const CachedNetwork& last = cache.networks.back();
    if (cache.find(last.scheme, last.counts.graph_hash) != &last) fields.fail("two equal networks");
  }
  sort_networks(cache);
  fields.require_all_known();
  return cache;
}

}  // namespace tvmq::quant
