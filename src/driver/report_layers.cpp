#include "driver/report_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/cost.h"
#include "quant/layers.h"
#include "quant/observer_histogram.h"

namespace tvmq::driver {
namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;

constexpr std::size_t kNone = ~std::size_t{0};

/// The weight of a layer, behind the annotation that Scheme tvm puts there; null if it is computed.
const ir::Tensor* weight_of(const Graph& graph, NodeId layer) {
  if (graph[layer].inputs.size() < 2) return nullptr;
  const Node* operand = &graph[graph[layer].inputs[1]];
  if (operand->is_call(ir::Op::kSimulatedQuantize)) operand = &graph[operand->inputs[0]];
  return operand->is_constant() ? &operand->value : nullptr;
}

/// Per output channel, where that is the first dimension.
std::optional<report::Range> weight_range(const Node& node, const ir::Tensor* weight) {
  const bool rows =
      node.op == ir::Op::kDense ||
      (node.op == ir::Op::kConv2D && node.attrs_as<ir::Conv2DAttrs>().kernel_layout == "OIHW");
  if (weight == nullptr || !rows || weight->dtype() != ir::DType::kFloat32 || weight->size() == 0) {
    return std::nullopt;
  }
  const auto values = weight->data<float>();
  const auto count = static_cast<std::size_t>(weight->shape()[0]);
  const std::size_t size = values.size() / count;
  report::Range range;
  for (std::size_t row = 0; row < count; ++row) {
    const auto [low, high] = std::ranges::minmax(values.subspan(row * size, size));
    range.low.push_back(low);
    range.high.push_back(high);
  }
  return range;
}

/// Per node of the reference: which layer it is.
std::vector<std::size_t> layer_numbers(const analysis::QuantizedNetwork& network) {
  std::vector<std::size_t> numbers(network.reference.size(), kNone);
  for (std::size_t i = 0; i < network.layers.size(); ++i) numbers[network.layers[i].layer] = i;
  return numbers;
}

/// The layer whose output, after elementwise steps, a value is; kNone if several go into it.
std::vector<std::size_t> origins(const analysis::QuantizedNetwork& network) {
  const Graph& graph = network.reference;
  std::vector<std::size_t> origin = layer_numbers(network);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (origin[id] != kNone) continue;
    if (node.kind != ir::NodeKind::kCall) continue;
    int computed = 0;
    for (const NodeId input : node.inputs) {
      if (graph[input].is_constant()) continue;
      ++computed;
      // Steps of another shape, such as pooling, make another value of it.
      origin[id] = graph[input].type == node.type ? origin[input] : kNone;
    }
    if (computed != 1) origin[id] = kNone;
  }
  return origin;
}

std::optional<std::size_t> index_of(std::size_t origin) {
  return origin == kNone ? std::nullopt : std::optional(origin);
}

/// Returns the index in report.graph of every node of the reference, kNone for those not shown.
std::vector<std::size_t> describe_graph(const analysis::QuantizedNetwork& network,
                                        report::Report& report) {
  const Graph& graph = network.reference;
  const std::vector<std::size_t> layers = layer_numbers(network);
  std::vector<std::size_t> number(graph.size(), kNone);
  for (const NodeId id : ir::post_order(graph, graph.output())) {
    const Node& node = graph[id];
    if (node.is_constant()) continue;
    if (node.is_call(ir::Op::kSimulatedQuantize)) {  // an annotation
      number[id] = number[node.inputs[0]];
      continue;
    }
    report::GraphNode drawn{.name = node.name, .integer = network.integer[id]};
    switch (node.kind) {
      case ir::NodeKind::kInput:
        drawn.op = "input";
        break;
      case ir::NodeKind::kTuple:
        drawn.op = "tuple";
        break;
      case ir::NodeKind::kTupleGetItem:
        drawn.op = "tuple_get_item";
        break;
      default:
        drawn.op = std::string(node.op_name());
    }
    for (const NodeId input : node.inputs) {
      if (number[input] != kNone) drawn.inputs.push_back(number[input]);
    }
    drawn.layer = index_of(layers[id]);
    number[id] = report.graph.size();
    report.graph.push_back(std::move(drawn));
  }
  return number;
}

void describe_operations(const analysis::QuantizedNetwork& network,
                         const quant::QuantizationSummary& summary, report::Report& report) {
  report::Operations& operations = report.operations;
  operations = {.integer_operators = summary.integer_operators,
                .float_operators = summary.float_operators};
  for (const report::Layer& layer : report.layers) {
    (layer.integer ? operations.integer_macs : operations.float_macs) += layer.macs;
  }
  const Graph& actual = network.actual;
  for (const NodeId id : ir::post_order(actual, actual.output())) {
    const Node& node = actual[id];
    if (!node.is_constant()) continue;
    const auto bytes = static_cast<std::int64_t>(node.value.byte_size());
    (ir::is_integer(node.value.dtype()) ? operations.integer_bytes : operations.float_bytes) +=
        bytes;
  }
}

report::Layer describe_layer(const analysis::QuantizedNetwork& network,
                             const analysis::AnalysedLayer& analysed, const std::string& name) {
  const Graph& graph = network.reference;
  const Node& node = graph[analysed.layer];
  report::Layer layer{.name = name,
                      .op = std::string(node.op_name()),
                      .macs = ir::multiply_accumulates(graph, analysed.layer)};
  layer.skip_line = quant::skip_line(name);
  if (const auto* type = std::get_if<ir::TensorType>(&node.type)) layer.output_shape = type->shape;
  const ir::Tensor* weight = weight_of(graph, analysed.layer);
  if (weight != nullptr) {
    layer.weights = weight->size();
    layer.bytes_float = layer.bytes_integer = static_cast<std::int64_t>(weight->byte_size());
  }
  layer.weight_range = weight_range(node, weight);
  return layer;
}

