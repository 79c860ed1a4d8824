// Emits the integer graph that integer_plan.cpp decided on.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "ir/infer_types.h"
#include "ir/rewrite.h"
#include "quant/integer_accumulate.h"
#include "quant/integer_emit.h"
#include "quant/integer_roles.h"
#include "quant/integer_scheme.h"
#include "quant/layers.h"

namespace tvmq::quant {
namespace {

using ir::DType;
using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Op;
using ir::Tensor;

constexpr NodeId kNone = ~NodeId{0};
/// Biases beyond this are added in float32, so that accumulator + bias cannot overflow int32.
constexpr double kLargestIntegerBias = 1 << 30;

class Realizer {
 public:
  Realizer(const IntegerPlan& plan, const IntegerParameters& parameters,
           const IntegerOptions& options)
      : plan_(plan),
        parameters_(parameters),
        offsets_(parameters.offsets),
        options_(options),
        emitter_(target_),
        stored_(stored_parameters(plan, parameters.ranges, options.activation_bits)),
        wide_stored_(wide_stored_parameters(plan, parameters)),
        floats_(plan.graph.size()),
        quantized_(plan.graph.size(), kNone),
        bytes_(plan.graph.size()),
        skipped_(plan.graph.size(), false),
        uses_(ir::use_counts(plan.graph)),
        users_(ir::users(plan.graph)) {
    check(parameters.weights.empty() || parameters.weights.size() == plan.graph.size(),
          "weights are per node");
    check(offsets_.empty() || offsets_.size() == plan.graph.size(), "offsets are per node");
  }

  IntegerGraph run() {
    for (NodeId id = 0; id < source().size(); ++id) {
      if (skipped_[id]) continue;
      emit(id);
      if (plan_.stored[id] && quantized_[id] == kNone) store(id);
    }
    target_.set_output(float_value(source().output()));
    ir::infer_types(target_);
    return {std::move(target_), std::move(layers_), std::move(float_layers_)};
  }

 private:
  [[nodiscard]] const Graph& source() const { return plan_.graph; }
  [[nodiscard]] bool is_stored(NodeId id) const { return plan_.stored[id]; }

  /// With one form of readers only that form is written to memory; else the float32 is, and the
  /// integers are computed from it.
  void store(NodeId id) {
    const auto read_by = [&](auto&& reads) { return std::ranges::any_of(users_[id], reads); };
    const bool wide = read_by([&](NodeId user) { return plan_.wide[user]; });
    const bool narrow =
        read_by([&](NodeId user) { return !plan_.wide[user] && !reads_floats(user); });
    const bool as_float =
        id == source().output() || read_by([&](NodeId user) { return reads_floats(user); });
    if (as_float || (wide && narrow)) float_value(id);
    if (wide) bytes_[id] = emitter_.quantize_wide(*floats_[id], wide_stored_[id]);
    if (narrow) quantized_[id] = emitter_.quantize(*floats_[id], stored_[id]);
    if (!as_float) floats_[id].reset();
  }

  /// Of a stored operand.
  [[nodiscard]] bool reads_floats(NodeId user) const {
    const Role role = plan_.roles[user];
    if (is_layer(role) || role == Role::kAverage) return false;
    return role == Role::kElementwise || role == Role::kFloat || !is_stored(user);
  }

  /// The value of a node of the float graph, as float32, in the new graph.
  ScaledValue scaled_value(NodeId id) {
    if (!floats_[id]) {
      check(quantized_[id] != kNone, "operands come before their users");
      floats_[id] = emitter_.dequantize(quantized_[id], stored_[id]);
    }
    return *floats_[id];
  }
  NodeId float_value(NodeId id) {
    const ScaledValue value = scaled_value(id);
    if (!value.scale && !value.rectified && !value.highest) return value.node;
    const NodeId node = emitter_.materialize(value);
    floats_[id] = ScaledValue{.node = node};
    return node;
  }

