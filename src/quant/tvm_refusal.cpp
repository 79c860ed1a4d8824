#include "quant/tvm_refusal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace tvmq::quant::refusal {
namespace {

constexpr std::string_view kOtherScheme = "use Scheme integer, which has no such limit";

InputError refusal(const std::string& what, std::string_view tvm, std::string_view remedy) {
  return InputError(fmt::format("{}; TVM v0.19 stops here ({}). {}", what, tvm, remedy));
}

std::string typed(const ir::Graph& graph, ir::NodeId id) {
  return fmt::format("{} of type {}", ir::describe(graph, id), ir::to_string(graph[id].type));
}

std::string few(std::span<const std::string> items) {
  constexpr std::size_t kShown = 12;
  const std::size_t shown = std::min(items.size(), kShown);
  std::string text = fmt::format("{}", fmt::join(items.first(shown), "; "));
  if (items.size() > shown) text += fmt::format("; and {} more", items.size() - shown);
  return text;
}

}  // namespace

InputError computed_weight(const ir::Graph& graph, ir::NodeId layer) {
  return refusal(
      fmt::format("the weight of {} is computed from quantized values", ir::describe(graph, layer)),
      "a bare AssertionError",
      fmt::format("Skip the layers before it with SkipConvLayers, or {}.", kOtherScheme));
}

InputError weight_not_constant(const ir::Graph& graph, ir::NodeId weight) {
  return refusal(
      fmt::format("the weight {} should be quantized but is not a constant",
                  ir::describe(graph, weight)),
      "a bare AssertionError while it sets scales",
      "If the model keeps its weights in a .params file, name that file in WeightsParams and check "
      "that it belongs to the model; a weight that really is computed can only be left alone "
      "(SkipConvLayers, SkipDenseLayer).");
}

InputError empty_weight(const ir::Graph& graph, ir::NodeId weight) {
  return refusal(fmt::format("the weight {} has no elements", typed(graph, weight)),
                 "ValueError: zero-size array to reduction operation",
                 "Remove the layer from the model.");
}

InputError product_of_quantized(const ir::Graph& graph, ir::NodeId multiply) {
  return refusal(fmt::format("{} multiplies two quantized values, for which it has no rule",
                             ir::describe(graph, multiply)),
                 "a bare ValueError",
                 fmt::format("List the convolutions that feed one side in SkipConvLayers, or {}.",
                             kOtherScheme));
}

InputError concatenate_of_computed_tuple(const ir::Graph& graph, ir::NodeId concatenate) {
  return refusal(fmt::format("{} concatenates the fields of a computed tuple",
                             ir::describe(graph, concatenate)),
                 "it can only look into tuples that the graph writes out",
                 fmt::format("Take the fields one by one in the model, or {}.", kOtherScheme));
}

InputError scalar_quantized(const ir::Graph& graph, ir::NodeId scalar) {
  return refusal(
      fmt::format("{} has no dimensions and should be quantized", typed(graph, scalar)),
      "InternalError: Check failed: data->shape.size() != 0: Input shape cannot be empty",
      fmt::format("Give the value one dimension in the model, list the convolution before it in "
                  "SkipConvLayers, keep SkipDenseLayer True, or {}.",
                  kOtherScheme));
}

InputError not_float32(const ir::Graph& graph, ir::NodeId data) {
  return refusal(fmt::format("{} should be quantized and is not float32", typed(graph, data)),
                 "its type inference fails", "Convert the model to float32 first.");
}

InputError nothing_to_observe() {
  return refusal(
      "no value of the network is quantized, so there is nothing to calibrate",
      "ValueError: range() arg 3 must not be zero",
      "Skip less (SkipConvLayers, SkipDenseLayer False for networks of dense layers), or "
      "use CalibMode global_scale.");
}

InputError constant_observed(const ir::Graph& graph, ir::NodeId constant) {
  return refusal(
      fmt::format("{} is quantized like an activation and would be observed",
                  typed(graph, constant)),
      "InternalError: Check failed: !quantize_input.as<ConstantNode>()",
      fmt::format("Use CalibMode global_scale, put the constant on the right side of the operator "
                  "in the model, or {}.",
                  kOtherScheme));
}

