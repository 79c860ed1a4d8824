#include "quant/tvm_realize.h"

#include <cmath>
#include <optional>
#include <unordered_map>

#include "quant/forward_rewriter.h"
#include "quant/tvm_refusal.h"
#include "quant/tvm_requantize.h"

namespace tvmq::quant {
namespace {

using ir::DType;
using ir::NodeId;
using ir::Op;

class Realize {
 public:
  Realize(const AnnotatedGraph& annotated, std::span<const ir::SimulatedQuantizeAttrs> scales,
          const TvmQuantizeOptions& options)
      : rewriter_(annotated.graph), build_(rewriter_.target()), options_(options) {
    for (std::size_t i = 0; i < scales.size(); ++i) scales_[annotated.quantizes[i]] = scales[i];
  }

  ir::Graph run() {
    return rewriter_.run(
        [this](NodeId call, std::span<const Value> args) { return rule(call, args); },
        [this](const Integers& integers) { return dequantize(integers); });
  }

 private:
  using Result = std::optional<Value>;

  Result rule(NodeId call, std::span<const Value> args) {
    const Op op = source()[call].op;
    if (op == Op::kConcatenate) return concatenate(call, args[0]);
    if (args.size() == 2) {
      const Integers* left = rewriter_.temporary(args[0]);
      const Integers* right = rewriter_.temporary(args[1]);
      if (left != nullptr && right != nullptr) return binary(call, *left, *right);
      const bool half = left != nullptr || right != nullptr;
      if (half && (op == Op::kAdd || op == Op::kConv1D)) {
        throw refusal::half_quantized(source(), call);
      }
      return std::nullopt;
    }
    if (args.size() != 1) return std::nullopt;
    const Integers* integers = rewriter_.temporary(args[0]);
    if (op == Op::kSimulatedQuantize) {
      return integers == nullptr ? quantize(call, rewriter_.node_of(args[0]))
                                 : requantize_to(call, Integers(*integers));
    }
    return integers == nullptr ? std::nullopt : unary(call, Integers(*integers));
  }

  Result unary(NodeId call, const Integers& x) {
    switch (source()[call].op) {
      case Op::kRelu:
      case Op::kReshape:
      case Op::kStridedSlice:
      case Op::kBatchFlatten:
      case Op::kTranspose:
      case Op::kStopFusion:
        return result(x, rewriter_.forward(call, {x.data}), x.dtype);
      case Op::kMaxPool2D:
      case Op::kMaxPool1D:
        return result(x, rewriter_.forward(call, {build_.cast(x.data, options_.dtype_input)}),
                      options_.dtype_input);
      case Op::kAvgPool2D:
      case Op::kGlobalAvgPool2D:
        return result(x, rewriter_.forward(call, {cast_unless(x, options_.dtype_activation)}),
                      options_.dtype_activation);
      case Op::kCastHint: {
        const DType hint = source()[call].attrs_as<ir::CastHintAttrs>().dtype;
        return result(x, build_.cast(x.data, hint), hint);
      }
      case Op::kClip: {
        const auto& bounds = source()[call].attrs_as<ir::ClipAttrs>();
        const double low = bounds.a_min / x.scale;
        const double high = bounds.a_max / x.scale;
        if (std::isnan(low) || std::isnan(high)) throw refusal::clip_to_nan(source(), call);
        return result(x, build_.clip(x.data, low, high), x.dtype);
      }
      default:
        return std::nullopt;
    }
  }

  Result binary(NodeId call, Integers left, Integers right) {
    switch (source()[call].op) {
      case Op::kConv2D:
        return product<ir::Conv2DAttrs>(call, left, right, Weight::kAlwaysCast);
      case Op::kConv1D:
        return product<ir::Conv1DAttrs>(call, left, right, Weight::kAlwaysCast);
      case Op::kDense:
        return product<ir::DenseAttrs>(call, left, right, Weight::kAlwaysCast);
      case Op::kBatchMatmul:
        return product<ir::BatchMatmulAttrs>(call, left, right, Weight::kCastIfOther);
      case Op::kMultiply: {
        const NodeId l = cast_unless(left, options_.dtype_activation);
        const NodeId r = cast_unless(right, options_.dtype_activation);
        return scaled(rewriter_.forward(call, {l, r}), left.scale * right.scale,
                      options_.dtype_activation);
      }
      case Op::kAdd:
        return add(call, left, right);
      default:
        return std::nullopt;
    }
  }

  enum class Weight : std::uint8_t { kAlwaysCast, kCastIfOther };

  /// A layer on integers: accumulates in dtype_activation at the product of the scales.
  template <class LayerAttrs>
  Result product(NodeId call, const Integers& left, const Integers& right, Weight weight) {
    const NodeId data = cast_unless(left, options_.dtype_input);
    const NodeId kernel = weight == Weight::kAlwaysCast
                              ? build_.cast(right.data, options_.dtype_weight)
                              : cast_unless(right, options_.dtype_weight);
    const ir::Node& layer = source()[call];
    LayerAttrs attrs = layer.attrs_as<LayerAttrs>();
    attrs.out_dtype = options_.dtype_activation;
    const NodeId accumulator =
        build_.graph().add_call(layer.op, {data, kernel}, std::move(attrs), layer.name);
    return scaled(accumulator, left.scale * right.scale, options_.dtype_activation);
  }