  void emit(NodeId id) {
    const Node& node = source()[id];
    const bool on_integers = !node.inputs.empty() && is_stored(node.inputs[0]);
    switch (plan_.roles[id]) {
      case Role::kConvolution:
      case Role::kDense:
        emit_layer(id, accumulator(id));
        return;
      case Role::kAverage: {
        if (!on_integers) break;
        const NodeId input = node.inputs[0];
        floats_[id] = average(emitter_, node, source()[input].tensor_type().shape,
                              quantized_[input], stored_[input]);
        return;
      }
      case Role::kView:
      case Role::kMove:
      case Role::kConcatenate:
        if (!is_stored(id) || !on_integers) break;
        emit_on_integers(id);
        return;
      case Role::kElementwise:
      case Role::kFloat:
        break;
    }
    copy_as_float(id);
  }

  void copy_as_float(NodeId id) {
    const Node& node = source()[id];
    // Scales are positive and commute with a ReLU or ReLU6: both may wait for the quantization.
    if (node.is_call(Op::kRelu)) {
      floats_[id] = scaled_value(node.inputs[0]);
      floats_[id]->rectified = true;
      return;
    }
    if (is_relu6(node) && !scaled_value(node.inputs[0]).highest) {
      floats_[id] = scaled_value(node.inputs[0]);
      floats_[id]->rectified = true;
      floats_[id]->highest = static_cast<float>(node.attrs_as<ir::ClipAttrs>().a_max);
      return;
    }
    if (plan_.roles[id] == Role::kElementwise && node.is_call(Op::kSigmoid)) {
      floats_[id] = ScaledValue{.node = emitter_.sigmoid(float_value(node.inputs[0]))};
      return;
    }
    if (plan_.roles[id] == Role::kElementwise && node.is_call(Op::kExp)) {
      floats_[id] = ScaledValue{.node = emitter_.fast_exp(float_value(node.inputs[0]))};
      return;
    }
    if (const auto factor = positive_factor(id)) {
      const ScaledValue operand = scaled_value(node.inputs[0]);
      floats_[id] = operand;
      auto& multiplied = operand.highest ? floats_[id]->factor : floats_[id]->scale;
      multiplied = multiplied ? product(*multiplied, *factor) : *factor;
      return;
    }
    std::vector<NodeId> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId input : node.inputs) {
      inputs.push_back(float_value(input));
      if (is_broadcast(id, input)) inputs.back() = emitter_.stop_fusion(inputs.back());
    }
    floats_[id] = ScaledValue{.node = target_.add_copy(node, std::move(inputs))};
    if (is_layer(node)) float_layers_.push_back({.layer = id, .node = floats_[id]->node});
  }

  /// A clip from 0 to anything above: PyTorch's ReLU6 is one to 6.
  static bool is_relu6(const Node& node) {
    if (!node.is_call(Op::kClip) || !is_float_tensor(node)) return false;
    const auto& attrs = node.attrs_as<ir::ClipAttrs>();
    return attrs.a_min == 0 && attrs.a_max > 0;
  }

  /// The right operand of a multiplication by positive constants, one or one per channel.
  [[nodiscard]] std::optional<Tensor> positive_factor(NodeId id) const {
    const Node& node = source()[id];
    if (!node.is_call(Op::kMultiply)) return std::nullopt;
    const Node& factor = source()[node.inputs[1]];
    const auto* type = std::get_if<ir::TensorType>(&node.type);  // none behind opaque operators
    if (type == nullptr || !factor.is_constant() || factor.value.dtype() != DType::kFloat32 ||
        source()[node.inputs[0]].type != node.type) {
      return std::nullopt;
    }
    const auto& shape = type->shape;
    const auto values = factor.value.data<float>();
    const bool positive =
        std::all_of(values.begin(), values.end(), [](float value) { return value > 0; });
    if (!positive || shape.size() < 2 || !broadcasts_per_channel(factor.value, shape)) {
      return std::nullopt;
    }
    if (values.size() == 1) return Tensor::scalar(values[0]);
    return per_channel(std::vector<float>(values.begin(), values.end()),
                       static_cast<std::int64_t>(shape.size()));
  }

