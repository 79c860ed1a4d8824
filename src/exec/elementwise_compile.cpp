#include "exec/elementwise_compile.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "exec/elementwise.h"
#include "exec/elementwise_peephole.h"
#include "exec/elementwise_slots.h"
#include "exec/elementwise_tables.h"
#include "exec/reference_scalar.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Node;
using ir::Op;

constexpr std::int64_t kIntMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();

std::int64_t clip_bound_of(DType dtype, double bound) {
  switch (dtype) {
    case DType::kInt8:
      return clip_bound<std::int8_t>(bound);
    case DType::kUInt8:
      return clip_bound<std::uint8_t>(bound);
    case DType::kInt16:
      return clip_bound<std::int16_t>(bound);
    case DType::kUInt16:
      return clip_bound<std::uint16_t>(bound);
    case DType::kInt32:
      return clip_bound<std::int32_t>(bound);
    default:
      return clip_bound<std::int64_t>(bound);
  }
}

struct Register {
  std::uint16_t slot = 0;
  RegisterClass kind = RegisterClass::kFloat;
};

class Compiler {
 public:
  Compiler(const ir::Graph& graph, const LiveValues& live, const ElementwiseStep& step)
      : graph_(graph), live_(live), step_(step) {}

  ElementwiseCode run() {
    for (const std::uint32_t call : step_.calls) {
      registers_[live_.calls[call].outputs[0]] = compile(live_.calls[call]);
    }
    store();
    join();
    drop_unread_operands(code_, kFirstResult);
    assign_slots(code_, kFirstResult, results_, output_);
    return std::move(code_);
  }

 private:
  // Until assign_slots(), results are numbered from kFirstResult and never reused.
  static constexpr std::uint16_t kFirstResult = 1U << 14;

  Register emit(RegisterClass kind, Instruction instruction) {
    instruction.out = static_cast<std::uint16_t>(kFirstResult + results_++);
    code_.instructions.push_back(std::move(instruction));
    return {code_.instructions.back().out, kind};
  }

  static RegisterClass class_of(DType dtype) {
    if (dtype == DType::kFloat32) return RegisterClass::kFloat;
    return dtype == DType::kInt64 ? RegisterClass::kLong : RegisterClass::kInt;
  }

