#include "driver/compare_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "driver/inspect_model.h"
#include "driver/samples.h"
#include "passes/pipeline.h"

namespace tvmq::driver {
namespace {

/// Infinite SQNR is 'equal'; JSON and CSV have no number for it.
std::string sqnr_text(const analysis::ComparedLayer& layer) {
  if (!layer.sqnr_db) return "-";
  return std::isinf(*layer.sqnr_db) && *layer.sqnr_db > 0 ? "equal"
                                                          : fmt::format("{:.2f}", *layer.sqnr_db);
}

std::string csv_text(std::string_view text) {
  std::string result = "\"";
  for (const char symbol : text) {
    if (symbol == '"') result += '"';
    result += symbol;
  }
  return result + "\"";
}

/// The graph with the layers that the `integer` scheme sees: folded, with channels first.
ir::Graph comparable(const ir::Graph& graph, Log& log) {
  return multiplies_integers(graph) ? passes::convert_layout(graph)
                                    : passes::prepare_for_integers(graph, log);
}

}  // namespace

LayerTable compare_models(const ir::Graph& reference, const ir::Graph& actual, const Config& config,
                          std::int64_t images, const RunOptions& run, Log& log) {
  const ir::Graph prepared = comparable(reference, log);
  const ir::Graph other = comparable(actual, log);
  const analysis::LayerMatching matching = analysis::match_layers(prepared, other);
  if (matching.pairs.empty()) {
    throw InputError(fmt::format(
        "found no layer that corresponds to one of the other network ({} and {} layers), expected "
        "a network and its quantized form",
        matching.only_reference.size(), matching.only_actual.size()));
  }
  Samples samples(reference, config, run, log);
  const quant::BatchSource source =
      config.dataset.labels ? samples.verification().source : samples.source();
  const std::int64_t batches = std::max<std::int64_t>(images / config.dataset.batch_size, 1);
  const auto errors = analysis::compare_layers(
      prepared, other, matching, source,
      {.title = "layers", .most_batches = batches, .threads = run.threads}, log);
  LayerTable table;
  table.batches = std::min(batches, source.batches);
  for (std::size_t i = 0; i < matching.pairs.size(); ++i) {
    const analysis::LayerPair& pair = matching.pairs[i];
    table.rows.push_back({.reference = ir::describe(prepared, pair.reference),
                          .actual = ir::describe(other, pair.actual),
                          .output = ir::to_string(prepared[pair.reference].type),
                          .integer = pair.integer,
                          .error = errors[i]});
  }
  for (const ir::NodeId id : matching.only_reference) {
    table.only_reference.push_back(ir::describe(prepared, id));
  }
  for (const ir::NodeId id : matching.only_actual) {
    table.only_actual.push_back(ir::describe(other, id));
  }
  return table;
}

void sort_worst_first(std::vector<LayerRow>& rows) {
  const auto key = [](const LayerRow& row) {
    const double sqnr = row.error.sqnr_db.value_or(std::numeric_limits<double>::infinity());
    return std::isnan(sqnr) ? -std::numeric_limits<double>::infinity() : sqnr;
  };
  std::ranges::stable_sort(rows, {}, key);
}

std::string to_text(const LayerTable& table) {
  std::string out = fmt::format("{:>9}{:>11}  {:<9}{:<42}{}\n", "SQNR dB", "cosine", "operands",
                                "layer", "output");
  for (const LayerRow& row : table.rows) {
    out += fmt::format("{:>9}{:>11}  {:<9}{:<42}{}\n", sqnr_text(row.error),
                       row.error.sqnr_db ? fmt::format("{:.6f}", row.error.cosine) : "-",
                       row.integer ? "integer" : "float", row.reference, row.output);
  }
  for (const std::string& name : table.only_reference) {
    out += fmt::format("only in the reference: {}\n", name);
  }
  for (const std::string& name : table.only_actual) {
    out += fmt::format("only in the model: {}\n", name);
  }
  out += fmt::format("{} batches; each channel up to the factor that fits best\n", table.batches);
  return out;
}

std::string to_csv(const LayerTable& table) {
  std::string out = "reference,actual,output,operands,sqnr_db,cosine\n";
  for (const LayerRow& row : table.rows) {
    const bool known = row.error.sqnr_db.has_value();
    out += fmt::format("{},{},{},{},{},{}\n", csv_text(row.reference), csv_text(row.actual),
                       csv_text(row.output), row.integer ? "integer" : "float",
                       known ? fmt::format("{}", *row.error.sqnr_db) : "",
                       known ? fmt::format("{}", row.error.cosine) : "");
  }
  return out;
}

std::string to_json(const LayerTable& table) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("batches", table.batches);
  json.key("layers").begin_array();
  for (const LayerRow& row : table.rows) {
    json.begin_object().field("reference", row.reference).field("actual", row.actual);
    json.field("output", row.output).field("integer", row.integer).key("sqnr_db");
    if (row.error.sqnr_db) {
      json.value(*row.error.sqnr_db).field("cosine", row.error.cosine);
    } else {
      json.null().key("cosine").null();
    }
    json.end_object();
  }
  json.end_array();
  json.field("only_reference", table.only_reference).field("only_actual", table.only_actual);
  json.end_object();
  return out + "\n";
}

}  // namespace tvmq::driver
