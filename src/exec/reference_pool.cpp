#include "exec/reference_pool.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "exec/reference_dtype.h"
#include "exec/reference_images.h"
#include "exec/reference_scalar.h"
#include "exec/reference_strided.h"

namespace tvmq::exec {
namespace {

using ir::Op;
using ir::Shape;
using ir::Tensor;

/// The elements of one window along one dimension: begin, begin + step, ... below end.
struct Span {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t step = 1;
};

/// Sum or maximum over a window, depth, height, width ascending.
template <class T, bool kMax>
T fold_window(const T* image, const Dims& dims, const std::array<Span, 3>& spans) {
  T folded = kMax ? std::numeric_limits<T>::lowest() : T{0};
  for (std::int64_t d = spans[0].begin; d < spans[0].end; d += spans[0].step) {
    for (std::int64_t h = spans[1].begin; h < spans[1].end; h += spans[1].step) {
      const T* row = image + (d * dims[1] + h) * dims[2];
      for (std::int64_t w = spans[2].begin; w < spans[2].end; w += spans[2].step) {
        folded = kMax ? max_values(folded, row[w]) : add_values(folded, row[w]);
      }
    }
  }
  return folded;
}

/// The part of window `index` of dimension `i` that lies inside of the operand.
Span window_span(const PoolParameters& parameters, std::size_t i, std::int64_t index,
                 std::int64_t size) {
  const std::int64_t dilation = parameters.window.dilation[i];
  const std::int64_t start = index * parameters.window.stride[i] - parameters.window.pad_before[i];
  const std::int64_t skipped = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  return {.begin = start + skipped * dilation,
          .end = std::min(size, start + (parameters.kernel[i] - 1) * dilation + 1),
          .step = dilation};
}

/// How many elements TVM divides by along one dimension, in its own (truncating) arithmetic.
std::int64_t window_count(const PoolParameters& parameters, std::size_t i, std::int64_t index,
                          std::int64_t size) {
  const std::int64_t dilation = parameters.window.dilation[i];
  const std::int64_t start = index * parameters.window.stride[i] - parameters.window.pad_before[i];
  const std::int64_t end = start + (parameters.kernel[i] - 1) * dilation;
  if (parameters.count_include_pad) {
    return (std::min(end, size + parameters.window.pad_after[i] - 1) - start) / dilation + 1;
  }
  const std::int64_t skipped = std::max<std::int64_t>((dilation - 1 - start) / dilation, 0);
  return (std::min(end, size - 1) - (start + dilation * skipped)) / dilation + 1;
}

/// Calls visit(image, output index, {d, h, w}) for every output element in order.
template <class Visit>
void for_each_output(std::int64_t images, const Dims& dims, Visit visit) {
  std::int64_t at = 0;
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t d = 0; d < dims[0]; ++d) {
      for (std::int64_t h = 0; h < dims[1]; ++h) {
        for (std::int64_t w = 0; w < dims[2]; ++w) visit(n, at++, Dims{d, h, w});
      }
    }
  }
}

/// An average; refuses to divide an integer by 0. `known`: TVM's code has the count as a number.
template <class T>
T average(const KernelCall& call, T sum, std::int64_t count, bool known) {
  if constexpr (std::floating_point<T>) {
    const T divisor = static_cast<T>(count);
    return known ? divide_by_known(sum, divisor) : sum / divisor;
  } else {
    if (count == 0) call.refuse("a window without elements has no average");
    if constexpr (std::same_as<T, std::uint64_t>) return sum / static_cast<T>(count);
    return static_cast<T>(static_cast<std::int64_t>(sum) / count);
  }
}

template <class T>
void pool_images(const KernelCall& call, const PoolParameters& parameters, const Images& from,
                 const Images& to, const T* in, T* out) {
  for_each_output(to.count, to.dims, [&](std::int64_t n, std::int64_t at, const Dims& index) {
    std::array<Span, 3> spans;
    std::int64_t count = 1;
    for (std::size_t i = 0; i < 3; ++i) {
      spans[i] = window_span(parameters, i, index[i], from.dims[i]);
      count *= window_count(parameters, i, index[i], from.dims[i]);
    }
    if (parameters.is_max) {
      out[at] = fold_window<T, true>(in + n * from.image_size(), from.dims, spans);
    } else {
      if (!parameters.count_include_pad) count = std::max<std::int64_t>(count, 1);
      const T sum = fold_window<T, false>(in + n * from.image_size(), from.dims, spans);
      out[at] = average(call, sum, count, parameters.count_is_known);
    }
  });
}

template <class T>
void pool_adaptive(const KernelCall& call, bool is_max, const Images& from, const Images& to,
                   const T* in, T* out) {
  if (std::ranges::find(to.dims, 0) != to.dims.end()) return;  // a result without elements
  // Windows of one size: TVM's code has the count as a number.
  bool even = true;
  for (std::size_t i = 0; i < 3; ++i) even = even && from.dims[i] % to.dims[i] == 0;
  for_each_output(to.count, to.dims, [&](std::int64_t n, std::int64_t at, const Dims& index) {
    std::array<Span, 3> spans;
    T count{1};
    for (std::size_t i = 0; i < 3; ++i) {
      // Window o covers floor(o * in / out) up to ceil((o + 1) * in / out).
      const std::int64_t scaled = (index[i] + 1) * from.dims[i];
      spans[i] = {.begin = index[i] * from.dims[i] / to.dims[i],
                  .end = scaled / to.dims[i] + (scaled % to.dims[i] == 0 ? 0 : 1)};
      // TVM multiplies the sizes in the element type.
      count = multiply_values(count, static_cast<T>(spans[i].end - spans[i].begin));
    }
    if (is_max) {
      out[at] = fold_window<T, true>(in + n * from.image_size(), from.dims, spans);
      return;
    }
    const T sum = fold_window<T, false>(in + n * from.image_size(), from.dims, spans);
    if constexpr (std::integral<T>) {
      if (count == 0) call.refuse("the window is too large for averages of this element type");
    }
    out[at] = even ? divide_by_known(sum, count) : divide_values(sum, count);
  });
}

