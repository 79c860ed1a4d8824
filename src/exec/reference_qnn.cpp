// The QNN dialect, as TVM's canonical lowering computes it (relay_quantize.md 5.2).
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "exec/reference_broadcast.h"
#include "exec/reference_cast.h"
#include "exec/reference_conv.h"
#include "exec/reference_dtype.h"
#include "exec/reference_pool.h"
#include "exec/reference_requantize.h"
#include "exec/reference_rows.h"
#include "exec/reference_scalar.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Tensor;

QuantParams params_at(const KernelCall& call, std::size_t scale) {
  return quant_params(call, call.operand(scale), call.operand(scale + 1));
}

/// result = function(element, scale, zero point) with the parameters along `axis`.
template <class To, class From, class Function>
Tensor map_quantized(const KernelCall& call, const Tensor& tensor, DType dtype,
                     const QuantParams& params, std::int64_t axis, Function function) {
  const AxisView view = parameter_view(call, tensor, params, axis);
  Tensor result(dtype, tensor.shape());
  const From* in = tensor.data<From>().data();
  To* out = result.mutable_data<To>().data();
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(view.size); ++c) {
      const float scale = params.scale.size() == 1 ? params.scale.front() : params.scale[c];
      const std::int32_t zero_point =
          params.zero_point.size() == 1 ? params.zero_point.front() : params.zero_point[c];
      for (std::int64_t i = 0; i < view.inner; ++i) *out++ = function(*in++, scale, zero_point);
    }
  }
  return result;
}

/// int32(tensor) - zero point, one or one per index of `axis`.
Tensor centered(const KernelCall& call, const Tensor& tensor, const Tensor& zero_point,
                std::int64_t axis) {
  const QuantParams params = quant_params(call, Tensor::scalar(1.0F), zero_point);
  return map_quantized<std::int32_t, std::int32_t>(
      call, cast_tensor(call, tensor, DType::kInt32), DType::kInt32, params, axis,
      [](std::int32_t x, float, std::int32_t zero) { return subtract_values(x, zero); });
}

/// function(a, b) of two int32 tensors with broadcasting.
template <class Function>
Tensor combine(const Tensor& a, const Tensor& b, const ir::Shape& shape, Function function) {
  Tensor result(DType::kInt32, shape);
  const std::array<ir::Shape, 2> shapes{a.shape(), b.shape()};
  const std::int32_t* x = a.data<std::int32_t>().data();
  const std::int32_t* y = b.data<std::int32_t>().data();
  std::int32_t* out = result.mutable_data<std::int32_t>().data();
  for_each_row(shape, shapes, [&](const BroadcastRow& row) {
    for (std::int64_t i = 0; i < row.count; ++i) {
      out[row.result + i] =
          function(x[row.offset[0] + i * row.step[0]], y[row.offset[1] + i * row.step[1]]);
    }
  });
  return result;
}

}  // namespace

Values qnn_quantize(const KernelCall& call) {
  // cast(clip(round(x / scale) + zero point)), all in float32.
  const bool known = call.is_known_scalar(1);
  const QuantParams params = params_at(call, 1);
  const Tensor data = cast_tensor(call, call.operand(0), DType::kFloat32);
  const auto& type = call.result();
  Tensor result;
  const bool is_integer = visit_integer(type.dtype, [&]<class T>(std::type_identity<T>) {
    const auto low = static_cast<float>(std::numeric_limits<T>::min());
    const auto high = static_cast<float>(std::numeric_limits<T>::max());
    const auto quantize = [=](float x, float scale, std::int32_t zero_point) {
      const float steps = known ? divide_by_known(x, scale) : x / scale;
      const float shifted = std::round(steps) + static_cast<float>(zero_point);
      return cast_value<T>(clip_value(shifted, low, high));
    };
    result = map_quantized<T, float>(call, data, type.dtype, params,
                                     call.attrs<ir::QuantizeAttrs>().axis, quantize);
  });
  if (!is_integer) refuse_dtype(call, type.dtype);
  return {std::move(result)};
}

