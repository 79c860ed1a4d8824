// Operators with one parameter per channel, and those that scale elements by what surrounds them.
// Normalisations are computed as TVM's SimplifyInference writes them out (relay_quantize.md 2.2),
// which is what every compiled model runs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "exec/reference_cast.h"
#include "exec/reference_dtype.h"
#include "exec/reference_kernel.h"
#include "exec/reference_rows.h"
#include "exec/reference_scalar.h"
#include "exec/reference_window.h"

namespace tvmq::exec {
namespace {

using ir::Tensor;

/// result = function(element, channel) where `channel` counts along `axis`.
template <class T, class Function>
Tensor map_channels(const Tensor& tensor, std::int64_t axis, Function function) {
  const AxisView view = along_axis(tensor.shape(), real_axis(axis, tensor.rank()));
  Tensor result(tensor.dtype(), tensor.shape());
  const T* in = tensor.data<T>().data();
  T* out = result.mutable_data<T>().data();
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t c = 0; c < view.size; ++c) {
      for (std::int64_t i = 0; i < view.inner; ++i, ++in, ++out) {
        *out = function(*in, static_cast<std::size_t>(c));
      }
    }
  }
  return result;
}

/// The values of a parameter that has one element per channel, or one for all of them.
template <class T>
std::vector<T> per_channel(const Tensor& parameter, const Tensor& data, std::int64_t axis) {
  const auto channels = static_cast<std::size_t>(data.shape()[real_axis(axis, data.rank())]);
  const auto values = parameter.data<T>();
  check(values.size() == channels || values.size() == 1, "one value per channel");
  std::vector<T> result(channels, values.empty() ? T{0} : values.front());
  if (values.size() == channels) std::ranges::copy(values, result.begin());
  return result;
}

/// (x - mean) / sqrt(variance + epsilon) over the dimensions `axes`, each step rounded.
template <class T>
Tensor standardized(const Tensor& tensor, const std::vector<std::size_t>& axes, double epsilon) {
  Rows rows = as_rows_over(tensor, axes);
  Tensor result(tensor.dtype(), rows.tensor.shape());
  const T* in = rows.tensor.data<T>().data();
  T* out = result.mutable_data<T>().data();
  const auto count = static_cast<T>(rows.length);
  for (std::int64_t r = 0; r < rows.count; ++r, in += rows.length, out += rows.length) {
    T sum{0};
    for (std::int64_t i = 0; i < rows.length; ++i) sum += in[i];
    const T mean = divide_by_known(sum, count);
    T squares{0};
    for (std::int64_t i = 0; i < rows.length; ++i) squares += (in[i] - mean) * (in[i] - mean);
    const T deviation =
        std::sqrt(divide_by_known(squares, count) + static_cast<T>(static_cast<float>(epsilon)));
    for (std::int64_t i = 0; i < rows.length; ++i) out[i] = (in[i] - mean) / deviation;
  }
  return permute(result, inverse_order(rows.order));
}

/// x * gamma + beta per channel, each only if its attribute says so.
template <class T, class Attrs>
Tensor scaled_and_shifted(const KernelCall& call, const Attrs& attrs, Tensor tensor) {
  if (attrs.scale) {
    const std::vector<T> gamma = per_channel<T>(call.operand(1), tensor, attrs.axis);
    tensor = map_channels<T>(tensor, attrs.axis, [&](T x, std::size_t c) { return x * gamma[c]; });
  }
  if (attrs.center) {
    const std::vector<T> beta = per_channel<T>(call.operand(2), tensor, attrs.axis);
    tensor = map_channels<T>(tensor, attrs.axis, [&](T x, std::size_t c) { return x + beta[c]; });
  }
  return tensor;
}

std::vector<std::size_t> axes_from(std::size_t first, std::size_t rank, std::size_t except) {
  std::vector<std::size_t> axes;
  for (std::size_t axis = first; axis < rank; ++axis) {
    if (axis != except) axes.push_back(axis);
  }
  return axes;
}

