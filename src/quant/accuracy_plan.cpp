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
constexpr std::int64_t kVersion = 2;

[[noreturn]] void fail(std::string_view name, std::string_view what) {
  throw InputError(
      fmt::format("{}: {}; correct the file, or delete it to search anew", name, what));
}

std::string text_of(simdjson::dom::element value, std::string_view field, std::string_view name) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) fail(name, fmt::format("'{}' must be text", field));
  return std::string(text);
}

void add_names(simdjson::dom::element value, std::string_view field, std::string_view name,
               AccuracyPlan& plan, std::vector<std::string>& names) {
  simdjson::dom::array layers;
  if (value.get(layers) != simdjson::SUCCESS) {
    fail(name, fmt::format("'{}' must be a list of layer names", field));
  }
  for (const simdjson::dom::element layer : layers) {
    std::string layer_name = text_of(layer, field, name);
    for (const auto* list : {&plan.wide_layers, &plan.float_layers}) {
      if (std::ranges::find(*list, layer_name) != list->end()) {
        fail(name, fmt::format("layer '{}' occurs twice", layer_name));
      }
    }
    names.push_back(std::move(layer_name));
  }
}

std::string list_text(const std::vector<std::string>& names) {
  std::string text = "[";
  const char* separator = "\n    ";
  for (const std::string& name : names) {
    text += separator + json_text(name);
    separator = ",\n    ";
  }
  return text + (names.empty() ? "]" : "\n  ]");
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
    } else if (key == "wide_layers") {
      add_names(value, key, name_for_errors, plan, plan.wide_layers);
    } else if (key == "float_layers") {
      add_names(value, key, name_for_errors, plan, plan.float_layers);
    } else {
      fail(name_for_errors, fmt::format("unknown field '{}'", key));
    }
  }
  for (const std::string_view field :
       {"format", "version", "graph_hash", "bound", "wide_layers", "float_layers"}) {
    if (std::ranges::find(seen, field) == seen.end()) {
      fail(name_for_errors, fmt::format("field '{}' is missing", field));
    }
  }
  return plan;
}

std::string to_json(const AccuracyPlan& plan) {
  return fmt::format(
      "{{\n  \"format\": {},\n  \"version\": {},\n  \"graph_hash\": {},\n  \"bound\": {},\n"
      "  \"wide_layers\": {},\n  \"float_layers\": {}\n}}\n",
      json_text(kFormat), kVersion, json_text(plan.graph_hash), json_text(plan.bound),
      list_text(plan.wide_layers), list_text(plan.float_layers));
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
