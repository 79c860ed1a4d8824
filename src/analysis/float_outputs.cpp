#include "analysis/float_outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "ir/infer_types.h"

namespace tvmq::analysis {

FloatOutputs compile_float_outputs(const ir::Graph& graph, std::vector<ir::NodeId> taps) {
  ir::Graph extended = graph;  // appending keeps the numbers of the taps
  std::vector<ir::NodeId> fields;
  FloatOutputs result;
  for (const ir::NodeId output : graph.outputs()) {
    if (const auto* tuple = std::get_if<ir::TupleType>(&graph[output].type)) {
      for (std::size_t i = 0; i < tuple->fields.size(); ++i) {
        fields.push_back(extended.add_tuple_get_item(output, static_cast<std::int64_t>(i)));
      }
    } else {
      fields.push_back(output);
    }
    result.names.resize(fields.size(), ir::describe(graph, output));
  }
  ir::infer_types(extended);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    result.names[i] = fmt::format("output {} ({})", i, result.names[i]);
    if (extended[fields[i]].tensor_type().dtype == ir::DType::kFloat32) continue;
    fields[i] =
        extended.add_call(ir::Op::kCast, {fields[i]}, ir::CastAttrs{.dtype = ir::DType::kFloat32});
  }
  ir::infer_types(extended);
  for (const ir::NodeId field : fields) result.types.push_back(extended[field].tensor_type());
  result.program = std::make_shared<const exec::Program>(
      extended, exec::ProgramOptions{.targets = std::move(fields), .taps = std::move(taps)});
  return result;
}

bool is_logits(const ir::TensorType& type) {
  return type.shape.size() >= 2 && type.shape[1] >= 2 &&
         std::all_of(type.shape.begin() + 2, type.shape.end(),
                     [](std::int64_t side) { return side == 1; });
}

std::span<const float> logits_of(const ir::Tensor& output, std::int64_t image) {
  const auto classes = static_cast<std::size_t>(output.shape().at(1));
  return output.data<float>().subspan(static_cast<std::size_t>(image) * classes, classes);
}

void require_same_inputs(const ir::Graph& reference, const ir::Graph& actual) {
  const auto list = [](const ir::Graph& graph) {
    std::string text;
    for (const ir::NodeId id : graph.inputs()) {
      text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", graph[id].name,
                          ir::to_string(graph[id].type));
    }
    return text;
  };
  const auto& left = reference.inputs();
  const auto& right = actual.inputs();
  const bool same = std::ranges::equal(
      left, right, [&](ir::NodeId l, ir::NodeId r) { return reference[l].type == actual[r].type; });
  if (!same) {
    throw InputError(fmt::format(
        "the networks take different inputs: {} and {}; compare a network with its own quantized "
        "form, each with its own .params file",
        list(reference), list(actual)));
  }
}

}  // namespace tvmq::analysis
