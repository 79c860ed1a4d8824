#include "driver/inspect_model.h"

#include <algorithm>
#include <map>
#include <set>

#include "driver/scheme_options.h"
#include "ir/cost.h"
#include "passes/pipeline.h"
#include "quant/integer_scheme.h"
#include "quant/layers.h"

namespace tvmq::driver {
namespace {

/// Of a tuple its first field's: of batch_norm that is the result.
std::string dtype_of(const ir::Node& node) {
  const auto* type = std::get_if<ir::TensorType>(&node.type);
  const auto* tuple = std::get_if<ir::TupleType>(&node.type);
  if (type == nullptr && tuple != nullptr && !tuple->fields.empty()) type = &tuple->fields[0];
  return type == nullptr ? "?" : std::string(ir::dtype_name(type->dtype));
}

/// Elements of the weight, which may be computed from a constant (a reshape, say).
std::int64_t weight_elements(const ir::Graph& graph, const ir::Node& layer) {
  const ir::NodeId weight = layer.inputs.at(1);
  for (const ir::NodeId id : ir::post_order(graph, weight)) {
    if (graph[id].kind == ir::NodeKind::kInput) return 0;
  }
  const auto* type = std::get_if<ir::TensorType>(&graph[weight].type);
  return type == nullptr ? 0 : ir::element_count(type->shape).value_or(0);
}

bool is_layer(const ir::Node& node) {
  return quant::is_layer(node) || node.is_call(ir::Op::kQnnConv2D) ||
         node.is_call(ir::Op::kQnnDense);
}

bool takes_integers(const ir::Graph& graph, const ir::Node& layer) {
  const auto* type = std::get_if<ir::TensorType>(&graph[layer.inputs.at(0)].type);
  return type != nullptr && ir::is_integer(type->dtype);
}

LayerCost layer_cost(const ir::Graph& graph, ir::NodeId id) {
  const ir::Node& node = graph[id];
  LayerCost layer{.name = ir::describe(graph, id),
                  .op = std::string(node.op_name()),
                  .output = ir::to_string(node.type),
                  .weights = weight_elements(graph, node),
                  .multiply_accumulates = ir::multiply_accumulates(graph, id)};
  layer.integer = takes_integers(graph, node);
  return layer;
}

}  // namespace

Inspection inspect_model(const ir::Graph& graph) {
  Inspection result;
  for (const ir::NodeId id : graph.inputs()) {
    result.inputs.push_back({graph[id].name, ir::to_string(graph[id].type)});
  }
  for (const ir::NodeId id : graph.outputs()) {
    result.outputs.push_back({ir::describe(graph, id), ir::to_string(graph[id].type)});
  }
  std::set<std::string> unknown;
  std::map<ir::NodeId, std::size_t> layers;  ///< indices of result.layers
  const auto first = quant::first_products(graph);
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) {
    const ir::Node& node = graph[id];
    if (node.is_constant()) {
      Constants& constants = result.constants[std::string(ir::dtype_name(node.value.dtype()))];
      ++constants.tensors;
      constants.elements += node.value.size();
      constants.bytes += static_cast<std::int64_t>(node.value.byte_size());
    }
    if (node.kind != ir::NodeKind::kCall) continue;
    const std::int64_t work = ir::multiply_accumulates(graph, id);
    for (Count* count :
         {&result.operators[std::string(node.op_name())], &result.dtypes[dtype_of(node)]}) {
      ++count->calls;
      count->multiply_accumulates += work;
    }
    result.multiply_accumulates += work;
    if (node.op == ir::Op::kOpaque) unknown.emplace(node.op_name());
    if (!is_layer(node)) continue;
    if (!first[id]) {
      layers.emplace(id, result.layers.size());
      result.layers.push_back(layer_cost(graph, id));
    } else {  // the same layer once more
      result.layers[layers.at(*first[id])].multiply_accumulates += work;
    }
  }
  result.unknown_operators.assign(unknown.begin(), unknown.end());
  return result;
}

bool multiplies_integers(const ir::Graph& graph) {
  return std::ranges::any_of(graph.nodes(), [&](const ir::Node& node) {
    return is_layer(node) && takes_integers(graph, node);
  });
}

std::optional<std::vector<quant::QuantizationSummary::Layer>> preview_quantization(
    const ir::Graph& graph, const QuantizationConfig& quantization, Log& log) {
  if (multiplies_integers(graph)) return std::nullopt;
  const Config config{.model = {}, .dataset = {}, .quantization = quantization};
  if (quantization.scheme == Scheme::kTvm) {
    return quant::annotate(passes::prepare(graph, tvm_opt_level(config), log), tvm_options(config))
        .layers;
  }
  const ir::Graph prepared = passes::prepare_for_integers(graph, log);
  return quant::plan_integer(prepared, integer_options(config, log)).layers;
}

}  // namespace tvmq::driver
