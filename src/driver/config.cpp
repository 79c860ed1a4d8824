#include "driver/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/nearest_name.h"
#include "driver/config_keys.h"
#include "driver/config_value.h"
#include "driver/config_xml.h"

namespace tvmq::driver {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSections[] = {"Model", "Dataset", "QuantizationParameters"};

bool is_section(std::string_view name) {
  return std::find(std::begin(kSections), std::end(kSections), name) != std::end(kSections);
}

/// A file's text in a message: at most this much of it.
std::string shown(std::string_view text) {
  constexpr std::size_t kLength = 60;
  return fmt::format("'{}{}'", text.substr(0, kLength), text.size() > kLength ? "..." : "");
}

/// Reads one Config element and collects every mistake in it.
class Reader {
 public:
  Reader(const XmlElement& element, std::string_view file) : element_(element), file_(file) {}

  ParsedConfig read() {
    check_plain(element_, "Config");
    if (!element_.text.empty())
      fail(element_.line, "Config", "found text " + shown(element_.text) + ", expected sections");
    std::map<std::string_view, int> lines;
    for (const XmlElement& section : element_.children) {
      const auto [first, added] = lines.emplace(section.name, section.line);
      if (!is_section(section.name)) {
        fail(section.line, section.name,
             fmt::format("unknown section, expected Model, Dataset or QuantizationParameters; did "
                         "you mean {}?",
                         nearest_name(section.name, kSections)));
      } else if (!added) {
        fail(section.line, section.name,
             fmt::format("this section is there already, at line {}", first->second));
      } else {
        read_section(section);
      }
    }
    for (const std::string_view section : kSections) {
      if (!lines.contains(section))
        fail(element_.line, "Config", fmt::format("the section {} is missing", section));
    }
    if (errors_.empty()) check_together(lines);

    ParsedConfig parsed;
    parsed.line = element_.line;
    parsed.title = config_.model.name.empty() ? fmt::format("Config at line {}", element_.line)
                                              : config_.model.name;
    if (errors_.empty()) {
      parsed.config = std::move(config_);
      parsed.settings = settings();
    } else {
      parsed.error = fmt::format("{}", fmt::join(errors_, "\n"));
    }
    return parsed;
  }

 private:
  [[nodiscard]] Settings settings() const {
    Settings settings;
    for (const KeyRow& row : config_keys()) {
      const auto written = written_.find(&row);
      settings.emplace_back(
          fmt::format("{}/{}", row.key.group, row.key.key),
          written == written_.end() ? std::string(row.key.fallback) : written->second);
    }
    return settings;
  }

  void fail(int line, std::string_view where, std::string_view what) {
    errors_.push_back(fmt::format("{}:{}: {}: {}", file_, line, where, what));
  }

  void check_plain(const XmlElement& element, std::string_view where) {
    if (element.has_attributes) fail(element.line, where, "found attributes, expected none");
  }

  void read_section(const XmlElement& section) {
    check_plain(section, section.name);
    if (!section.text.empty()) {
      fail(section.line, section.name,
           fmt::format("found text {}, expected elements", shown(section.text)));
    }
    std::map<std::string_view, int> lines;
    for (const XmlElement& entry : section.children) {
      const auto [first, added] = lines.emplace(entry.name, entry.line);
      const std::string where = fmt::format("{}/{}", section.name, entry.name);
      if (added) {
        read_entry(section.name, entry, where);
      } else {
        fail(entry.line, where,
             fmt::format("this key is there already, at line {}; keep one", first->second));
      }
    }
    for (const KeyRow& row : config_keys()) {
      if (!row.key.required || row.key.group != section.name) continue;
      const auto entry =
          std::find_if(section.children.begin(), section.children.end(),
                       [&](const XmlElement& child) { return child.name == row.key.key; });
      if (entry == section.children.end()) {
        fail(section.line, section.name,
             fmt::format("the key {} is missing, expected {}", row.key.key, row.key.values));
      } else if (entry->text.empty() && entry->children.empty()) {
        fail(entry->line, fmt::format("{}/{}", section.name, entry->name),
             fmt::format("found nothing, expected {}", row.key.values));
      }
    }
  }

