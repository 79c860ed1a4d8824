// The file format of calibration tables.
#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/json.h"
#include "quant/calibration_table.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

constexpr std::string_view kFormat = "tvm-quantization calibration table";
constexpr std::int64_t kVersion = 1;

/// Largest count that JSON readers and doubles keep exact.
constexpr std::int64_t kMaxCount = std::int64_t{1} << 53;

/// The smallest double that rounds to infinity as a float.
constexpr double kFloatOverflow = 0x1.ffffffp127;

// ---- writing

void append_histogram(std::string& out, std::span<const std::uint64_t> histogram) {
  std::size_t empty = 0;
  const char* separator = "";
  const auto append = [&](std::string_view sign, std::uint64_t value) {
    fmt::format_to(std::back_inserter(out), "{}{}{}", separator, sign, value);
    separator = ",";
  };
  for (const std::uint64_t count : histogram) {
    if (count == 0) {
      ++empty;
      continue;
    }
    if (empty > 0) append("-", empty);
    empty = 0;
    append("", count);
  }
  if (empty > 0) append("-", empty);
}

void append_entry(std::string& out, const CalibrationEntry& entry) {
  fmt::format_to(std::back_inserter(out),
                 "    {{\"name\": {}, \"threshold\": {}, \"absmax\": {}, \"min\": {}, \"max\": {}, "
                 "\"count\": {}, \"zeros\": {}",
                 json_text(entry.name), json_number(entry.threshold), json_number(entry.absmax),
                 json_number(entry.min), json_number(entry.max), entry.count, entry.zeros);
  if (entry.percentile) out += fmt::format(", \"percentile\": {}", json_number(*entry.percentile));
  if (!entry.histogram.empty()) {
    out += ",\n     \"histogram\": [";
    append_histogram(out, entry.histogram);
    out += ']';
  }
  out += '}';
}

// ---- reading

/// A JSON object whose fields are taken one by one; every error names the object.
class Fields {
 public:
  Fields(simdjson::dom::element element, std::string where) : where_(std::move(where)) {
    if (element.get(object_) != simdjson::SUCCESS) fail("expected an object {...}");
    for (const auto& [name, value] : object_) {
      for (const std::string_view seen : names_) {
        if (seen == name) fail(fmt::format("field '{}' occurs twice", name));
      }
      names_.push_back(name);
    }
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw InputError(
        fmt::format("{}: {}; correct the file, or delete it to calibrate anew", where_, what));
  }

  std::optional<simdjson::dom::element> find(std::string_view name) {
    std::erase(names_, name);
    simdjson::dom::element value;
    if (object_.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }
  simdjson::dom::element get(std::string_view name) {
    const auto value = find(name);
    if (!value) fail(fmt::format("field '{}' is missing", name));
    return *value;
  }

  std::string text(std::string_view name) {
    std::string_view value;
    if (get(name).get(value) != simdjson::SUCCESS) fail(fmt::format("'{}' must be text", name));
    return std::string(value);
  }
  std::int64_t count(std::string_view name) {
    std::int64_t value = 0;
    if (get(name).get(value) != simdjson::SUCCESS || value < 0 || value > kMaxCount) {
      fail(fmt::format("'{}' must be an integer of 0 .. 2^53", name));
    }
    return value;
  }
  float finite(std::string_view name) { return to_float(name, get(name)); }
  float magnitude(std::string_view name) { return to_magnitude(name, get(name)); }
  std::optional<float> optional_magnitude(std::string_view name) {
    const auto value = find(name);
    return value ? std::optional<float>(to_magnitude(name, *value)) : std::nullopt;
  }
  simdjson::dom::array array(std::string_view name) { return to_array(name, get(name)); }
  std::optional<simdjson::dom::array> optional_array(std::string_view name) {
    const auto value = find(name);
    return value ? std::optional(to_array(name, *value)) : std::nullopt;
  }

  /// Call last: what was not asked for is not ours.
  void require_all_known() const {
    if (!names_.empty()) fail(fmt::format("unknown field '{}'", names_.front()));
  }

 private:
  [[nodiscard]] float to_float(std::string_view name, simdjson::dom::element element) const {
    double value = 0;
    if (element.get(value) != simdjson::SUCCESS || !std::isfinite(value) ||
        std::fabs(value) >= kFloatOverflow) {
      fail(fmt::format("'{}' must be a number that float32 holds", name));
    }
    return static_cast<float>(value);
  }
  [[nodiscard]] float to_magnitude(std::string_view name, simdjson::dom::element element) const {
    const float value = to_float(name, element);
    if (value < 0) fail(fmt::format("'{}' is {}, must not be negative", name, value));
    return value;
  }
  [[nodiscard]] simdjson::dom::array to_array(std::string_view name,
                                              simdjson::dom::element element) const {
    simdjson::dom::array value;
    if (element.get(value) != simdjson::SUCCESS) fail(fmt::format("'{}' must be a list", name));
    return value;
  }

  std::string where_;
  simdjson::dom::object object_;
  std::vector<std::string_view> names_;
};

std::vector<std::uint64_t> parse_histogram(simdjson::dom::array numbers, const Fields& fields) {
  std::vector<std::uint64_t> histogram;
  histogram.reserve(kHistogramBins);
  for (const simdjson::dom::element each : numbers) {
    std::int64_t value = 0;
    if (each.get(value) != simdjson::SUCCESS || value < -kHistogramBins || value > kMaxCount) {
      fields.fail("'histogram' must hold counts, or minus a number of empty bins");
    }
    const std::size_t bins = value < 0 ? static_cast<std::size_t>(-value) : 1;
    if (bins > kHistogramBins - histogram.size()) {
      fields.fail(fmt::format("'histogram' has more than {} bins", kHistogramBins));
    }
    histogram.insert(histogram.end(), bins, value < 0 ? 0 : static_cast<std::uint64_t>(value));
  }
  if (histogram.size() != kHistogramBins) {
    fields.fail(
        fmt::format("'histogram' has {} bins, expected {}", histogram.size(), kHistogramBins));
  }
  return histogram;
}

/// What the threshold functions rely on.
void require_consistent(const CalibrationEntry& entry, const Fields& fields) {
  if (entry.min > entry.max) {
    fields.fail(fmt::format("'min' {} is above 'max' {}", entry.min, entry.max));
  }
  if (entry.absmax != std::max(std::fabs(entry.min), std::fabs(entry.max))) {
    fields.fail(fmt::format("'absmax' {} is not the larger magnitude of 'min' {} and 'max' {}",
                            entry.absmax, entry.min, entry.max));
  }
  if (entry.zeros > entry.count) {
    fields.fail(fmt::format("{} 'zeros' among {} elements", entry.zeros, entry.count));
  }
  if (entry.histogram.empty()) return;
  std::uint64_t total = 0;
  for (const std::uint64_t count : entry.histogram) total += count;
  if (total != static_cast<std::uint64_t>(entry.count)) {
    fields.fail(fmt::format("'histogram' counts {} elements, 'count' is {}", total, entry.count));
  }
  if (static_cast<std::uint64_t>(entry.zeros) > entry.histogram[kZeroBin]) {
    fields.fail(fmt::format("{} 'zeros', but {} in the bin of 'histogram' that holds them",
                            entry.zeros, entry.histogram[kZeroBin]));
  }
}

CalibrationEntry parse_entry(simdjson::dom::element element, std::string where) {
  Fields fields(element, std::move(where));
  CalibrationEntry entry{.name = fields.text("name"),
                         .threshold = fields.magnitude("threshold"),
                         .absmax = fields.magnitude("absmax"),
                         .min = fields.finite("min"),
                         .max = fields.finite("max"),
                         .count = fields.count("count"),
                         .zeros = fields.count("zeros"),
                         .percentile = fields.optional_magnitude("percentile"),
                         .histogram = {}};
  if (const auto numbers = fields.optional_array("histogram")) {
    entry.histogram = parse_histogram(*numbers, fields);
  }
  fields.require_all_known();
  require_consistent(entry, fields);
  return entry;
}

}  // namespace

