#include "exec/reference_requantize.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "exec/reference_cast.h"
#include "exec/reference_dtype.h"
#include "exec/reference_rows.h"
#include "exec/reference_scalar.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Tensor;

/// What happens to the values of one channel.
struct Channel {
  double multiplier = 1;  ///< from scale / to scale
  bool multiplies = true;
  std::int32_t zero_point = 0;
};

std::int32_t to_int32(std::int64_t value) { return static_cast<std::int32_t>(value); }

/// Real is float or double: (x - zp) * m + zp_out, rounded.
template <class Real>
std::int32_t requantize_real(std::int64_t value, const Channel& channel,
                             std::int32_t out_zero_point, bool to_nearest) {
  Real real = static_cast<Real>(value);
  if (channel.zero_point != 0) real = real - static_cast<Real>(channel.zero_point);
  if (channel.multiplies) real = real * static_cast<Real>(channel.multiplier);
  if (out_zero_point != 0) real = real + static_cast<Real>(out_zero_point);
  return truncate_to_int32(to_nearest ? std::round(real) : std::floor(real + Real{0.5}));
}

/// A fixed point multiplication of the int32 difference.
std::int32_t requantize_integer(std::int64_t value, const Channel& channel,
                                std::int32_t out_zero_point, bool to_nearest) {
  std::int32_t scaled = subtract_values(to_int32(value), channel.zero_point);
  if (channel.multiplies) {
    const FixedPoint by = to_fixed_point(channel.multiplier);
    scaled = to_nearest ? fixed_point_multiply_to_nearest(scaled, by)
                        : fixed_point_multiply_value(scaled, by);
  }
  return add_values(scaled, out_zero_point);
}

std::vector<Channel> channels_of(const QuantParams& from, const QuantParams& to,
                                 std::int64_t count) {
  const auto size = static_cast<std::size_t>(count);
  std::vector<Channel> channels(size);
  for (std::size_t c = 0; c < size; ++c) {
    const float scale = from.scale.size() == 1 ? from.scale.front() : from.scale[c];
    channels[c] = {
        .multiplier = static_cast<double>(scale) / static_cast<double>(to.scale.front()),
        // TVM leaves the multiplication out for one equal scale only.
        .multiplies = from.scale.size() != 1 || scale != to.scale.front(),
        .zero_point = from.zero_point.size() == 1 ? from.zero_point.front() : from.zero_point[c]};
  }
  return channels;
}

using Requantize = std::int32_t (*)(std::int64_t, const Channel&, std::int32_t, bool);

Requantize requantize_of(const KernelCall& call, const std::string& compute_dtype) {
  if (compute_dtype == "None" || compute_dtype == "float32") return requantize_real<float>;
  if (compute_dtype == "float64") return requantize_real<double>;
  if (compute_dtype == "int64") return requantize_integer;
  call.refuse("compute_dtype '" + compute_dtype + "': float32, float64 or int64 expected");
}

bool rounds_to_nearest(const KernelCall& call, const std::string& rounding) {
  if (rounding != "None" && rounding != "UPWARD" && rounding != "TONEAREST") {
    call.refuse("rounding '" + rounding + "': UPWARD or TONEAREST expected");
  }
  return rounding == "TONEAREST";
}

}  // namespace

QuantParams quant_params(const KernelCall& call, const Tensor& scale, const Tensor& zero_point) {
  const Tensor scales = cast_tensor(call, scale, DType::kFloat32);
  const Tensor zero_points = cast_tensor(call, zero_point, DType::kInt32);
  QuantParams params;
  params.scale.assign(scales.data<float>().begin(), scales.data<float>().end());
  params.zero_point.assign(zero_points.data<std::int32_t>().begin(),
                           zero_points.data<std::int32_t>().end());
  if (params.scale.empty() || params.zero_point.empty()) {
    call.refuse("a scale and a zero point are needed, one has no elements");
  }
  return params;
}

AxisView parameter_view(const KernelCall& call, const Tensor& tensor, const QuantParams& params,
                        std::int64_t axis) {
  if (params.is_scalar() || tensor.rank() == 0) return {.inner = tensor.size()};
  const AxisView view =
      along_axis(tensor.shape(), tensor.rank() == 1 ? 0 : real_axis(axis, tensor.rank()));
  const auto size = static_cast<std::size_t>(view.size);
  if ((params.scale.size() != 1 && params.scale.size() != size) ||
      (params.zero_point.size() != 1 && params.zero_point.size() != size)) {
    call.refuse(
        fmt::format("{} scales and {} zero points for {} channels, expected one of each per "
                    "channel, or one for all",
                    params.scale.size(), params.zero_point.size(), size));
  }
  return view;
}

Tensor requantize_tensor(const KernelCall& call, const Tensor& tensor, const QuantParams& from,
                         const QuantParams& to, const RequantizeOptions& options) {
  check(to.is_scalar(), "the result has one scale and zero point");
  if (to.scale.front() == 0) call.refuse("its output scale is 0, a positive number is expected");
  const Requantize requantize = requantize_of(call, options.compute_dtype);
  const bool to_nearest = rounds_to_nearest(call, options.rounding);
  const AxisView view = parameter_view(call, tensor, from, options.axis);
  const std::vector<Channel> channels = channels_of(from, to, view.size);
  const Tensor wide = cast_tensor(call, tensor, DType::kInt64);
  Tensor result(DType::kInt32, tensor.shape());
  const std::int64_t* in = wide.data<std::int64_t>().data();
  std::int32_t* out = result.mutable_data<std::int32_t>().data();
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (const Channel& channel : channels) {
      for (std::int64_t i = 0; i < view.inner; ++i) {
        *out++ = requantize(*in++, channel, to.zero_point.front(), to_nearest);
      }
    }
  }
  return result;
}

Tensor requantize_or_upcast(const KernelCall& call, const Tensor& tensor, const QuantParams& from,
                            const QuantParams& to, std::int64_t axis) {
  const bool same = from.is_scalar() && to.is_scalar() && from.scale == to.scale &&
                    from.zero_point == to.zero_point;
  if (same) return cast_tensor(call, tensor, DType::kInt32);
  return requantize_tensor(call, tensor, from, to, {.axis = axis});
}

Tensor saturate(const KernelCall& call, const Tensor& tensor, DType dtype) {
  if (dtype == DType::kInt32) return tensor;
  Tensor result(dtype, tensor.shape());
  const bool known = visit_integer(dtype, [&]<class T>(std::type_identity<T>) {
    const auto low = clip_bound<std::int32_t>(static_cast<double>(std::numeric_limits<T>::min()));
    const auto high = clip_bound<std::int32_t>(static_cast<double>(std::numeric_limits<T>::max()));
    const auto in = tensor.data<std::int32_t>();
    T* out = result.mutable_data<T>().data();
    for (std::size_t i = 0; i < in.size(); ++i) {
      out[i] = static_cast<T>(clip_value(in[i], low, high));
    }
  });
  if (!known) refuse_dtype(call, dtype);
  return result;
}

}  // namespace tvmq::exec