  /// Whether an elementwise step repeats a computed operand along an axis, as squeeze-excite does
  /// with its gates. Fused into the step, the kernel of the gate would be computed once per pixel.
  [[nodiscard]] bool is_broadcast(NodeId id, NodeId operand) const {
    if (plan_.roles[id] != Role::kElementwise || source()[operand].is_constant()) return false;
    const auto* from = std::get_if<ir::TensorType>(&source()[operand].type);
    return from != nullptr &&
           ir::element_count(from->shape) != ir::element_count(source()[id].tensor_type().shape);
  }

  void emit_on_integers(NodeId id) {
    const Node& node = source()[id];
    std::vector<NodeId> inputs;
    for (const NodeId input : node.inputs) {
      inputs.push_back(is_stored(input) ? quantized_[input] : kNone);
      // Fused into a concatenation, an epilogue becomes a branch per element that no vector
      // instruction takes: 424 us instead of 110 us for 200,000 elements (docs/tvm_kernels.md).
      if (node.kind == NodeKind::kTuple) inputs.back() = emitter_.stop_fusion(inputs.back());
    }
    if (node.is_call(Op::kPad)) {
      inputs[1] = emitter_.constant(zero_point_of(node.inputs[0]));
    }
    quantized_[id] = target_.add_copy(node, std::move(inputs));
  }

  Tensor zero_point_of(NodeId id) {
    return Tensor::scalar(static_cast<std::uint8_t>(stored_[id].zero_point));
  }

  Accumulator accumulator(NodeId id) {
    const NodeId input = source()[id].inputs[0];
    LayerOperands operands{.data = quantized_[input],
                           .from = stored_[input],
                           .weight = layer_weight(plan_, parameters_, options_, id)};
    if (plan_.wide[id]) {
      operands.data = bytes_[input].high;
      operands.low = bytes_[input].low;
      operands.from = wide_stored_[input];
    }
    return accumulate(emitter_, source()[id], operands);
  }

  /// Sums with `addends`, one per channel, as float32.
  NodeId as_float(NodeId sums, const std::vector<std::int32_t>& addends, std::int64_t rank) {
    const bool any = std::ranges::any_of(addends, [](std::int32_t addend) { return addend != 0; });
    if (any) sums = emitter_.add(sums, emitter_.constant(per_channel(addends, rank)));
    return emitter_.cast(sums, DType::kFloat32);
  }

  /// Adds the bias on int32 and hands on float32.
  void emit_layer(NodeId id, Accumulator accumulator) {
    const std::int64_t rank = source()[id].tensor_type().shape.size();
    std::vector<double> bias(accumulator.scales.size(), 0);
    if (!offsets_.empty() && !offsets_[id].empty()) {
      std::copy(offsets_[id].begin(), offsets_[id].end(), bias.begin());
    }
    NodeId last = id;
    while (const std::optional<NodeId> next = following_bias(last, bias)) {
      last = *next;
      skipped_[last] = true;
    }
    // The sums of low bytes have the finer steps.
    std::vector<std::int32_t>& sums = accumulator.correction;
    std::vector<std::int32_t> low_sums(sums.size(), 0);
    std::vector<std::int32_t>& with_bias = accumulator.low ? low_sums : sums;
    const double steps = accumulator.low ? kWideStep : 1;
    std::vector<float> remainder(sums.size(), 0);
    bool any_remainder = false;
    for (std::size_t channel = 0; channel < sums.size(); ++channel) {
      const double level = std::round(bias[channel] / accumulator.scales[channel] * steps);
      if (std::fabs(level + with_bias[channel]) < kLargestIntegerBias) {
        with_bias[channel] += static_cast<std::int32_t>(level);
      } else {
        remainder[channel] = static_cast<float>(bias[channel]);
        any_remainder = true;
      }
    }
    NodeId node = as_float(accumulator.node, sums, rank);
    if (accumulator.low) {
      node = emitter_.add(node, emitter_.in_wide_steps(as_float(*accumulator.low, low_sums, rank)));
    }
    ScaledValue value{.node = node, .scale = per_channel(accumulator.scales, rank)};
    IntegerLayer layer{.layer = id,
                       .float_value = last,
                       .accumulator = value.node,
                       .scales = std::move(accumulator.scales)};
    if (any_remainder) {
      const NodeId real = emitter_.materialize(value);
      value = {.node = emitter_.add(real, emitter_.constant(per_channel(remainder, rank)))};
      layer.accumulator = value.node;
      layer.scales.assign(layer.scales.size(), 1);
    }
    layers_.push_back(std::move(layer));
    floats_[last] = std::move(value);
    if (last != id && plan_.stored[last]) store(last);
  }

