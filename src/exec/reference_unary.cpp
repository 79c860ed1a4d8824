// Operators of one operand, element by element.
#include <cmath>
#include <concepts>
#include <utility>

#include "exec/fast_exp.h"
#include "exec/reference_dtype.h"
#include "exec/reference_kernel.h"
#include "exec/reference_scalar.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Op;
using ir::Tensor;

template <class T, class Function>
Tensor map(const KernelCall& call, Function function) {
  Tensor result = call.new_result();
  const auto in = call.operand(0).data<T>();
  T* out = result.mutable_data<T>().data();
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = function(in[i]);
  return result;
}

/// The formula that TVM's LLVM backend expands tanh to.
template <class T>
T tanh_value(T x) {
  if (x >= 0) {
    const T e = std::exp(T{-2} * x);
    return (T{1} - e) / (T{1} + e);
  }
  const T e = std::exp(T{2} * x);
  return (e - T{1}) / (e + T{1});
}

template <class T>
Tensor real_function(const KernelCall& call) {
  switch (call.node.op) {
    case Op::kExp:
      return map<T>(call, [](T x) { return std::exp(x); });
    case Op::kFastExp:  // of another type than float32 it is TVM's exp
      if constexpr (std::same_as<T, float>) {
        return map<T>(call, [](T x) { return fast_exp(x); });
      } else {
        return map<T>(call, [](T x) { return std::exp(x); });
      }
    case Op::kLog:
      return map<T>(call, [](T x) { return std::log(x); });
    case Op::kLog2:
      return map<T>(call, [](T x) { return std::log2(x); });
    case Op::kSqrt:
      return map<T>(call, [](T x) { return std::sqrt(x); });
    case Op::kRsqrt:
      return map<T>(call, [](T x) { return T{1} / std::sqrt(x); });
    case Op::kSigmoid:
      return map<T>(call, [](T x) { return T{1} / (T{1} + std::exp(-x)); });
    case Op::kTanh:
      return map<T>(call, [](T x) { return tanh_value(x); });
    case Op::kErf:
      return map<T>(call, [](T x) { return std::erf(x); });
    case Op::kSin:
      return map<T>(call, [](T x) { return std::sin(x); });
    case Op::kCos:
      return map<T>(call, [](T x) { return std::cos(x); });
    case Op::kAtan:
      return map<T>(call, [](T x) { return std::atan(x); });
    default:
      throw InternalError("not a function of one number");
  }
}

/// Integers are whole already.
template <class T>
Tensor rounding(const KernelCall& call) {
  if constexpr (std::integral<T>) {
    return call.operand(0);
  } else {
    switch (call.node.op) {
      case Op::kCeil:
        return map<T>(call, [](T x) { return std::ceil(x); });
      case Op::kFloor:
        return map<T>(call, [](T x) { return std::floor(x); });
      case Op::kTrunc:
        return map<T>(call, [](T x) { return std::trunc(x); });
      default:
        return map<T>(call, [](T x) { return std::round(x); });
    }
  }
}

template <class T>
T sign_value(T x) {
  if (x > 0) return T{1};
  if constexpr (!std::unsigned_integral<T>) {
    if (x < 0) return T{-1};
  }
  return T{0};
}

template <class T>
T absolute(T x) {
  if constexpr (std::floating_point<T>) {
    return std::fabs(x);
  } else {
    return x >= 0 ? x : subtract_values(T{0}, x);
  }
}

template <class T>
T negated(T x) {
  if constexpr (std::floating_point<T>) {
    return -x;
  } else {
    return subtract_values(T{0}, x);
  }
}

template <class T>
Tensor number_function(const KernelCall& call) {
  switch (call.node.op) {
    case Op::kRelu:
      return map<T>(call, [](T x) { return max_values(x, T{0}); });
    case Op::kAbs:
      return map<T>(call, absolute<T>);
    case Op::kNegative:
      return map<T>(call, negated<T>);
    case Op::kSign:
      return map<T>(call, sign_value<T>);
    case Op::kCeil:
    case Op::kFloor:
    case Op::kRound:
    case Op::kTrunc:
      return rounding<T>(call);
    default:
      if constexpr (std::floating_point<T>) {
        return real_function<T>(call);
      } else {
        refuse_dtype(call, call.operand(0).dtype());
      }
  }
}

}  // namespace

Values unary(const KernelCall& call) {
  Tensor result;
  visit_number(call, call.operand(0).dtype(),
               [&]<class T>(std::type_identity<T>) { result = number_function<T>(call); });
  return {std::move(result)};
}

Values logical_not(const KernelCall& call) {
  if (call.operand(0).dtype() != DType::kBool) refuse_dtype(call, call.operand(0).dtype());
  return {map<bool>(call, [](bool x) { return !x; })};
}

Values clip(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::ClipAttrs>();
  Tensor result;
  visit_number(call, call.operand(0).dtype(), [&]<class T>(std::type_identity<T>) {
    const T low = clip_bound<T>(attrs.a_min);
    const T high = clip_bound<T>(attrs.a_max);
    result = map<T>(call, [=](T x) { return clip_value(x, low, high); });
  });
  return {std::move(result)};
}

Values leaky_relu(const KernelCall& call) {
  const double alpha = call.attrs<ir::LeakyReluAttrs>().alpha;
  Tensor result;
  visit_real(call, call.operand(0).dtype(), [&]<class T>(std::type_identity<T>) {
    const T slope = static_cast<T>(alpha);
    result = map<T>(call, [=](T x) { return x > 0 ? x : x * slope; });
  });
  return {std::move(result)};
}

Values fixed_point_multiply(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::FixedPointMultiplyAttrs>();
  const FixedPoint by{static_cast<std::int32_t>(attrs.multiplier),
                      static_cast<std::int32_t>(attrs.shift)};
  Tensor result;
  const DType dtype = call.operand(0).dtype();
  const bool known = visit_integer(dtype, [&]<class T>(std::type_identity<T>) {
    using Compute = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
    result = map<T>(call, [=](T x) {
      return static_cast<T>(fixed_point_multiply_value(static_cast<Compute>(x), by));
    });
  });
  if (!known) refuse_dtype(call, dtype);
  return {std::move(result)};
}

Values simulated_quantize(const KernelCall& call) {
  // relay_quantize.md 3.2: round(max(min(x / scale, high), low)) * scale in float32.
  const auto& attrs = call.attrs<ir::SimulatedQuantizeAttrs>();
  if (attrs.scale == 0) return {call.operand(0)};
  Tensor result;
  visit_real(call, call.operand(0).dtype(), [&]<class T>(std::type_identity<T>) {
    const T scale = static_cast<T>(attrs.scale);
    const T low = static_cast<T>(attrs.clip_min);
    const T high = static_cast<T>(attrs.clip_max);
    result =
        map<T>(call, [=](T x) { return std::round(clip_value(x / scale, low, high)) * scale; });
  });
  return {std::move(result)};
}

}  // namespace tvmq::exec