Values qnn_dequantize(const KernelCall& call) {
  // float32(int32(x) - zero point) * scale.
  const Tensor data = cast_tensor(call, call.operand(0), DType::kInt32);
  const Tensor real = map_quantized<float, std::int32_t>(
      call, data, DType::kFloat32, params_at(call, 1), call.attrs<ir::DequantizeAttrs>().axis,
      [](std::int32_t x, float scale, std::int32_t zero_point) {
        return static_cast<float>(subtract_values(x, zero_point)) * scale;
      });
  return {cast_tensor(call, real, call.result().dtype)};
}

Values qnn_requantize(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::RequantizeAttrs>();
  const Tensor wide = requantize_tensor(
      call, call.operand(0), params_at(call, 1), params_at(call, 3),
      {.axis = attrs.axis, .rounding = attrs.rounding, .compute_dtype = attrs.compute_dtype});
  return {saturate(call, wide, call.result().dtype)};
}

Values qnn_conv2d(const KernelCall& call) {
  // Padding counts as the zero point, hence as 0 once that is subtracted.
  const ConvParameters parameters = conv_parameters(call.attrs<ir::Conv2DAttrs>());
  const std::size_t out_channels = parameters.kernel_layout.find('O');
  const Tensor data = centered(call, call.operand(0), call.operand(2), 1);
  const Tensor weight =
      centered(call, call.operand(1), call.operand(3),
               out_channels == std::string::npos ? 0 : static_cast<std::int64_t>(out_channels));
  return {convolve_tensors(call, parameters, data, weight, call.result())};
}

Values qnn_dense(const KernelCall& call) {
  const Tensor data = centered(call, call.operand(0), call.operand(2), 1);
  const Tensor weight = permute(centered(call, call.operand(1), call.operand(3), 0), {1, 0});
  const std::int64_t inner = weight.shape()[0];
  const auto rows = ir::element_count(std::span(data.shape()).first(data.shape().size() - 1));
  return {multiply_tensors(call, data.reshaped({1, rows.value_or(0), inner}),
                           weight.reshaped({1, inner, weight.shape()[1]}), call.result())};
}

Values qnn_add(const KernelCall& call) {
  // Each side is rounded to the output's parameters on its own; the zero point then counts once.
  const auto& attrs = call.attrs<ir::BroadcastAttrs>();
  const QuantParams to = params_at(call, 6);
  const Tensor lhs =
      requantize_or_upcast(call, call.operand(0), params_at(call, 2), to, attrs.lhs_axis);
  const Tensor rhs =
      requantize_or_upcast(call, call.operand(1), params_at(call, 4), to, attrs.rhs_axis);
  const std::int32_t zero_point = to.zero_point.front();
  const auto& [dtype, shape] = call.result();
  const Tensor sum = call.node.op == ir::Op::kQnnAdd
                         ? combine(lhs, rhs, shape,
                                   [=](std::int32_t a, std::int32_t b) {
                                     return subtract_values(add_values(a, b), zero_point);
                                   })
                         : combine(lhs, rhs, shape, [=](std::int32_t a, std::int32_t b) {
                             return add_values(subtract_values(a, b), zero_point);
                           });
  return {saturate(call, sum, dtype)};
}

Values qnn_mul(const KernelCall& call) {
  // The product of the centered values has the product of the scales.
  const auto& attrs = call.attrs<ir::BroadcastAttrs>();
  const QuantParams lhs = params_at(call, 2);
  const QuantParams rhs = params_at(call, 4);
  const auto& [dtype, shape] = call.result();
  const Tensor product =
      combine(centered(call, call.operand(0), call.operand(3), attrs.lhs_axis),
              centered(call, call.operand(1), call.operand(5), attrs.rhs_axis), shape,
              [](std::int32_t a, std::int32_t b) { return multiply_values(a, b); });
  QuantParams from{.scale = {}, .zero_point = {0}};
  const std::size_t channels = std::max(lhs.scale.size(), rhs.scale.size());
  for (std::size_t c = 0; c < channels; ++c) {
    from.scale.push_back(lhs.scale[lhs.scale.size() == 1 ? 0 : c] *
                         rhs.scale[rhs.scale.size() == 1 ? 0 : c]);
  }
  const Tensor wide =
      requantize_tensor(call, product, from, params_at(call, 6), {.axis = attrs.lhs_axis});
  return {saturate(call, wide, dtype)};
}