template <class T>
void softmax_row(const T* in, T* out, std::int64_t size, std::int64_t step, bool logarithm) {
  T largest = std::numeric_limits<T>::lowest();
  for (std::int64_t i = 0; i < size; ++i) largest = max_values(largest, in[i * step]);
  T sum{0};
  for (std::int64_t i = 0; i < size; ++i) {
    out[i * step] = std::exp(in[i * step] - largest);
    sum += out[i * step];
  }
  const T log_sum = std::log(sum);
  for (std::int64_t i = 0; i < size; ++i) {
    out[i * step] = logarithm ? in[i * step] - largest - log_sum : out[i * step] / sum;
  }
}

}  // namespace

Values bias_add(const KernelCall& call) {
  const std::int64_t axis = call.attrs<ir::BiasAddAttrs>().axis;
  const Tensor& data = call.operand(0);
  Tensor result;
  visit_number(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    const std::vector<T> bias = per_channel<T>(call.operand(1), data, axis);
    result =
        map_channels<T>(data, axis, [&](T x, std::size_t c) { return add_values(x, bias[c]); });
  });
  return {std::move(result)};
}

Values prelu(const KernelCall& call) {
  const std::int64_t axis = call.attrs<ir::PReluAttrs>().axis;
  const Tensor& data = call.operand(0);
  Tensor result;
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    const std::vector<T> slope = per_channel<T>(call.operand(1), data, axis);
    result =
        map_channels<T>(data, axis, [&](T x, std::size_t c) { return x > 0 ? x : x * slope[c]; });
  });
  return {std::move(result)};
}

Values dropout(const KernelCall& call) {
  // At inference nothing is dropped; the second result is the mask.
  const Tensor& data = call.operand(0);
  Tensor mask(data.dtype(), data.shape());
  const StridedView one{.start = 0,
                        .sizes = data.shape(),
                        .steps = std::vector<std::int64_t>(data.shape().size(), 0)};
  copy_view(mask, whole(data.shape()), scalar_of(call, data.dtype(), 1), one);
  return {data, std::move(mask)};
}

Values softmax(const KernelCall& call) {
  const Tensor& data = call.operand(0);
  const AxisView view =
      along_axis(data.shape(), real_axis(call.attrs<ir::SoftmaxAttrs>().axis, data.rank()));
  Tensor result = call.new_result();
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t o = 0; o < view.outer; ++o) {
      for (std::int64_t i = 0; i < view.inner; ++i) {
        const std::int64_t at = o * view.size * view.inner + i;
        softmax_row(data.data<T>().data() + at, result.mutable_data<T>().data() + at, view.size,
                    view.inner, call.node.op == ir::Op::kLogSoftmax);
      }
    }
  });
  return {std::move(result)};
}

Values batch_norm(const KernelCall& call) {
  // scale = 1 / sqrt(var + epsilon) * gamma; shift = -mean * scale + beta; x * scale + shift.
  const auto& attrs = call.attrs<ir::BatchNormAttrs>();
  const Tensor& data = call.operand(0);
  Tensor result;
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    std::array<std::vector<T>, 4> parameters;
    for (std::size_t i = 0; i < 4; ++i) {
      parameters[i] = per_channel<T>(call.operand(i + 1), data, attrs.axis);
    }
    const auto& [gamma, beta, mean, var] = parameters;
    const T epsilon = static_cast<T>(static_cast<float>(attrs.epsilon));
    std::vector<T> scale(var.size());
    std::vector<T> shift(var.size());
    for (std::size_t c = 0; c < var.size(); ++c) {
      scale[c] = T{1} / std::sqrt(var[c] + epsilon);
      if (attrs.scale) scale[c] = scale[c] * gamma[c];
      shift[c] = -mean[c] * scale[c];
      if (attrs.center) shift[c] = shift[c] + beta[c];
    }
    result = map_channels<T>(data, attrs.axis,
                             [&](T x, std::size_t c) { return x * scale[c] + shift[c]; });
  });
  return {std::move(result), call.operand(3), call.operand(4)};
}

Values instance_norm(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::InstanceNormAttrs>();
  const Tensor& data = call.operand(0);
  const auto axes = axes_from(1, data.shape().size(), real_axis(attrs.axis, data.rank()));
  Tensor result;
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    result = scaled_and_shifted<T>(call, attrs, standardized<T>(data, axes, attrs.epsilon));
  });
  return {std::move(result)};
}

