#include "quant/tvm_requantize.h"

#include <cmath>

#include "quant/fixed_point.h"
#include "quant/tvm_refusal.h"

namespace tvmq::quant {
namespace {

using ir::DType;
using ir::NodeId;
using ir::Op;

const ir::Shape& static_shape(const RequantizeSite& site) {
  const auto* type = std::get_if<ir::TensorType>(&site.graph[site.operand].type);
  if (type == nullptr || !ir::element_count(type->shape)) {
    throw InputError(ir::describe(site.graph, site.operand) +
                     ": rounding to nearest needs a shape that is known beforehand, found " +
                     ir::to_string(site.graph[site.operand].type) + "; use upward rounding");
  }
  return type->shape;
}

NodeId filled(CallBuilder& build, std::int64_t value, const ir::Shape& shape) {
  return build.graph().add_call(Op::kFull, {build.integer(DType::kInt64, value)},
                                ir::InitOpAttrs{.shape = shape, .dtype = DType::kInt64});
}

/// x * factor in int64, halves away from zero, cast to int32.
NodeId multiply_to_nearest(CallBuilder& build, NodeId data, double factor, const ir::Shape& shape) {
  const FixedPoint number = to_fixed_point(factor);
  NodeId x = build.cast(data, DType::kInt64);
  if (number.shift > 0) {
    x = build.left_shift(x, build.integer(DType::kInt64, number.shift));
  }
  x = build.multiply(x, build.integer(DType::kInt64, number.multiplier));
  const int shift = 31 + (number.shift > 0 ? 0 : -number.shift);
  // Beyond 63 bits TVM shifts out of range; x86 takes the count modulo 64.
  const auto half = static_cast<std::int64_t>(std::uint64_t{1} << ((shift - 1) & 63));
  const NodeId up = filled(build, half, shape);
  const NodeId down = filled(build, half - 1, shape);
  const NodeId zero = build.graph().add_call(
      Op::kZeros, {}, ir::InitOpAttrs{.shape = shape, .dtype = DType::kInt64});
  const NodeId is_up = build.graph().add_call(Op::kGreaterEqual, {x, zero});
  x = build.add(x, build.graph().add_call(Op::kWhere, {is_up, up, down}));
  x = build.right_shift(x, build.integer(DType::kInt64, shift));
  return build.cast(x, DType::kInt32);
}

NodeId multiply(CallBuilder& build, NodeId data, float factor, const TvmQuantizeOptions& options,
                const RequantizeSite& site) {
  if (options.rounding == Rounding::kToNearest) {
    return multiply_to_nearest(build, data, factor, static_shape(site));
  }
  const FixedPoint number = to_fixed_point(factor);
  return build.fixed_point_multiply(data, number.multiplier, number.shift);
}

NodeId shift(CallBuilder& build, NodeId data, float bits, const TvmQuantizeOptions& options) {
  const DType dtype = options.dtype_activation;
  if (bits < 0) return build.left_shift(data, build.integer(dtype, x86_truncate(-bits)));
  if (options.round_for_shift) {
    const auto half = static_cast<float>(std::exp2(static_cast<double>(bits) - 1));
    data = build.add(data, build.integer(dtype, x86_truncate(half)));
  }
  return build.right_shift(data, build.integer(dtype, x86_truncate(bits)));
}

}  // namespace

NodeId requantize(CallBuilder& build, const Integers& from, const QuantizeParameters& to,
                  const TvmQuantizeOptions& options, const RequantizeSite& site) {
  if (from.scale == to.scale) return build.clip(from.data, to.low, to.high);
  const float bits = std::log2(to.scale / from.scale);
  if (bits == 0) {
    throw refusal::ratio_too_close_to_one(site.graph, site.call, from.scale, to.scale);
  }
  if (is_integral_float(bits)) {
    return build.clip(shift(build, from.data, bits, options), to.low, to.high);
  }
  const NodeId wide = build.cast(from.data, DType::kInt64);
  const NodeId scaled = multiply(build, wide, from.scale / to.scale, options, site);
  return build.cast(build.clip(scaled, to.low, to.high), from.dtype);
}

NodeId refine(CallBuilder& build, NodeId data, float from, float to, DType dtype,
              const TvmQuantizeOptions& options, const RequantizeSite& site) {
  if (from == to) return data;
  const float factor = from / to;
  const float bits = std::log2(factor);
  if (!(bits > 0)) {
    throw refusal::coarser_common_scale(site.graph, site.call, site.operand, from, to);
  }
  if (is_integral_float(bits)) {
    return build.left_shift(data, build.integer(dtype, x86_truncate(bits)));
  }
  if (is_integral_float(factor)) {
    return build.multiply(data, build.integer(dtype, x86_truncate(factor)));
  }
  return build.cast(multiply(build, data, factor, options, site), dtype);
}

}  // namespace tvmq::quant
