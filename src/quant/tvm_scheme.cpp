#include "quant/tvm_scheme.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/infer_types.h"
#include "passes/passes.h"
#include "quant/tvm_quantized_graph.h"
#include "quant/tvm_realize.h"
#include "quant/tvm_refusal.h"
#include "quant/tvm_scales.h"

namespace tvmq::quant {
namespace {

bool is_weight(const ir::Graph& graph, ir::NodeId quantize) {
  return graph[quantize].attrs_as<ir::SimulatedQuantizeAttrs>().kind ==
         static_cast<std::int64_t>(AnnotateKind::kWeight);
}

void check_bits(std::string_view name, int bits) {
  if (bits < 2 || bits > 32) {
    throw InputError(fmt::format("{} is {}, expected 2 to 32", name, bits));
  }
}

void check_dtype(std::string_view name, ir::DType dtype) {
  if (!ir::is_integer(dtype)) {
    throw InputError(
        fmt::format("{} is '{}', expected an integer type such as int8, int16 or int32", name,
                    ir::dtype_name(dtype)));
  }
}

/// Throws if TVM's constant folding stops, see refusal::folded_fixed_point.
void check_folding(const ir::Graph& realized) {
  constexpr ir::NodeId kNone = ~ir::NodeId{0};
  // Of every value that folds to a constant: a constant that it is made of.
  std::vector<ir::NodeId> origin(realized.size(), kNone);
  for (const ir::NodeId id : ir::post_order(realized, realized.output())) {
    const ir::Node& node = realized[id];
    if (node.is_constant()) origin[id] = id;
    if (node.kind != ir::NodeKind::kCall || node.inputs.empty()) continue;
    const bool folds = std::all_of(node.inputs.begin(), node.inputs.end(),
                                   [&](ir::NodeId input) { return origin[input] != kNone; });
    if (!folds) continue;
    origin[id] = origin[node.inputs[0]];
    const auto* type = std::get_if<ir::TensorType>(&node.type);
    if (node.op == ir::Op::kFixedPointMultiply && type != nullptr &&
        type->dtype != ir::DType::kInt32) {
      throw refusal::folded_fixed_point(realized, id, origin[id]);
    }
  }
}

void warn(const ir::Graph& quantized, Log& log) {
  const std::vector<std::string> findings = not_compilable(quantized);
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < std::min(findings.size(), kShown); ++i) {
    log.warning("TVM v0.19 builds this graph too and then cannot compile it: " + findings[i]);
  }
  if (findings.size() > kShown) {
    log.warning(
        fmt::format("... and {} more operators that TVM cannot compile; CalibMode "
                    "global_scale or Scheme integer avoid them",
                    findings.size() - kShown));
  }
}

}  // namespace

void check_options(const TvmQuantizeOptions& options) {
  check_bits("the number of input bits", options.nbit_input);
  check_bits("the number of weight bits", options.nbit_weight);
  check_bits("the number of activation bits", options.nbit_activation);
  check_dtype("DtypeInput", options.dtype_input);
  check_dtype("DtypeWeight", options.dtype_weight);
  check_dtype("DtypeActivation", options.dtype_activation);
}

std::size_t threshold_count(const AnnotatedGraph& annotated) {
  std::size_t count = 0;
  for (const ir::NodeId id : annotated.quantizes) count += is_weight(annotated.graph, id) ? 0 : 1;
  return count;
}

std::vector<ir::NodeId> observed(const AnnotatedGraph& annotated) {
  std::vector<ir::NodeId> result;
  for (const ir::NodeId id : annotated.quantizes) {
    if (is_weight(annotated.graph, id)) continue;
    const ir::NodeId data = annotated.graph[id].inputs[0];
    if (annotated.graph[data].is_constant()) {
      throw refusal::constant_observed(annotated.graph, data);
    }
    result.push_back(data);
  }
  if (result.empty()) throw refusal::nothing_to_observe();
  return result;
}

ir::Graph realize(const AnnotatedGraph& annotated, std::span<const float> thresholds,
                  const TvmQuantizeOptions& options, Log& log, QuantizationSummary* summary) {
  check_options(options);
  const std::vector<ir::SimulatedQuantizeAttrs> scales = set_scales(annotated, thresholds, options);
  ir::Graph realized = realize_operators(annotated, scales, options);
  try {
    ir::infer_types(realized);
  } catch (const InputError& error) {
    throw refusal::ill_typed_result(error.what());
  }
  check_folding(realized);
  if (summary != nullptr) *summary = summarize(annotated.layers, realized);
  ir::Graph quantized = passes::fold_constant(realized);
  if (summary != nullptr) count_operators(quantized, *summary);
  warn(quantized, log);
  return quantized;
}

}  // namespace tvmq::quant
