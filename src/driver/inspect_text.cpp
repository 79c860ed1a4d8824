// The facts about a network as text and as JSON.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "driver/inspect_model.h"

namespace tvmq::driver {
namespace {

double millions(std::int64_t number) { return static_cast<double>(number) / 1e6; }

void append_counts(std::string& out, std::string_view title,
                   const std::map<std::string, Count>& counts) {
  std::vector<std::pair<std::string, Count>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, [](const auto& left, const auto& right) {
    return left.second.calls > right.second.calls;
  });
  out += fmt::format("{:<30}{:>7}{:>14}\n", title, "calls", "million MACs");
  for (const auto& [name, count] : sorted) {
    out += fmt::format("  {:<28}{:>7}", name, count.calls);
    out += count.multiply_accumulates > 0
               ? fmt::format("{:>14.3f}\n", millions(count.multiply_accumulates))
               : "\n";
  }
}

void write_types(JsonWriter& json, std::string_view key, const std::vector<NamedType>& types) {
  json.key(key).begin_array();
  for (const NamedType& each : types) {
    json.begin_object().field("name", each.name).field("type", each.type).end_object();
  }
  json.end_array();
}

void write_counts(JsonWriter& json, std::string_view key,
                  const std::map<std::string, Count>& counts) {
  json.key(key).begin_object();
  for (const auto& [name, count] : counts) {
    json.key(name).begin_object();
    json.field("calls", count.calls).field("macs", count.multiply_accumulates).end_object();
  }
  json.end_object();
}

}  // namespace

std::string to_text(const Inspection& inspection, bool layers) {
  std::string out;
  for (const NamedType& each : inspection.inputs) {
    out += fmt::format("input   {}: {}\n", each.name, each.type);
  }
  for (const NamedType& each : inspection.outputs) {
    out += fmt::format("output  {}: {}\n", each.name, each.type);
  }
  for (const auto& [dtype, constants] : inspection.constants) {
    out += fmt::format("weights {}: {:.3f} million elements in {} tensors, {:.3f} MB\n", dtype,
                       millions(constants.elements), constants.tensors, millions(constants.bytes));
  }
  out += fmt::format("work    {:.3f} million multiply-accumulates (MACs) per batch, {} layers\n\n",
                     millions(inspection.multiply_accumulates), inspection.layers.size());
  append_counts(out, "operator", inspection.operators);
  out += '\n';
  append_counts(out, "result type", inspection.dtypes);
  for (const std::string& name : inspection.unknown_operators) {
    out +=
        fmt::format("\n{} is carried from file to file, but cannot be run by this program\n", name);
  }
  if (!layers) return out;
  out += fmt::format("\n{:<40}{:<12}{:>14}{:>12}  {}\n", "layer", "operands", "million MACs",
                     "weights", "output");
  for (const LayerCost& layer : inspection.layers) {
    out += fmt::format("  {:<38}{:<12}{:>14.3f}{:>12}  {}\n", layer.name,
                       layer.integer ? "integer" : "float", millions(layer.multiply_accumulates),
                       layer.weights, layer.output);
  }
  return out;
}

std::string to_json(const Inspection& inspection,
                    const std::optional<std::vector<quant::QuantizationSummary::Layer>>& preview) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_types(json, "inputs", inspection.inputs);
  write_types(json, "outputs", inspection.outputs);
  json.field("macs", inspection.multiply_accumulates);
  json.key("constants").begin_object();
  for (const auto& [dtype, constants] : inspection.constants) {
    json.key(dtype).begin_object();
    json.field("tensors", constants.tensors).field("elements", constants.elements);
    json.field("bytes", constants.bytes).end_object();
  }
  json.end_object();
  write_counts(json, "operators", inspection.operators);
  write_counts(json, "result_types", inspection.dtypes);
  json.key("layers").begin_array();
  for (const LayerCost& layer : inspection.layers) {
    json.begin_object().field("name", layer.name).field("op", layer.op);
    json.field("output", layer.output).field("integer", layer.integer);
    json.field("weights", layer.weights).field("macs", layer.multiply_accumulates).end_object();
  }
  json.end_array();
  json.key("would_be_quantized");
  if (preview) {
    json.begin_array();
    for (const auto& layer : *preview) {
      json.begin_object().field("name", layer.name).field("quantized", layer.quantized);
      json.field("reason", layer.reason).end_object();
    }
    json.end_array();
  } else {
    json.null();
  }
  json.end_object();
  return out + "\n";
}

}  // namespace tvmq::driver