  /// The only user of `id` if it adds a constant per channel, which goes into `bias`.
  std::optional<NodeId> following_bias(NodeId id, std::vector<double>& bias) {
    if (uses_[id] != 1 || is_stored(id) || users_[id].empty()) return std::nullopt;
    const NodeId user = users_[id].front();
    const Node& node = source()[user];
    if (!node.is_call(Op::kAdd) && !node.is_call(Op::kBiasAdd)) return std::nullopt;
    const NodeId other = node.inputs[0] == id ? node.inputs[1] : node.inputs[0];
    const Node& addend = source()[other];
    if (!addend.is_constant() || addend.value.dtype() != DType::kFloat32) return std::nullopt;
    const auto& result_shape = source()[id].tensor_type().shape;
    if (source()[user].tensor_type().shape != result_shape) return std::nullopt;
    if (node.is_call(Op::kBiasAdd)) {
      const auto axis = node.attrs_as<ir::BiasAddAttrs>().axis;
      if (axis != 1 && axis != 1 - static_cast<std::int64_t>(result_shape.size())) {
        return std::nullopt;
      }
    } else if (!broadcasts_per_channel(addend.value, result_shape)) {
      return std::nullopt;
    }
    const auto values = addend.value.data<float>();
    for (std::size_t channel = 0; channel < bias.size(); ++channel) {
      bias[channel] += values[values.size() == 1 ? 0 : channel];
    }
    return user;
  }

  const IntegerPlan& plan_;
  const IntegerParameters& parameters_;
  const BiasOffsets& offsets_;
  const IntegerOptions& options_;
  Graph target_;
  IntegerEmitter emitter_;
  std::vector<AffineParameters> stored_;
  std::vector<AffineParameters> wide_stored_;
  std::vector<std::optional<ScaledValue>> floats_;
  std::vector<NodeId> quantized_;
  std::vector<IntegerEmitter::Bytes> bytes_;  ///< of the inputs of wide layers
  std::vector<bool> skipped_;                 ///< emitted as part of an earlier node
  std::vector<std::uint32_t> uses_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<IntegerLayer> layers_;
  std::vector<FloatLayer> float_layers_;
};

}  // namespace

IntegerGraph emit_integer(const IntegerPlan& plan, const IntegerParameters& parameters,
                          const IntegerOptions& options) {
  return Realizer(plan, parameters, options).run();
}

Graph realize_integer(const IntegerPlan& plan, const IntegerParameters& parameters,
                      const IntegerOptions& options, QuantizationSummary* summary) {
  Graph result = ir::compact(emit_integer(plan, parameters, options).graph);
  ir::infer_types(result);
  if (summary != nullptr) {
    summary->layers = plan.layers;
    for (const Node& node : result.nodes()) {
      if (node.kind != NodeKind::kCall) continue;
      const auto* type = std::get_if<ir::TensorType>(&node.type);
      const bool integer = type != nullptr && ir::is_integer(type->dtype);
      ++(integer ? summary->integer_operators : summary->float_operators);
    }
  }
  return result;
}

}  // namespace tvmq::quant
