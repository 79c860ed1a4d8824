// Writes calibration caches.
#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <span>
#include <utility>

#include "base/json.h"
#include "quant/calibration_cache.h"
#include "quant/calibration_cache_format.h"

namespace tvmq::quant {
namespace {

/// Without the sign of -0, which readers take for the integer 0.
std::string number(float value) { return json_number(value + 0.0F); }
std::string number(double value) { return json_number(value + 0.0); }

using Sink = std::function<void(std::string_view)>;

/// Hands the text on where it has become long: a cache may be larger than all else.
void hand_on(std::string& out, const Sink& sink) {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  if (out.size() < kPiece) return;
  sink(out);
  out.clear();
}

/// Counts one by one; a negative number stands for so many empty ones.
void append_counts(std::string& out, std::string_view name, const SparseCounts& counts) {
  if (counts.empty()) return;
  fmt::format_to(std::back_inserter(out), ",\n       \"{}\": [", name);
  const char* separator = "";
  const auto append = [&](std::string_view sign, std::uint64_t value) {
    fmt::format_to(std::back_inserter(out), "{}{}{}", separator, sign, value);
    separator = ",";
  };
  std::size_t next = 0;
  const auto append_empty = [&](std::size_t end) {
    if (next < end) append("-", end - next);
  };
  counts.for_each([&](std::size_t index, std::uint64_t count) {
    append_empty(index);
    append("", count);
    next = index + 1;
  });
  append_empty(counts.size());
  out += ']';
}

template <class T, class ToText>
void append_list(std::string& out, std::span<const T> elements, ToText&& to_text) {
  out += '[';
  const char* separator = "";
  for (const T& each : elements) {
    out += separator + to_text(each);
    separator = ", ";
  }
  out += ']';
}

std::string texts(std::span<const std::string> names) {
  std::string out;
  append_list(out, names, [](const std::string& name) { return json_text(name); });
  return out;
}
std::string numbers(std::span<const double> values) {
  std::string out;
  append_list(out, values, [](double value) { return number(value); });
  return out;
}
std::string sums(std::span<const ExactSum> values) {
  std::string out;
  append_list(out, values, [](const ExactSum& value) {
    const std::vector<double> terms = value.terms();
    return terms.empty() ? "0" : terms.size() == 1 ? json_number(terms[0]) : numbers(terms);
  });
  return out;
}

void append_value(std::string& out, const CountedValue& value, const Interval* range) {
  const ValueStatistics& statistics = value.statistics;
  fmt::format_to(std::back_inserter(out), "      {{\"node\": {}, \"name\": {}", value.node,
                 json_text(value.name));
  if (range != nullptr) {
    fmt::format_to(std::back_inserter(out), ", \"range\": [{}, {}]", number(range->low),
                   number(range->high));
  }
  if (statistics.range.count > 0) {
    fmt::format_to(std::back_inserter(out),
                   ", \"min\": {}, \"max\": {}, \"count\": {}, \"zeros\": {}",
                   number(statistics.range.min), number(statistics.range.max),
                   statistics.range.count, statistics.range.zeros);
  }
  append_counts(out, "histogram", statistics.histogram);
  append_counts(out, "upper_bits", statistics.upper_counts);
  if (!statistics.lower_counts.empty()) {
    fmt::format_to(std::back_inserter(out), ",\n       \"selected\": {}",
                   statistics.selected_upper);
    append_counts(out, "lower_bits", statistics.lower_counts);
  }
  out += '}';
}

void append_statistics(std::string& out, const CachedStatistics& statistics,
                       std::string_view indent, const Sink& sink) {
  fmt::format_to(std::back_inserter(out),
                 "{0}\"samples\": {1},\n{0}\"unreadable\": {2},\n"
                 "{0}\"values\": [",
                 indent, texts(statistics.samples), texts(statistics.unreadable));
  const char* separator = "\n";
  for (const CachedChannels& value : statistics.values) {
    const ChannelSums& of = value.sums;
    fmt::format_to(std::back_inserter(out),
                   "{0}{1}  {{\"node\": {2}, \"name\": {3}, \"per_channel\": {4},\n"
                   "{1}   \"low\": {5},\n{1}   \"high\": {6},\n{1}   \"sum\": {7},\n"
                   "{1}   \"squares\": {8}}}",
                   separator, indent, value.node, json_text(value.name), of.per_channel,
                   numbers(of.low), numbers(of.high), sums(of.sum), sums(of.squares));
    separator = ",\n";
    hand_on(out, sink);
  }
  out += fmt::format("\n{}]", indent);
}

void append_equalization(std::string& out, const CachedEqualization& equalization,
                         const Sink& sink) {
  const IntegerOptions& options = equalization.options;
  std::string skipped;
  append_list(skipped, std::span<const int>(options.skip_conv_layers),
              [](int number) { return std::to_string(number); });
  fmt::format_to(std::back_inserter(out),
                 "  \"equalization\": {{\n    \"activation_bits\": {},\n    \"weight_bits\": {},\n"
                 "    \"weight_scale\": \"{}\",\n    \"weight_granularity\": \"{}\",\n"
                 "    \"skip_conv_layers\": {},\n    \"skip_dense_layer\": {},\n"
                 "    \"skip_layers\": {},\n    \"dense_kernels\": {},\n",
                 options.activation_bits, options.weight_bits, name_of(options.weight_scale),
                 name_of(options.weight_granularity), skipped, options.skip_dense_layer,
                 texts(options.skip_layers), options.dense_kernels);
  append_statistics(out, equalization.statistics, "    ", sink);
  out += "\n  },\n";
}

void append_network(std::string& out, const CachedNetwork& network, const Sink& sink) {
  const CalibrationCounts& counts = network.counts;
  fmt::format_to(std::back_inserter(out),
                 "    {{\"scheme\": {}, \"graph_hash\": {},\n     \"pass_1\": {},\n"
                 "     \"pass_2\": {},\n     \"unreadable\": {},\n",
                 json_text(network.scheme), json_text(counts.graph_hash), texts(counts.ranged),
                 counts.binned == counts.ranged ? "\"as pass_1\"" : texts(counts.binned),
                 texts(counts.unreadable));
  if (network.ranges) {
    fmt::format_to(std::back_inserter(out), "     \"mode\": {}, \"bits\": {},\n",
                   json_text(calib_mode_name(network.ranges->mode)), network.ranges->bits);
  }
  if (network.layer_inputs) {
    out += "     \"layer_inputs\": {\n";
    append_statistics(out, *network.layer_inputs, "      ", sink);
    out += "\n     },\n";
  }
  out += "     \"values\": [";
  const char* separator = "\n";
  for (std::size_t i = 0; i < counts.values.size(); ++i) {
    out += separator;
    append_value(out, counts.values[i], network.ranges ? &network.ranges->of_values[i] : nullptr);
    separator = ",\n";
    hand_on(out, sink);
  }
  out += "\n     ]}";
}

}  // namespace

void write_json(const CalibrationCache& cache, const Sink& sink) {
  std::string out = fmt::format(
      "{{\n  \"format\": {},\n  \"version\": {},\n  \"model\": {},\n  \"preprocessing\": {},\n"
      "  \"batch_size\": {},\n  \"samples\": {},\n",
      json_text(kCacheFormat), kCacheVersion, json_text(cache.model),
      json_text(cache.preprocessing), cache.batch_size, texts(cache.samples));
  if (cache.equalization) append_equalization(out, *cache.equalization, sink);
  out += "  \"networks\": [";
  const char* separator = "\n";
  for (const CachedNetwork& network : cache.networks) {
    out += separator;
    append_network(out, network, sink);
    separator = ",\n";
  }
  out += "\n  ]\n}\n";
  sink(out);
}

std::string to_json(const CalibrationCache& cache) {
  std::string json;
  write_json(cache, [&](std::string_view piece) { json += piece; });
  return json;
}

}  // namespace tvmq::quant