Values qnn_concatenate(const KernelCall& call) {
  const Values& parts = call.operands[0];
  const QuantParams to = quant_params(call, call.operand(3), call.operand(4));
  check(call.operands[1].size() == parts.size() && call.operands[2].size() == parts.size(),
        "a scale and a zero point for every part");
  Values requantized;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const QuantParams from = quant_params(call, call.operands[1][i], call.operands[2][i]);
    const bool same = from.scale == to.scale && from.zero_point == to.zero_point;
    requantized.push_back(
        same ? parts[i]
             : saturate(call, requantize_tensor(call, parts[i], from, to, {}), parts[i].dtype()));
  }
  const std::array<Values, 1> operands{std::move(requantized)};
  return concatenate({.graph = call.graph,
                      .id = call.id,
                      .node = call.node,
                      .operands = operands,
                      .type = call.type});
}

Values qnn_avg_pool2d(const KernelCall& call) {
  const auto& [dtype, shape] = call.result();
  const Tensor data =
      requantize_or_upcast(call, call.operand(0), params_at(call, 1), params_at(call, 3), -1);
  const Tensor average = pool_tensor(call, pool_parameters(call.attrs<ir::AvgPool2DAttrs>()), data,
                                     {DType::kInt32, shape});
  return {saturate(call, average, dtype)};
}

Values qnn_leaky_relu(const KernelCall& call) {
  // Below the zero point: alpha * q + (1 - alpha) * zero point, both in fixed point.
  const double alpha = call.attrs<ir::LeakyReluAttrs>().alpha;
  const QuantParams from = params_at(call, 1);
  const QuantParams to = params_at(call, 3);
  const Tensor data = cast_tensor(call, call.operand(0), DType::kInt32);
  const FixedPoint slope = to_fixed_point(alpha);
  const std::int32_t offset =
      fixed_point_multiply_value(to.zero_point.front(), to_fixed_point(1 - alpha));
  const std::int32_t zero_point = from.zero_point.front();
  const Tensor requantized = requantize_or_upcast(call, data, from, to, -1);
  const Tensor leaky =
      combine(data, requantized, data.shape(), [=](std::int32_t x, std::int32_t q) {
        return x < zero_point ? add_values(fixed_point_multiply_value(q, slope), offset) : q;
      });
  return {saturate(call, leaky, call.result().dtype)};
}

Values fixed_point_multiply_per_axis(const KernelCall& call) {
  // (x << left) * multiplier, rounded half up, >> (right + 31); parameters along `axes`.
  const auto& attrs = call.attrs<ir::FixedPointMultiplyPerAxisAttrs>();
  const Tensor data = cast_tensor(call, call.operand(0), DType::kInt64);
  std::array<Tensor, 3> parameters;
  for (std::size_t i = 0; i < 3; ++i) {
    parameters[i] = cast_tensor(call, call.operand(i + 1), DType::kInt64);
  }
  const ir::IntList axes = attrs.axes.value_or(ir::IntList{});
  const std::vector<std::int64_t> steps = row_major_steps(data.shape());
  const std::vector<std::int64_t> parameter_steps = row_major_steps(parameters[0].shape());
  check(axes.size() == parameter_steps.size(), "one axis per dimension of the parameters");
  Tensor result(DType::kInt64, data.shape());
  for (std::int64_t at = 0; at < data.size(); ++at) {
    std::int64_t parameter = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::size_t axis = real_axis(axes[i], data.rank());
      parameter += at / steps[axis] % data.shape()[axis] * parameter_steps[i];
    }
    const auto value_of = [&](const Tensor& tensor) {
      check(parameter < tensor.size(), "a parameter for every index");
      return tensor.data<std::int64_t>()[static_cast<std::size_t>(parameter)];
    };
    std::int64_t value = data.data<std::int64_t>()[static_cast<std::size_t>(at)];
    if (attrs.is_lshift_required) value = left_shift_value(value, value_of(parameters[1]));
    value = multiply_values(value, value_of(parameters[0]));
    const std::int64_t right = add_values<std::int64_t>(value_of(parameters[2]), 31);
    const std::int64_t half =
        left_shift_value<std::int64_t>(1, subtract_values<std::int64_t>(right, 1));
    value = right_shift_value(add_values(value, half), right);
    result.mutable_data<std::int64_t>()[static_cast<std::size_t>(at)] =
        static_cast<std::int32_t>(value);
  }
  return {cast_tensor(call, result, call.result().dtype)};
}

}  // namespace tvmq::exec
