#include "quant/tvm_quantized_graph.h"

#include <fmt/format.h>

#include <limits>

#include "quant/layers.h"

namespace tvmq::quant {
namespace {

using ir::DType;
using ir::NodeId;
using ir::Op;

DType dtype_of(const ir::Node& node) {
  const auto* type = std::get_if<ir::TensorType>(&node.type);
  return type == nullptr ? DType::kVoid : type->dtype;
}

/// By its attributes: behind an operator that this program does not know, the type is not known.
bool accumulates_integers(const ir::Node& layer) {
  const DType out = std::visit(
      [](const auto& attrs) {
        if constexpr (requires { attrs.out_dtype; }) return attrs.out_dtype;
        return DType::kVoid;
      },
      *layer.attrs);
  return ir::is_integer(out) || ir::is_integer(dtype_of(layer));
}

/// The largest value of an integer type.
double largest(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
      return std::numeric_limits<std::int8_t>::max();
    case DType::kInt16:
      return std::numeric_limits<std::int16_t>::max();
    case DType::kInt32:
      return std::numeric_limits<std::int32_t>::max();
    default:
      return std::numeric_limits<double>::infinity();
  }
}

/// TVM removes a clip that does nothing, and writes the bounds of any other as literals of the
/// operand's type, truncated toward zero.
bool compiles(const ir::ClipAttrs& bounds, DType dtype) {
  const double high = largest(dtype);
  const double low = -high - 1;
  if (bounds.a_min <= low && bounds.a_max >= high) return true;
  const auto fits = [&](double bound) { return bound > low - 1 && bound < high + 1; };
  return fits(bounds.a_min) && fits(bounds.a_max);
}

}  // namespace

std::vector<std::string> not_compilable(const ir::Graph& quantized) {
  std::vector<std::string> findings;
  for (const NodeId id : ir::post_order(quantized, quantized.output())) {
    const ir::Node& node = quantized[id];
    if (node.kind != ir::NodeKind::kCall || node.inputs.empty()) continue;
    const DType dtype = dtype_of(quantized[node.inputs[0]]);
    const std::size_t size = ir::dtype_size(dtype);
    if (node.op == Op::kFixedPointMultiply && ir::is_integer(dtype) && size < 4) {
      findings.push_back(fmt::format("{} of {}, whose result is of {} for TVM and int32 in fact",
                                     ir::describe(quantized, id), ir::dtype_name(dtype),
                                     ir::dtype_name(dtype)));
    }
    if (node.op == Op::kClip && ir::is_integer(dtype)) {
      const auto& bounds = node.attrs_as<ir::ClipAttrs>();
      if (compiles(bounds, dtype)) continue;
      findings.push_back(fmt::format("{} of {} to {}..{}, which {} cannot hold",
                                     ir::describe(quantized, id), ir::dtype_name(dtype),
                                     bounds.a_min, bounds.a_max, ir::dtype_name(dtype)));
    }
  }
  return findings;
}

QuantizationSummary summarize(std::vector<QuantizationSummary::Layer> layers,
                              const ir::Graph& realized) {
  QuantizationSummary summary{.layers = std::move(layers)};
  std::size_t next = 0;
  for (const NodeId id : ir::post_order(realized, realized.output())) {
    const ir::Node& node = realized[id];
    if (!is_layer(node)) continue;
    // A layer that nothing uses is not in the graph any more.
    while (next < summary.layers.size() && summary.layers[next].op != node.op_name()) ++next;
    if (next == summary.layers.size()) break;
    QuantizationSummary::Layer& layer = summary.layers[next++];
    const bool integer = accumulates_integers(node);
    if (layer.quantized && !integer) {
      layer.reason = "one of its operands did not become integer";
    } else if (integer) {
      layer.reason.clear();
    }
    layer.quantized = integer;
  }
  count_operators(realized, summary);
  return summary;
}

void count_operators(const ir::Graph& quantized, QuantizationSummary& summary) {
  summary.integer_operators = 0;
  summary.float_operators = 0;
  for (const NodeId id : ir::post_order(quantized, quantized.output())) {
    const ir::Node& node = quantized[id];
    if (node.kind != ir::NodeKind::kCall) continue;
    const DType dtype = dtype_of(node);
    if (ir::is_integer(dtype)) {
      ++summary.integer_operators;
    } else if (ir::is_float(dtype)) {
      ++summary.float_operators;
    }
  }
}

}  // namespace tvmq::quant
