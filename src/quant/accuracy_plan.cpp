#include "quant/accuracy_plan.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "quant/graph_hash.h"

namespace tvmq::quant {
namespace {

constexpr std::string_view kFormat = "tvm-quantization plan";
constexpr std::int64_t kVersion = 1;

[[noreturn]] void fail(std::string_view name, std::string_view what) {
  throw InputError(
      fmt::format("{}: {}; correct the file, or delete it to search anew", name, what));
}

std::string text_of(simdjson::dom::element value, std::string_view field, std::string_view name) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) fail(name, fmt::format("'{}' must be text", field));
  return std::string(text);
}

}  // namespace

AccuracyPlan parse_accuracy_plan(std::string_view json, std::string_view name_for_errors) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const simdjson::padded_string padded(json);
  if (const auto error = parser.parse(padded).get(object)) {
    fail(name_for_errors, fmt::format("no JSON object: {}", simdjson::error_message(error)));
  }
  AccuracyPlan plan;
  std::vector<std::string_view> seen;
  for (const auto& [key, value] : object) {
    if (std::ranges::find(seen, key) != seen.end()) {
      fail(name_for_errors, fmt::format("field '{}' occurs twice", key));
    }
    seen.push_back(key);
    if (key == "format") {
      if (text_of(value, key, name_for_errors) != kFormat) {
        fail(name_for_errors, fmt::format("not a plan, 'format' must be '{}'", kFormat));
      }
    } else if (key == "version") {
      std::int64_t version = 0;
      if (value.get(version) != simdjson::SUCCESS || version != kVersion) {
        fail(name_for_errors, fmt::format("this program reads version {} of plans", kVersion));
      }
    } else if (key == "graph_hash") {
      plan.graph_hash = text_of(value, key, name_for_errors);
    } else if (key == "bound") {
      plan.bound = text_of(value, key, name_for_errors);
    } else if (key == "float_layers") {
      simdjson::dom::array layers;
      if (value.get(layers) != simdjson::SUCCESS) {
        fail(name_for_errors, "'float_layers' must be a list of layer names");
      }
      for (const simdjson::dom::element layer : layers) {
        std::string layer_name = text_of(layer, "float_layers", name_for_errors);
        if (std::ranges::find(plan.float_layers, layer_name) != plan.float_layers.end()) {
          fail(name_for_errors, fmt::format("layer '{}' occurs twice", layer_name));
        }
        plan.float_layers.push_back(std::move(layer_name));
      }
    } else {
      fail(name_for_errors, fmt::format("unknown field '{}'", key));
    }
  }
  for (const std::string_view field :
       {"format", "version", "graph_hash", "bound", "float_layers"}) {
    if (std::ranges::find(seen, field) == seen.end()) {
      fail(name_for_errors, fmt::format("field '{}' is missing", field));
    }
  }
  return plan;
}

std::string to_json(const AccuracyPlan& plan) {
  std::string out = fmt::format(
      "{{\n  \"format\": {},\n  \"version\": {},\n  \"graph_hash\": {},\n  \"bound\": {},\n"
      "  \"float_layers\": [",
      json_text(kFormat), kVersion, json_text(plan.graph_hash), json_text(plan.bound));
  const char* separator = "\n    ";
  for (const std::string& layer : plan.float_layers) {
    out += separator + json_text(layer);
    separator = ",\n    ";
  }
  out += plan.float_layers.empty() ? "]\n}\n" : "\n  ]\n}\n";
  return out;
}

AccuracyPlan read_accuracy_plan(const std::filesystem::path& path, const ir::Graph& bound) {
  AccuracyPlan plan = parse_accuracy_plan(read_file(path), path.string());
  plan.file = path;
  const std::string hash = graph_hash(bound);
  if (plan.graph_hash != hash) {
    throw InputError(fmt::format(
        "{}: a plan for another model (graph hash {}, expected {}); name another PlanFile for this "
        "one, or delete the file to search anew",
        path.string(), plan.graph_hash, hash));
  }
  return plan;
}

void write_accuracy_plan(const AccuracyPlan& plan) {
  AtomicFile file(plan.file);
  file.write(to_json(plan));
  file.commit();
}

}  // namespace tvmq::quant
