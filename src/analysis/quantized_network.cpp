#include "analysis/quantized_network.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "quant/layers.h"
#include "quant/tvm_scales.h"

namespace tvmq::analysis {
namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;

std::vector<NodeId> layers_of(const Graph& graph) {
  std::vector<NodeId> layers;
  for (const NodeId id : ir::post_order(graph, graph.output())) {
    if (quant::is_layer(graph[id])) layers.push_back(id);
  }
  return layers;
}

/// The layers of both graphs in order; those of `actual` are left out if they do not correspond.
std::vector<AnalysedLayer> pair_layers(const Graph& reference, const Graph& actual) {
  const std::vector<NodeId> left = layers_of(reference);
  const std::vector<NodeId> right = layers_of(actual);
  const bool correspond = std::ranges::equal(
      left, right, [&](NodeId l, NodeId r) { return reference[l].op == actual[r].op; });
  std::vector<AnalysedLayer> layers;
  for (std::size_t i = 0; i < left.size(); ++i) {
    AnalysedLayer& layer = layers.emplace_back();
    layer.layer = layer.output = left[i];
    if (correspond) layer.actual = right[i];
  }
  return layers;
}

/// A convolution or product whose patches operand_errors.h knows.
bool has_known_operands(const Graph& graph, NodeId layer) {
  const Node& node = graph[layer];
  if (node.op == ir::Op::kConv2D) {
    const auto& attrs = node.attrs_as<ir::Conv2DAttrs>();
    return attrs.data_layout == "NCHW" && attrs.kernel_layout == "OIHW" &&
           (attrs.out_layout.empty() || attrs.out_layout == "NCHW");
  }
  return node.op == ir::Op::kDense && node.tensor_type().shape.size() == 2;
}

/// Marks what is only used by integer values as computed inside their kernels.
void spread_to_operands(const Graph& graph, std::vector<bool>& integer) {
  const auto users = ir::users(graph);
  for (NodeId id = graph.size(); id-- > 0;) {
    const Node& node = graph[id];
    const bool computed = node.kind != ir::NodeKind::kInput && !node.is_constant();
    if (integer[id] || !computed || quant::is_layer(node) || users[id].empty()) continue;
    integer[id] = std::ranges::all_of(users[id], [&](NodeId user) { return integer[user]; });
  }
}

Grid grid_of(const quant::AffineParameters& parameters) {
  return {.scale = parameters.scale,
          .zero_point = parameters.zero_point,
          .lowest = 0,
          .highest = parameters.highest};
}

/// The integers of a layer's weight with the scale of each row.
OperandRounding integer_rounding(NodeId input, const quant::AffineParameters& parameters,
                                 quant::QuantizedWeight weight) {
  const auto shared = std::make_shared<const quant::QuantizedWeight>(std::move(weight));
  return {.input = input,
          .grid = grid_of(parameters),
          .rounded_row = [shared](std::int64_t row, std::span<float> values) {
            const auto integers = shared->values.data<std::int8_t>();
            const auto first = static_cast<std::size_t>(row) * values.size();
            const float scale = shared->scales[static_cast<std::size_t>(row)];
            for (std::size_t i = 0; i < values.size(); ++i) {
              values[i] = static_cast<float>(integers[first + i]) * scale;
            }
          }};
}

Grid grid_of(const ir::SimulatedQuantizeAttrs& attrs) {
  return {.scale = static_cast<float>(attrs.scale),
          .zero_point = 0,
          .lowest = static_cast<std::int32_t>(std::max(attrs.clip_min, -0x1p30)),
          .highest = static_cast<std::int32_t>(std::min(attrs.clip_max, 0x1p30))};
}

/// TVM's realize leaves the integers of an operand as they are: what comes out has its scale.
bool keeps_scale(const Node& node) {
  if (node.kind != ir::NodeKind::kCall) return false;
  switch (node.op) {
    case ir::Op::kRelu:
    case ir::Op::kClip:
    case ir::Op::kMaxPool2D:
    case ir::Op::kBatchFlatten:
    case ir::Op::kReshape:
    case ir::Op::kTranspose:
    case ir::Op::kStridedSlice:
    case ir::Op::kCastHint:
    case ir::Op::kStopFusion:
      return true;
    default:
      return false;
  }
}

/// The simulated quantize that gave a value its integers; the value itself if there is none.
NodeId scale_source(const Graph& graph, NodeId id) {
  while (keeps_scale(graph[id])) id = graph[id].inputs[0];
  return id;
}

/// The value that annotations stand for.
NodeId without_annotations(const Graph& graph, NodeId id) {
  while (graph[id].is_call(ir::Op::kSimulatedQuantize) || graph[id].is_call(ir::Op::kCastHint) ||
         graph[id].is_call(ir::Op::kStopFusion)) {
    id = graph[id].inputs[0];
  }
  return id;
}

float rounded(float value, const Grid& grid) {
  if (grid.scale == 0) return 0;
  const float level = std::round(value / grid.scale);
  return std::clamp(level, static_cast<float>(grid.lowest), static_cast<float>(grid.highest)) *
         grid.scale;
}

}  // namespace