  Register add_operand(ElementwiseCode::Operand operand) {
    const Register result{static_cast<std::uint16_t>(code_.operands.size()),
                          class_of(operand.dtype)};
    operand.load = load_code(operand.dtype);
    code_.operands.push_back(std::move(operand));
    return result;
  }
  Register get(ValueId value) {
    const auto found = registers_.find(value);
    if (found != registers_.end()) return found->second;
    const Register result = add_operand({.value = value, .dtype = live_.type(value).dtype});
    registers_[value] = result;
    return result;
  }
  /// A value per channel of the result.
  Register get_channels(std::span<const float> values, std::int64_t axis) {
    return add_operand(
        {.constant = ir::Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values),
         .axis = axis,
         .dtype = DType::kFloat32});
  }
  Register widened(Register from) {
    if (from.kind == RegisterClass::kLong) return from;
    return emit(RegisterClass::kLong, {.code = Code::kIntToLong, .a = from.slot});
  }

  Register compile(const Call& call) {
    const Node& node = graph_[call.node];
    const DType dtype = live_.type(call.outputs[0]).dtype;
    if (node.op == Op::kBatchNorm) return batch_norm(call, node);
    if (node.op == Op::kBiasAdd || node.op == Op::kPrelu) return along_axis(call, node);
    if (node.op == Op::kTake) return table(call);
    if (node.op == Op::kDivide && is_known_scalar(call.inputs[1])) {
      return multiply_by_reciprocal(call);
    }
    if (const auto codes = binary_codes(node.op)) {
      return binary(*codes, dtype, get(call.inputs[0]), get(call.inputs[1]));
    }
    const Register from = get(call.inputs[0]);
    switch (node.op) {
      case Op::kCast:
        return cast(from, live_.type(call.inputs[0]).dtype, dtype);
      case Op::kRelu:
        return relu(from);
      case Op::kClip:
        return clip(from, dtype, node.attrs_as<ir::ClipAttrs>());
      case Op::kFixedPointMultiply:
        return fixed_point(from, dtype, node.attrs_as<ir::FixedPointMultiplyAttrs>());
      case Op::kLeakyRelu:
        return emit(RegisterClass::kFloat,
                    {.code = Code::kLeakyRelu,
                     .a = from.slot,
                     .f0 = static_cast<float>(node.attrs_as<ir::LeakyReluAttrs>().alpha)});
      default:
        return emit(RegisterClass::kFloat, {.code = *float_code(node.op), .a = from.slot});
    }
  }

  Register binary(const BinaryCodes& codes, DType dtype, Register a, Register b) {
    if (dtype == DType::kFloat32) {
      return emit(RegisterClass::kFloat, {.code = *codes.of_float, .a = a.slot, .b = b.slot});
    }
    if (dtype == DType::kInt64) {
      a = widened(a);
      b = widened(b);
      return emit(RegisterClass::kLong, {.code = *codes.of_long, .a = a.slot, .b = b.slot});
    }
    const Register result =
        emit(RegisterClass::kInt, {.code = *codes.of_int,
                                   .a = a.slot,
                                   .b = b.slot,
                                   .i0 = static_cast<std::int64_t>(8 * ir::dtype_size(dtype))});
    return codes.wraps ? wrapped(result, dtype) : result;
  }
  bool is_known_scalar(ValueId value) const {
    return live_[value].is_constant() && live_[value].constant.rank() == 0;
  }
  /// What TVM makes of it (reference_scalar.h: divide_by_known).
  Register multiply_by_reciprocal(const Call& call) {
    const float divisor = live_[call.inputs[1]].constant.data<float>()[0];
    const Register factor = add_operand(
        {.constant = ir::Tensor::scalar(divide_by_known(1.0F, divisor)), .dtype = DType::kFloat32});
    return binary(*binary_codes(Op::kMultiply), DType::kFloat32, get(call.inputs[0]), factor);
  }
  Register wrapped(Register from, DType dtype) {
    const auto code = wrap_code(dtype);
    return code ? emit(RegisterClass::kInt, {.code = *code, .a = from.slot}) : from;
  }

  Register cast(Register from, DType source, DType target) {
    if (target == DType::kFloat32) {
      if (from.kind == RegisterClass::kFloat) return from;
      const Code code = from.kind == RegisterClass::kLong ? Code::kLongToFloat : Code::kIntToFloat;
      return emit(RegisterClass::kFloat, {.code = code, .a = from.slot});
    }
    if (target == DType::kBool) {
      const Code code = from.kind == RegisterClass::kFloat  ? Code::kFloatToBool
                        : from.kind == RegisterClass::kLong ? Code::kLongToBool
                                                            : Code::kIntToBool;
      return emit(RegisterClass::kInt, {.code = code, .a = from.slot});
    }
    if (target == DType::kInt64) {
      if (from.kind != RegisterClass::kFloat) return from;  // an int that fits stays an int
      return emit(RegisterClass::kLong, {.code = Code::kFloatToLong, .a = from.slot});
    }
    if (from.kind == RegisterClass::kFloat) {
      from = emit(RegisterClass::kInt, {.code = Code::kFloatToInt, .a = from.slot});
      if (!wrap_code(target)) return from;
      return emit(RegisterClass::kInt,  // floats saturate (reference_scalar.h: cast_value)
                  {.code = Code::kClipInt,
                   .a = from.slot,
                   .i0 = clip_bound_of(target, -INFINITY),
                   .i1 = clip_bound_of(target, INFINITY)});
    }
    if (from.kind == RegisterClass::kLong) {
      from = emit(RegisterClass::kInt, {.code = Code::kLongToInt, .a = from.slot});
      return wrapped(from, target);
    }
    const bool fits = source == target || source == DType::kBool ||
                      (ir::dtype_size(target) > ir::dtype_size(source) && source != DType::kInt64 &&
                       (target != DType::kUInt16 || source == DType::kUInt8));
    return fits ? from : wrapped(from, target);
  }

  Register relu(Register from) {
    if (from.kind == RegisterClass::kFloat) {
      return emit(RegisterClass::kFloat, {.code = Code::kRelu, .a = from.slot});
    }
    const bool wide = from.kind == RegisterClass::kLong;
    return emit(from.kind, {.code = wide ? Code::kClipLong : Code::kClipInt,
                            .a = from.slot,
                            .i0 = 0,
                            .i1 = wide ? std::numeric_limits<std::int64_t>::max() : kIntMax});
  }

  Register clip(Register from, DType dtype, const ir::ClipAttrs& attrs) {
    if (dtype == DType::kFloat32) {
      return emit(RegisterClass::kFloat, {.code = Code::kClipFloat,
                                          .a = from.slot,
                                          .f0 = static_cast<float>(attrs.a_min),
                                          .f1 = static_cast<float>(attrs.a_max)});
    }
    const std::int64_t low = clip_bound_of(dtype, attrs.a_min);
    const std::int64_t high = clip_bound_of(dtype, attrs.a_max);
    if (from.kind == RegisterClass::kInt) {
      // Bounds outside of int32 do not bind an int32; one beyond the other side decides all.
      const bool decided = low > kIntMax || high < kIntMin;
      if (!decided) {
        return emit(RegisterClass::kInt, {.code = Code::kClipInt,
                                          .a = from.slot,
                                          .i0 = std::max(low, kIntMin),
                                          .i1 = std::min(high, kIntMax)});
      }
      from = widened(from);
    }
    return emit(RegisterClass::kLong,
                {.code = Code::kClipLong, .a = from.slot, .i0 = low, .i1 = high});
  }

  Register fixed_point(Register from, DType dtype, const ir::FixedPointMultiplyAttrs& attrs) {
    const bool is_long = from.kind == RegisterClass::kLong;
    if (attrs.multiplier == std::int64_t{1} << 30) {
      const std::int64_t right = 1 - attrs.shift;
      Code code = is_long ? Code::kRoundShiftLong : Code::kRoundShiftInt;
      if (!is_long && dtype == DType::kInt64) code = Code::kRoundShiftWide;
      return emit(from.kind, {.code = code, .a = from.slot, .i0 = right});
    }
    const std::int64_t left = std::max<std::int64_t>(attrs.shift, 0);
    return emit(from.kind, {.code = is_long ? Code::kFixedPointLong : Code::kFixedPointInt,
                            .a = from.slot,
                            .i0 = left,
                            .i1 = attrs.multiplier,
                            .i2 = 31 + left - attrs.shift});
  }

  Register batch_norm(const Call& call, const Node& node) {
    const auto& attrs = node.attrs_as<ir::BatchNormAttrs>();
    const Affine affine = *batch_norm_affine(attrs, live_, call);
    const auto rank = static_cast<std::int64_t>(live_.type(call.outputs[0]).shape.size());
    const std::int64_t axis = attrs.axis < 0 ? attrs.axis + rank : attrs.axis;
    const Register x = get(call.inputs[0]);
    const Register scale = get_channels(affine.scale, axis);
    const Register shift = get_channels(affine.shift, axis);
    const Register product =
        emit(RegisterClass::kFloat, {.code = Code::kMultiplyFloat, .a = x.slot, .b = scale.slot});
    return emit(RegisterClass::kFloat,
                {.code = Code::kAddFloat, .a = product.slot, .b = shift.slot});
  }

  /// bias_add and prelu: a vector along an axis of the result.
  Register along_axis(const Call& call, const Node& node) {
    const ir::TensorType& type = live_.type(call.outputs[0]);
    const auto rank = static_cast<std::int64_t>(type.shape.size());
    std::int64_t axis = node.op == Op::kBiasAdd ? node.attrs_as<ir::BiasAddAttrs>().axis
                                                : node.attrs_as<ir::PReluAttrs>().axis;
    if (axis < 0) axis += rank;
    const Register x = get(call.inputs[0]);
    const Register other =
        add_operand({.value = call.inputs[1], .axis = axis, .dtype = type.dtype});
    return binary(*binary_codes(node.op), type.dtype, x, other);
  }

  Register table(const Call& call) {
    const ir::Tensor& values = live_[call.inputs[0]].constant;
    const DType dtype = values.dtype();
    auto bytes =
        std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(values.size()) * 4);
    for (std::int64_t i = 0; i < values.size(); ++i) {
      std::int32_t wide = 0;
      // NOLINTNEXTLINE(bugprone-signed-char-misuse): a number, not a character
      if (dtype == DType::kInt8) wide = values.data<std::int8_t>()[i];
      if (dtype == DType::kUInt8) wide = values.data<std::uint8_t>()[i];
      if (ir::dtype_size(dtype) == 4) std::memcpy(&wide, values.bytes() + i * 4, 4);
      std::memcpy(bytes->data() + i * 4, &wide, 4);
    }
    const bool is_float = dtype == DType::kFloat32;
    return emit(is_float ? RegisterClass::kFloat : RegisterClass::kInt,
                {.code = is_float ? Code::kTableFloat : Code::kTableInt,
                 .a = get(call.inputs[1]).slot,
                 .i0 = 0,
                 .i1 = values.size() - 1,
                 .table = std::move(bytes)});
  }

  void store() {
    const DType dtype = live_.type(step_.output).dtype;
    Register from = registers_.at(step_.output);
    if (dtype == DType::kInt64) from = widened(from);
    const std::size_t size = ir::dtype_size(dtype);
    const bool computed_last =
        !code_.instructions.empty() && code_.instructions.back().out == from.slot;
    if (size >= 4 && computed_last) {
      output_ = from.slot;
      return;
    }
    const Code code = size == 1   ? Code::kStoreInt8
                      : size == 2 ? Code::kStoreInt16
                      : size == 4 ? Code::kMove32
                                  : Code::kMove64;
    output_ = emit(from.kind, {.code = code, .a = from.slot}).slot;
  }

  void join() {
    const auto zero = [&](ir::Tensor value) {
      const DType dtype = value.dtype();
      return add_operand({.constant = std::move(value), .dtype = dtype}).slot;
    };
    code_.instructions =
        join_instructions(std::move(code_.instructions), kFirstResult,
                          {.zero_int = [&] { return zero(ir::Tensor::scalar<std::int32_t>(0)); },
                           .zero_float = [&] { return zero(ir::Tensor::scalar(0.0F)); },
                           .number = [&](std::uint16_t slot) { return number_of(slot); },
                           .as_bytes = [&](std::uint16_t slot) { return as_bytes(slot); }});
  }

  std::optional<float> number_of(std::uint16_t slot) const {
    if (slot >= code_.operands.size()) return std::nullopt;
    const ElementwiseCode::Operand& operand = code_.operands[slot];
    if (operand.value == kNoValue || operand.dtype != DType::kFloat32) return std::nullopt;
    const ir::Tensor& constant = live_[operand.value].constant;
    if (constant.size() != 1) return std::nullopt;
    return constant.data<float>()[0];
  }

  std::int64_t as_bytes(std::uint16_t slot) {
    if (slot >= code_.operands.size()) return 0;
    ElementwiseCode::Operand& operand = code_.operands[slot];
    if (operand.load != Code::kLoadUInt8 && operand.load != Code::kLoadInt8) return 0;
    operand.load.reset();
    return operand.dtype == DType::kUInt8 ? 1 : 2;
  }

  const ir::Graph& graph_;
  const LiveValues& live_;
  const ElementwiseStep& step_;
  ElementwiseCode code_;
  std::map<ValueId, Register> registers_;
  std::size_t results_ = 0;
  std::uint16_t output_ = 0;
};

}  // namespace

ElementwiseCode compile_elementwise(const ir::Graph& graph, const LiveValues& live,
                                    const ElementwiseStep& step) {
  return Compiler(graph, live, step).run();
}

}  // namespace tvmq::exec