std::string to_json(const CalibrationTable& table) {
  std::string out = fmt::format(
      "{{\n  \"format\": {},\n  \"version\": {},\n  \"mode\": {},\n  \"graph_hash\": {},\n"
      "  \"preprocessing\": {},\n  \"samples\": {},\n  \"parameters\": {{",
      json_text(kFormat), kVersion, json_text(calib_mode_name(table.mode)),
      json_text(table.graph_hash), json_text(table.preprocessing), table.samples);
  const char* separator = "";
  for (const auto& [name, value] : table.parameters) {
    out += fmt::format("{}{}: {}", separator, json_text(name), json_text(value));
    separator = ", ";
  }
  out += "},\n  \"entries\": [";
  separator = "\n";
  for (const CalibrationEntry& entry : table.entries) {
    out += separator;
    append_entry(out, entry);
    separator = ",\n";
  }
  out += "\n  ]\n}\n";
  return out;
}

CalibrationTable parse_calibration_table(std::string_view json, std::string_view name_for_errors) {
  const std::string name(name_for_errors);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root);
      error != simdjson::SUCCESS) {
    throw InputError(
        fmt::format("{}: expected a calibration table in JSON: {}; delete the file to "
                    "calibrate anew",
                    name, simdjson::error_message(error)));
  }
  Fields fields(root, name);
  if (fields.text("format") != kFormat) {
    fields.fail(fmt::format("'format' is not '{}'", kFormat));
  }
  if (const std::int64_t version = fields.count("version"); version != kVersion) {
    fields.fail(fmt::format("version {}, expected {}", version, kVersion));
  }
  CalibrationTable table;
  const std::string mode_name = fields.text("mode");
  const auto mode = parse_calib_mode(mode_name);
  if (!mode) fields.fail(fmt::format("unknown mode '{}'", mode_name));
  table.mode = *mode;
  table.graph_hash = fields.text("graph_hash");
  table.preprocessing = fields.text("preprocessing");
  table.samples = fields.count("samples");
  Fields parameters(fields.get("parameters"), name + ": parameters");
  simdjson::dom::object names;
  if (fields.get("parameters").get(names) == simdjson::SUCCESS) {
    for (const auto& [key, value] : names) {
      table.parameters[std::string(key)] = parameters.text(key);
    }
  }
  for (const simdjson::dom::element each : fields.array("entries")) {
    table.entries.push_back(
        parse_entry(each, fmt::format("{}: entry {}", name, table.entries.size())));
  }
  fields.require_all_known();
  return table;
}

}  // namespace tvmq::quant