  Result add(NodeId call, const Integers& left, const Integers& right) {
    const Integers operands[] = {left, right};
    Unified unified = unify(call, source()[call].inputs, operands, options_.dtype_activation);
    for (std::size_t i = 0; i < 2; ++i) {
      // Fresh from float: TVM keeps the conversion out of the addition's kernel.
      if (operands[i].dtype == DType::kFloat32) {
        unified.data[i] = build_.stop_fusion(unified.data[i]);
      }
    }
    const NodeId sum = rewriter_.forward(call, unified.data);
    return scaled(sum, unified.scale, options_.dtype_activation);
  }

  Result concatenate(NodeId call, Value arg) {
    const auto fields = rewriter_.fields(arg);
    const NodeId tuple = source()[call].inputs[0];
    if (!fields || source()[tuple].kind != ir::NodeKind::kTuple) {
      throw refusal::concatenate_of_computed_tuple(source(), call);
    }
    if (fields->empty() || rewriter_.temporary(fields->front()) == nullptr) return std::nullopt;
    std::vector<Integers> operands;
    for (const Value field : *fields) {
      const Integers* integers = rewriter_.temporary(field);
      if (integers == nullptr) throw refusal::half_quantized(source(), call);
      operands.push_back(*integers);
    }
    const bool narrow = operands.size() == 2 && operands[1].dtype == options_.dtype_input;
    const DType dtype = narrow ? options_.dtype_input : options_.dtype_activation;
    Unified unified = unify(call, source()[tuple].inputs, operands, dtype);
    const NodeId joined = build_.graph().add_tuple(std::move(unified.data));
    return scaled(rewriter_.forward(call, {joined}), unified.scale, dtype);
  }

  struct Unified {
    std::vector<NodeId> data;
    float scale;
  };
  /// All operands as `dtype` at one scale: of two the finer one, else a fixed one.
  Unified unify(NodeId call, std::span<const NodeId> sources, std::span<const Integers> operands,
                DType dtype) {
    Unified unified{{}, common_scale(operands)};
    for (std::size_t i = 0; i < operands.size(); ++i) {
      NodeId data = cast_unless(operands[i], dtype);
      if (operands[i].dtype == dtype && is_input_quantize(sources[i])) {
        data = build_.stop_fusion(build_.cast(data, options_.dtype_input));
        data = build_.cast(data, dtype);
      }
      unified.data.push_back(data);
    }
    for (std::size_t i = 0; i < operands.size(); ++i) {
      unified.data[i] = refine(build_, unified.data[i], operands[i].scale, unified.scale, dtype,
                               options_, {source(), call, sources[i]});
    }
    return unified;
  }

  [[nodiscard]] float common_scale(std::span<const Integers> operands) const {
    if (operands.size() == 2) {
      const float left = operands[0].scale;
      const float right = operands[1].scale;
      return left > right ? right : left;
    }
    const auto scale = static_cast<float>(options_.global_scale);
    return static_cast<float>(scale / std::ldexp(1.0, options_.nbit_activation - 1));
  }

  Result quantize(NodeId call, NodeId data) {
    const NodeId operand = source()[call].inputs[0];
    const auto* type = std::get_if<ir::TensorType>(&source()[operand].type);
    if (type != nullptr && type->dtype != DType::kFloat32) {
      throw refusal::not_float32(source(), operand);
    }
    const QuantizeParameters to = parameters(call);
    const NodeId steps = build_.multiply(data, build_.float32(1.0F / to.scale));
    const NodeId whole = build_.clip(build_.round(steps), to.low, to.high);
    return scaled(whole, to.scale, DType::kFloat32);
  }

  Result requantize_to(NodeId call, const Integers& from) {
    const QuantizeParameters to = parameters(call);
    const NodeId data = requantize(build_, from, to, options_, {source(), call, call});
    return scaled(data, to.scale, from.dtype);
  }

  [[nodiscard]] QuantizeParameters parameters(NodeId quantize) const {
    const ir::SimulatedQuantizeAttrs& attrs = scales_.at(quantize);
    return {.scale = static_cast<float>(attrs.scale),
            .low = static_cast<float>(attrs.clip_min),
            .high = static_cast<float>(attrs.clip_max)};
  }

  [[nodiscard]] bool is_input_quantize(NodeId id) const {
    const ir::Node& node = source()[id];
    return node.is_call(Op::kSimulatedQuantize) &&
           node.attrs_as<ir::SimulatedQuantizeAttrs>().kind ==
               static_cast<std::int64_t>(AnnotateKind::kInput);
  }

  NodeId dequantize(const Integers& x) {
    return build_.multiply(build_.cast(x.data, DType::kFloat32), x.scale_node);
  }
  NodeId cast_unless(const Integers& x, DType dtype) {
    return x.dtype == dtype ? x.data : build_.cast(x.data, dtype);
  }
  /// At the scale of `x`, sharing its node.
  Value result(const Integers& x, NodeId data, DType dtype) {
    return rewriter_.make_temporary({data, x.scale_node, x.scale, dtype});
  }
  /// At a scale of its own.
  Value scaled(NodeId data, float scale, DType dtype) {
    return rewriter_.make_temporary({data, build_.float32(scale), scale, dtype});
  }
  [[nodiscard]] const ir::Graph& source() const { return rewriter_.source(); }

  ForwardRewriter<Integers> rewriter_;
  CallBuilder build_;
  const TvmQuantizeOptions& options_;
  std::unordered_map<NodeId, ir::SimulatedQuantizeAttrs> scales_;
};

}  // namespace

ir::Graph realize_operators(const AnnotatedGraph& annotated,
                            std::span<const ir::SimulatedQuantizeAttrs> scales,
                            const TvmQuantizeOptions& options) {
  return Realize(annotated, scales, options).run();
}

}  // namespace tvmq::quant