/// Calls compute(from, to, in, out) on the elements with the images innermost, and permutes the
/// result back to the layout.
template <class Compute>
Tensor through_images(const KernelCall& call, std::string_view layout, const Tensor& operand,
                      const ir::TensorType& type, Compute compute) {
  check(type.dtype == operand.dtype() && type.shape.size() == operand.shape().size(),
        "pooling keeps the element type and the dimensions");
  const ImagesOrder order = images_order(call, layout, operand.shape().size());
  const Tensor from = permute(operand, order.order);
  Tensor to(type.dtype, permuted_shape(type.shape, order.order));
  const Images from_images = order.images(from.shape());
  const Images to_images = order.images(to.shape());
  check(to_images.count == from_images.count, "one result image per image");
  visit_number(call, type.dtype, [&]<class T>(std::type_identity<T>) {
    compute(from_images, to_images, from.data<T>().data(), to.mutable_data<T>().data());
  });
  return permute(to, inverse_order(order.order));
}

template <class Attrs>
PoolParameters parameters_of(const Attrs& attrs, std::size_t spatial) {
  PoolParameters parameters{
      .layout = attrs.layout,
      .kernel = three_dims(attrs.pool_size),
      .window = make_window(spatial, attrs.strides, attrs.dilation, attrs.padding)};
  check(attrs.pool_size.size() == spatial, "one pool size per dimension");
  if constexpr (requires { attrs.count_include_pad; }) {
    constexpr std::array<std::int64_t, 3> kNone{};
    const Window& window = parameters.window;
    const bool padded = window.pad_before != kNone || window.pad_after != kNone;
    parameters.count_include_pad = attrs.count_include_pad;
    parameters.count_is_known = !attrs.ceil_mode && (attrs.count_include_pad || !padded);
  } else {
    parameters.is_max = true;
  }
  return parameters;
}

PoolParameters parameters_of_call(const KernelCall& call) {
  switch (call.node.op) {
    case Op::kMaxPool1D:
      return parameters_of(call.attrs<ir::MaxPool1DAttrs>(), 1);
    case Op::kMaxPool2D:
      return parameters_of(call.attrs<ir::MaxPool2DAttrs>(), 2);
    case Op::kMaxPool3D:
      return parameters_of(call.attrs<ir::MaxPool3DAttrs>(), 3);
    case Op::kAvgPool1D:
      return parameters_of(call.attrs<ir::AvgPool1DAttrs>(), 1);
    case Op::kAvgPool2D:
      return parameters_of(call.attrs<ir::AvgPool2DAttrs>(), 2);
    case Op::kAvgPool3D:
      return parameters_of(call.attrs<ir::AvgPool3DAttrs>(), 3);
    default:
      throw InternalError("not a pooling");
  }
}

std::string_view layout_of_call(const KernelCall& call) {
  switch (call.node.op) {
    case Op::kAdaptiveAvgPool1D:
    case Op::kAdaptiveMaxPool1D:
      return call.attrs<ir::AdaptivePool1DAttrs>().layout;
    case Op::kAdaptiveAvgPool2D:
    case Op::kAdaptiveMaxPool2D:
      return call.attrs<ir::AdaptivePool2DAttrs>().layout;
    case Op::kAdaptiveAvgPool3D:
    case Op::kAdaptiveMaxPool3D:
      return call.attrs<ir::AdaptivePool3DAttrs>().layout;
    default:
      return call.attrs<ir::GlobalPool2DAttrs>().layout;
  }
}

}  // namespace

PoolParameters pool_parameters(const ir::AvgPool2DAttrs& attrs) { return parameters_of(attrs, 2); }

Tensor pool_tensor(const KernelCall& call, const PoolParameters& parameters, const Tensor& operand,
                   const ir::TensorType& type) {
  return through_images(call, parameters.layout, operand, type,
                        [&](const Images& from, const Images& to, const auto* in, auto* out) {
                          pool_images(call, parameters, from, to, in, out);
                        });
}

Values pool(const KernelCall& call) {
  return {pool_tensor(call, parameters_of_call(call), call.operand(0), call.result())};
}

Values adaptive_pool(const KernelCall& call) {
  const Op op = call.node.op;
  const bool is_max = op == Op::kAdaptiveMaxPool1D || op == Op::kAdaptiveMaxPool2D ||
                      op == Op::kAdaptiveMaxPool3D || op == Op::kGlobalMaxPool2D;
  return {through_images(call, layout_of_call(call), call.operand(0), call.result(),
                         [&](const Images& from, const Images& to, const auto* in, auto* out) {
                           pool_adaptive(call, is_max, from, to, in, out);
                         })};
}

}  // namespace tvmq::exec