float Grid::low() const { return static_cast<float>(lowest - zero_point) * scale; }
float Grid::high() const { return static_cast<float>(highest - zero_point) * scale; }

QuantizedNetwork describe_integer(const quant::IntegerPlan& plan,
                                  const quant::IntegerParameters& parameters,
                                  const quant::IntegerOptions& options) {
  quant::IntegerGraph emitted = quant::emit_integer(plan, parameters, options);
  QuantizedNetwork network{.reference = plan.graph,
                           .actual = std::move(emitted.graph),
                           .layers = {},
                           .stored = {},
                           .integer = std::vector<bool>(plan.graph.size(), false)};
  for (const NodeId layer : layers_of(network.reference)) {
    AnalysedLayer& analysed = network.layers.emplace_back();
    analysed.layer = analysed.output = layer;
  }
  const auto layer_of = [&](NodeId id) -> AnalysedLayer* {
    const auto found = std::ranges::find(network.layers, id, &AnalysedLayer::layer);
    return found == network.layers.end() ? nullptr : &*found;
  };
  for (const quant::FloatLayer& each : emitted.float_layers) {
    if (AnalysedLayer* layer = layer_of(each.layer)) layer->actual = each.node;
  }
  const std::vector<quant::AffineParameters> stored =
      quant::stored_parameters(plan, parameters.ranges, options.activation_bits);
  const std::vector<quant::AffineParameters> wide = quant::wide_stored_parameters(plan, parameters);
  for (NodeId id = 0; id < plan.graph.size(); ++id) network.integer[id] = plan.stored[id];

  for (quant::IntegerLayer& integer : emitted.layers) {
    AnalysedLayer* found = layer_of(integer.layer);
    check(found != nullptr, "an integer layer is a layer");
    found->output = integer.float_value;
    found->actual = integer.accumulator;
    found->scales = std::move(integer.scales);
    network.integer[integer.layer] = true;
    const Node& node = plan.graph[integer.layer];
    const NodeId input = node.inputs[0];
    if (!plan.stored[input] || !has_known_operands(plan.graph, integer.layer)) continue;
    found->rounding =
        integer_rounding(input, plan.wide[integer.layer] ? wide[input] : stored[input],
                         quant::layer_weight(plan, parameters, options, integer.layer));
  }
  const auto users = ir::users(plan.graph);
  for (const NodeId id : plan.observed) {
    const bool only_wide =
        std::ranges::all_of(users[id], [&](NodeId user) { return plan.wide[user]; });
    network.stored.push_back({.node = id, .grid = grid_of(only_wide ? wide[id] : stored[id])});
  }
  spread_to_operands(network.reference, network.integer);
  return network;
}

QuantizedNetwork describe_tvm(const quant::AnnotatedGraph& annotated,
                              std::span<const float> thresholds,
                              const quant::TvmQuantizeOptions& options, ir::Graph quantized) {
  const Graph& graph = annotated.graph;
  QuantizedNetwork network{.reference = graph,
                           .actual = std::move(quantized),
                           .layers = {},
                           .stored = {},
                           .integer = std::vector<bool>(graph.size(), false)};
  network.layers = pair_layers(network.reference, network.actual);
  const auto scales = quant::set_scales(annotated, thresholds, options);
  std::vector<const ir::SimulatedQuantizeAttrs*> attrs_of(graph.size(), nullptr);
  for (std::size_t i = 0; i < scales.size(); ++i) {
    const NodeId id = annotated.quantizes[i];
    attrs_of[id] = &scales[i];
    if (scales[i].kind == static_cast<std::int64_t>(quant::AnnotateKind::kWeight)) continue;
    network.integer[id] = true;
    network.stored.push_back(
        {.node = without_annotations(graph, graph[id].inputs[0]), .grid = grid_of(scales[i])});
  }

  for (AnalysedLayer& layer : network.layers) {
    if (!layer.actual) continue;
    const auto* type = std::get_if<ir::TensorType>(&network.actual[*layer.actual].type);
    if (type == nullptr || !ir::is_integer(type->dtype)) continue;
    network.integer[layer.layer] = true;
    const auto& operands = graph[layer.layer].inputs;
    const auto* data = attrs_of[scale_source(graph, operands[0])];
    const auto* weight = attrs_of[operands[1]];
    if (data == nullptr || weight == nullptr) {
      layer.actual.reset();  // what its integers are worth is not known
      continue;
    }
    layer.scales = {static_cast<float>(data->scale) * static_cast<float>(weight->scale)};
    const Node& constant = graph[graph[operands[1]].inputs[0]];
    if (!constant.is_constant() || !has_known_operands(graph, layer.layer)) continue;
    layer.rounding =
        OperandRounding{.input = graph[operands[0]].inputs[0],
                        .grid = grid_of(*data),
                        .rounded_row = [values = constant.value, grid = grid_of(*weight)](
                                           std::int64_t row, std::span<float> out) {
                          const auto source = values.data<float>().subspan(
                              static_cast<std::size_t>(row) * out.size(), out.size());
                          std::ranges::transform(source, out.begin(),
                                                 [&](float value) { return rounded(value, grid); });
                        }};
  }
  spread_to_operands(network.reference, network.integer);
  return network;
}

}  // namespace tvmq::analysis