Values layer_norm(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::LayerNormAttrs>();
  const Tensor& data = call.operand(0);
  Tensor result;
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    const Tensor standard =
        standardized<T>(data, {real_axis(attrs.axis, data.rank())}, attrs.epsilon);
    result = scaled_and_shifted<T>(call, attrs, standard);
  });
  return {std::move(result)};
}

Values group_norm(const KernelCall& call) {
  // Together: the channels of a group and every dimension behind the channel's.
  const auto& attrs = call.attrs<ir::GroupNormAttrs>();
  const Tensor& data = call.operand(0);
  const std::size_t axis = real_axis(attrs.axis, data.rank());
  check(attrs.num_groups > 0 && data.shape()[axis] % attrs.num_groups == 0,
        "the groups divide the channels");
  ir::Shape split = data.shape();
  split[axis] /= attrs.num_groups;
  split.insert(split.begin() + static_cast<std::ptrdiff_t>(axis), attrs.num_groups);
  const auto axes = axes_from(axis + 1, split.size(), split.size());
  Tensor result;
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    const Tensor standard = standardized<T>(data.reshaped(split), axes, attrs.epsilon);
    result = scaled_and_shifted<T>(call, attrs, standard.reshaped(data.shape()));
  });
  return {std::move(result)};
}

Values l2_normalize(const KernelCall& call) {
  // x / sqrt(max(sum(x * x), eps)).
  const auto& attrs = call.attrs<ir::L2NormalizeAttrs>();
  const Tensor& data = call.operand(0);
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : attrs.axis.value_or(ir::IntList{})) {
    axes.push_back(real_axis(axis, data.rank()));
  }
  std::ranges::sort(axes);
  if (axes.empty()) axes = axes_from(0, data.shape().size(), data.shape().size());
  const Rows rows = as_rows_over(data, axes);
  Tensor result(data.dtype(), rows.tensor.shape());
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* in = rows.tensor.data<T>().data();
    T* out = result.mutable_data<T>().data();
    const T eps = static_cast<T>(static_cast<float>(attrs.eps));
    for (std::int64_t r = 0; r < rows.count; ++r, in += rows.length, out += rows.length) {
      T sum{0};
      for (std::int64_t i = 0; i < rows.length; ++i) sum += in[i] * in[i];
      const T norm = std::sqrt(max_values(sum, eps));
      for (std::int64_t i = 0; i < rows.length; ++i) out[i] = in[i] / norm;
    }
  });
  return {permute(result, inverse_order(rows.order))};
}

Values lrn(const KernelCall& call) {
  // x / (bias + alpha * (sum of squares of the `size` channels around) / size) ^ beta.
  const auto& attrs = call.attrs<ir::LRNAttrs>();
  const Tensor& data = call.operand(0);
  const AxisView view = along_axis(data.shape(), real_axis(attrs.axis, data.rank()));
  Tensor result = call.new_result();
  visit_real(call, data.dtype(), [&]<class T>(std::type_identity<T>) {
    const T alpha = static_cast<T>(static_cast<float>(attrs.alpha));
    const T beta = static_cast<T>(static_cast<float>(attrs.beta));
    const T bias = static_cast<T>(static_cast<float>(attrs.bias));
    const T size = static_cast<T>(attrs.size);
    const T* in = data.data<T>().data();
    T* out = result.mutable_data<T>().data();
    for (std::int64_t at = 0; at < data.size(); ++at) {
      const std::int64_t channel = at / view.inner % view.size;
      const std::int64_t first = std::max<std::int64_t>(channel - attrs.size / 2, 0);
      const std::int64_t last = std::min(channel + attrs.size / 2, view.size - 1);
      T sum{0};
      for (std::int64_t c = first; c <= last; ++c) {
        const T x = in[at + (c - channel) * view.inner];
        sum += x * x;
      }
      out[at] = in[at] / std::pow(bias + divide_by_known(alpha * sum, size), beta);
    }
  });
  return {std::move(result)};
}

}  // namespace tvmq::exec