  void read_entry(std::string_view group, const XmlElement& entry, const std::string& where) {
    const auto rows = config_keys();
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const KeyRow& candidate) {
      return candidate.key.group == group && candidate.key.key == entry.name;
    });
    if (row == rows.end()) return fail(entry.line, where, unknown_key(group, entry.name));
    check_plain(entry, where);
    if (!entry.children.empty()) {
      return fail(entry.line, where,
                  fmt::format("found an element {}, expected {}", shown(entry.children[0].name),
                              row->key.values));
    }
    if (entry.text.empty()) return;  // the default
    try {
      if (row->set(config_, entry.text)) {
        written_.emplace(&*row, entry.text);
        return;
      }
      fail(entry.line, where,
           fmt::format("found {}, expected {}", shown(entry.text), row->key.values));
    } catch (const InputError& error) {
      fail(entry.line, where, error.what());
    }
  }

  static std::string unknown_key(std::string_view group, std::string_view name) {
    std::vector<std::string_view> known;
    for (const KeyRow& row : config_keys()) {
      if (row.key.group == group) known.push_back(row.key.key);
      if (row.key.group != group && row.key.key == name) {
        return fmt::format("unknown key here, it belongs in {}", row.key.group);
      }
    }
    return fmt::format("unknown key, did you mean {}?", nearest_name(name, known));
  }

  /// What only several keys together can get wrong.
  void check_together(const std::map<std::string_view, int>& lines) {
    const QuantizationConfig& quantization = config_.quantization;
    if (config_.dataset.path.empty() && quantization.calib_mode != CalibMode::kGlobalScale &&
        !quantization.calibration_cache) {
      fail(lines.at("Dataset"), "Dataset",
           "the key Path is missing, expected the folder to calibrate with; only the CalibMode "
           "global_scale and a CalibrationCache do without");
    }
    if (quantization.max_accuracy_drop && !config_.dataset.labels) {
      fail(lines.at("Dataset"), "Dataset",
           "the key Labels is missing, expected a list of labelled images for MaxAccuracyDrop; "
           "MinSqnr does without");
    }
    if (quantization.plan_file && !quantization.max_accuracy_drop && !quantization.min_sqnr) {
      fail(lines.at("QuantizationParameters"), "QuantizationParameters/PlanFile",
           "found without a bound, expected MaxAccuracyDrop or MinSqnr beside it");
    }
    const auto check_bits = [&](std::string_view key, int bits, std::string_view dtype_key,
                                ir::DType dtype) {
      const auto room = static_cast<int>(ir::dtype_size(dtype) * 8);
      if (bits <= room) return;
      fail(lines.at("QuantizationParameters"), fmt::format("QuantizationParameters/{}", key),
           fmt::format("found {} bits, expected at most {} for {} {}", bits, room, dtype_key,
                       ir::dtype_name(dtype)));
    };
    check_bits("ActivationBits", quantization.activation_bits, "DtypeInput",
               quantization.dtype_input);
    check_bits("WeightBits", quantization.weight_bits, "DtypeWeight", quantization.dtype_weight);
  }

  const XmlElement& element_;
  std::string_view file_;
  Config config_;
  std::map<const KeyRow*, std::string> written_;
  std::vector<std::string> errors_;
};

/// The second of two Configs that write the same files would destroy the first one's.
void check_outputs(std::vector<ParsedConfig>& configs, std::string_view file) {
  std::map<fs::path, int> lines;
  for (ParsedConfig& parsed : configs) {
    if (!parsed.config) continue;
    const fs::path folder = parsed.config->quantization.output_directory;
    const fs::path output = (folder / parsed.config->model.name).lexically_normal();
    const auto [first, added] = lines.emplace(output, parsed.line);
    if (added) continue;
    parsed.config.reset();
    parsed.error = fmt::format(
        "{}:{}: Config: its output files '{}' are those of the Config at line {} too; change "
        "Model/Name or OutputDirectory",
        file, parsed.line, output.string(), first->second);
  }
}

}  // namespace

std::vector<ParsedConfig> parse_configs(std::string_view xml, std::string_view name_for_errors) {
  const XmlElement root = parse_xml(xml, name_for_errors);
  const bool is_config =
      root.name == "Config" ||
      std::any_of(root.children.begin(), root.children.end(),
                  [](const XmlElement& child) { return is_section(child.name); });
  std::vector<ParsedConfig> configs;
  if (is_config) {
    configs.push_back(Reader(root, name_for_errors).read());
  } else {
    for (const XmlElement& child : root.children) {
      if (child.name == "Config") {
        configs.push_back(Reader(child, name_for_errors).read());
        continue;
      }
      configs.push_back({.title = fmt::format("element at line {}", child.line),
                         .line = child.line,
                         .config = std::nullopt,
                         .settings = {},
                         .error = fmt::format("{}:{}: found an element {}, expected Config",
                                              name_for_errors, child.line, shown(child.name))});
    }
  }
  if (configs.empty()) {
    throw InputError(
        fmt::format("{}:{}: found no Config in the root element {}, expected one or "
                    "more",
                    name_for_errors, root.line, shown(root.name)));
  }
  check_outputs(configs, name_for_errors);
  return configs;
}

std::vector<ParsedConfig> read_configs(const fs::path& file) {
  constexpr std::uintmax_t kMaxBytes = 4 << 20;
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (!error && size > kMaxBytes) {
    throw InputError(fmt::format("{}: found {} bytes, expected a configuration of at most {}",
                                 file.string(), size, kMaxBytes));
  }
  return parse_configs(read_file(file), file.string());
}

fs::path resolve(const fs::path& written, const fs::path& config_file) {
  check(!written.empty(), "a path that was written");
  std::error_code error;
  if (fs::exists(written, error)) return written;
  if (written.is_absolute()) {
    throw InputError(fmt::format("'{}' does not exist", written.string()));
  }
  fs::path beside = config_file.parent_path() / written;
  if (fs::exists(beside, error)) return beside;
  throw InputError(
      fmt::format("'{}' exists neither in the working directory nor as '{}', beside "
                  "the configuration",
                  written.string(), beside.string()));
}

std::vector<ConfigKey> config_reference() {
  std::vector<ConfigKey> keys;
  for (const KeyRow& row : config_keys()) keys.push_back(row.key);
  return keys;
}

}  // namespace tvmq::driver