/// Of an element of the weight that an integer layer multiplies: Scheme tvm may store it wider.
std::int64_t integer_weight_bytes(const Graph& actual, const analysis::AnalysedLayer& layer) {
  if (!layer.actual || !quant::is_layer(actual[*layer.actual])) return 1;
  const ir::Tensor* weight = weight_of(actual, *layer.actual);
  return weight == nullptr ? 1 : static_cast<std::int64_t>(ir::dtype_size(weight->dtype()));
}

/// Values that rewriting made have no name of their own; the layer they come from has one.
std::string value_name(const analysis::QuantizedNetwork& network, NodeId id,
                       const std::vector<std::size_t>& origin) {
  const Node& node = network.reference[id];
  if (!node.name.empty() || origin[id] == kNone) return ir::describe(network.reference, id);
  return fmt::format("{} after {}", node.op_name(),
                     ir::describe(network.reference, network.layers[origin[id]].layer));
}

double sqnr(const std::optional<analysis::ErrorMetrics>& metrics) {
  return metrics ? metrics->sqnr_db : report::kUnknown;
}

}  // namespace

std::optional<report::Histogram> coarse_histogram(const quant::CalibrationEntry& entry) {
  if (entry.histogram.empty()) return std::nullopt;
  const std::vector<std::uint64_t> fine = entry.histogram.to_vector();
  const auto full = [](std::uint64_t count) { return count > 0; };
  const auto begin = std::ranges::find_if(fine, full) - fine.begin();
  const auto end = fine.rend() - std::ranges::find_if(fine.rbegin(), fine.rend(), full);
  const auto bins = static_cast<std::size_t>(std::max<std::ptrdiff_t>(end - begin, 0));
  if (bins == 0) return std::nullopt;
  const std::size_t joined = (bins + report::kMostHistogramBins - 1) / report::kMostHistogramBins;
  const double half = entry.absmax > 0 ? static_cast<double>(entry.absmax) : 0.5;
  const double width = 2 * half / quant::kHistogramBins;
  report::Histogram result;
  result.counts.resize((bins + joined - 1) / joined, 0);
  for (std::size_t i = 0; i < bins; ++i) {
    result.counts[i / joined] += fine[static_cast<std::size_t>(begin) + i];
  }
  result.low = static_cast<double>(begin) * width - half;
  result.high = result.low + static_cast<double>(result.counts.size() * joined) * width;
  return result;
}

void describe_layers(const analysis::QuantizedNetwork& network,
                     const quant::QuantizationSummary& summary,
                     const quant::CalibrationTable& table, report::Report& report) {
  const bool correspond = summary.layers.size() == network.layers.size();
  const std::vector<std::string> names = quant::layer_names(network.reference);
  report.layers.clear();
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    report::Layer layer =
        describe_layer(network, network.layers[i], names[network.layers[i].layer]);
    layer.integer = network.integer[network.layers[i].layer];
    if (correspond) {
      layer.integer = summary.layers[i].quantized;
      layer.reason = summary.layers[i].reason;
      layer.wide = summary.layers[i].wide;
    }
    if (layer.integer) {
      layer.bytes_integer = layer.weights * integer_weight_bytes(network.actual, network.layers[i]);
    }
    report.model.macs += layer.macs;
    report.layers.push_back(std::move(layer));
  }

  const std::vector<std::size_t> number = describe_graph(network, report);
  const std::vector<std::size_t> origin = origins(network);
  for (std::size_t i = 0; i < network.stored.size(); ++i) {
    const analysis::StoredValue& stored = network.stored[i];
    report::Activation activation{.name = value_name(network, stored.node, origin),
                                  .layer = index_of(origin[stored.node]),
                                  .node = index_of(number[stored.node]),
                                  .scale = static_cast<double>(stored.grid.scale),
                                  .zero_point = stored.grid.zero_point,
                                  .low = static_cast<double>(stored.grid.low()),
                                  .high = static_cast<double>(stored.grid.high())};
    if (table.entries.size() == network.stored.size() && table.entries[i].count > 0) {
      activation.observed_low = static_cast<double>(table.entries[i].min);
      activation.observed_high = static_cast<double>(table.entries[i].max);
      activation.histogram = coarse_histogram(table.entries[i]);
    }
    report.activations.push_back(std::move(activation));
  }
  describe_operations(network, summary, report);
}

void add_layer_errors(const analysis::LayerErrors& errors, report::Report& report) {
  check(errors.layers.size() == report.layers.size() &&
            errors.saturated.size() == report.activations.size(),
        "errors of the layers that were described");
  for (std::size_t i = 0; i < errors.layers.size(); ++i) {
    report.layers[i].accumulated_sqnr_db = sqnr(errors.layers[i].accumulated);
    report.layers[i].isolated_sqnr_db = sqnr(errors.layers[i].isolated);
    report.layers[i].weight_sqnr_db = sqnr(errors.layers[i].weight);
    report.layers[i].activation_sqnr_db = sqnr(errors.layers[i].activation);
  }
  for (std::size_t i = 0; i < errors.saturated.size(); ++i) {
    report.activations[i].saturated = errors.saturated[i];
  }
}

}  // namespace tvmq::driver