InputError half_quantized(const ir::Graph& graph, ir::NodeId call) {
  return refusal(
      fmt::format("{} has integers on one side and floats on the other", ir::describe(graph, call)),
      "InternalError: Check failed in its realize pass",
      fmt::format("Change SkipConvLayers so that all its operands are quantized or none, or {}.",
                  kOtherScheme));
}

InputError ratio_too_close_to_one(const ir::Graph& graph, ir::NodeId call, float from, float to) {
  return refusal(fmt::format("{} is requantized from scale {} to {}, whose ratio has logarithm 0",
                             ir::describe(graph, call), from, to),
                 "InternalError: Check failed: shift_nbit != 0",
                 "Use CalibMode global_scale or another number of calibration images.");
}

InputError coarser_common_scale(const ir::Graph& graph, ir::NodeId call, ir::NodeId operand,
                                float scale, float common_scale) {
  return refusal(
      fmt::format(
          "{} brings its operands to the scale {}, which is coarser than the scale {} of {}",
          ir::describe(graph, call), common_scale, scale, ir::describe(graph, operand)),
      "InternalError: Check failed: shift_factor > 0",
      fmt::format("Use CalibMode global_scale, lower GlobalScale (a concatenation of three or more "
                  "tensors uses GlobalScale / 2^31 in every mode), skip the convolutions in front "
                  "of it with SkipConvLayers, or {}.",
                  kOtherScheme));
}

InputError folded_fixed_point(const ir::Graph& graph, ir::NodeId multiply, ir::NodeId constant) {
  return refusal(
      fmt::format("the constant {} is brought to another scale in {}, in a fixed point product",
                  ir::describe(graph, constant),
                  ir::to_string(graph[graph[multiply].inputs[0]].type)),
      "TVMError: Assert fail: intrp_fused_fixed_point_multiply.compute.dtype is expected to be "
      "int32",
      fmt::format("Set DtypeActivation to int32 and WeightsScale to power2, or {}.", kOtherScheme));
}

InputError clip_to_nan(const ir::Graph& graph, ir::NodeId clip) {
  return InputError(fmt::format(
      "the bounds of {} would not be numbers, since a weight before it is all zeros and "
      "its scale is 0; TVM v0.19 builds a clip to NaN. Remove the layer of that weight "
      "from the model, skip it with SkipConvLayers, or {}.",
      describe(graph, clip), kOtherScheme));
}

InputError ill_typed_result(const std::string& why) {
  return refusal(fmt::format("the quantized graph is ill-typed: {}", why),
                 "DiagnosticError from its type inference",
                 fmt::format("Skip the convolutions in front of this operator (SkipConvLayers), "
                             "change TvmOptLevel, or {}.",
                             kOtherScheme));
}

InputError several_inputs_in_prefix(const ir::Graph& graph, ir::NodeId call) {
  return refusal(fmt::format("PartitionConversions: an operand of {} depends on several inputs of "
                             "the network",
                             ir::describe(graph, call)),
                 "a bare AssertionError", "Set PartitionConversions to disabled.");
}

InputError tuple_in_suffix(const ir::Graph& graph, ir::NodeId tuple) {
  return refusal(fmt::format("PartitionConversions: {} lies between the last integers and the "
                             "output",
                             typed(graph, tuple)),
                 "AttributeError: TupleType has no attribute dtype",
                 "Set PartitionConversions to disabled, or give the network one output.");
}

InputError several_values_in_suffix(std::span<const std::string> values) {
  return refusal(fmt::format("PartitionConversions: the float end of the network needs several "
                             "values ({}), of which only one can be passed on",
                             few(values)),
                 "DiagnosticError from its type inference",
                 "Set PartitionConversions to disabled.");
}

InputError not_integral(std::span<const std::string> findings) {
  return refusal(
      fmt::format("PartitionConversions fully_integral: {} operators are not integer: {}",
                  findings.size(), few(findings)),
      "a bare AssertionError",
      "Set PartitionConversions to enabled, or quantize more: an empty SkipConvLayers list, "
      "SkipDenseLayer False, WeightsScale power2 (other scales need int64 operators).");
}

}  // namespace tvmq::quant::refusal
