// Resizing images: image.resize2d and nn.upsampling. Everything is computed in float32, in TVM's
// order of operations, and converted to the result's type at the end.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <utility>

#include "exec/reference_cast.h"
#include "exec/reference_images.h"
#include "exec/reference_scalar.h"
#include "exec/reference_strided.h"

namespace tvmq::exec {
namespace {

using ir::Tensor;

enum class Method { kNearest, kLinear, kCubic };

struct ResizeParameters {
  std::string layout;
  Method method = Method::kLinear;
  std::string coordinates;  ///< coordinate_transformation_mode
  std::string rounding;     ///< rounding_method; empty: by the coordinates
  double cubic_alpha = -0.5;
  bool cubic_exclude = false;
  float extrapolation_value = 0;
  std::array<float, 4> roi{};  ///< begin height, begin width, end height, end width
};

/// Where position `x` of `target` lies in an image of `size` (fractions of a pixel).
float source_position(const KernelCall& call, const ResizeParameters& parameters, std::int64_t x,
                      std::int64_t size, std::int64_t target, float begin, float end) {
  const auto at = static_cast<float>(x);
  const float scale = static_cast<float>(size) / static_cast<float>(target);
  const std::string& mode = parameters.coordinates;
  const auto last = static_cast<float>(size - 1);
  const auto target_last = static_cast<float>(target - 1);
  if (mode == "half_pixel") return (at + 0.5F) * scale - 0.5F;
  if (mode == "asymmetric") return scale * at;
  if (mode == "align_corners") return target > 1 ? last / target_last * at : 0.0F;
  if (mode == "pytorch_half_pixel") return target > 1 ? (at + 0.5F) * scale - 0.5F : 0.0F;
  if (mode == "tf_half_pixel_for_nn") return (at + 0.5F) * scale;
  if (mode == "tf_crop_and_resize") {
    return target > 1 ? begin * last + at * (end - begin) * last / target_last
                      : 0.5F * (begin + end) * last;
  }
  call.refuse("coordinate_transformation_mode '" + mode + "' is not known");
}

/// TVM divides integers where the scale is a whole number (and not huge), and then rounds down
/// whatever the rounding method says.
bool uses_whole_division(const ResizeParameters& parameters, std::int64_t size,
                         std::int64_t target) {
  if (parameters.method != Method::kNearest || parameters.coordinates != "asymmetric") return false;
  if (size == 0 || target % size != 0 || target == 0) return false;
  const double largest = 1.0 / (1e-5 * static_cast<double>(size) + 1e-5);
  const std::int64_t scale = target / size;
  return static_cast<double>(scale) <= largest;
}

std::int64_t nearest_pixel(const KernelCall& call, const ResizeParameters& parameters,
                           float position) {
  std::string method = parameters.rounding;
  if (method.empty()) method = parameters.coordinates == "align_corners" ? "round" : "floor";
  if (method == "round") return truncate_to_int32(std::round(position));
  if (method == "round_prefer_floor") return truncate_to_int32(std::ceil(position - 0.5F));
  if (method == "round_prefer_ceil") return truncate_to_int32(std::floor(position + 0.5F));
  if (method == "floor") return truncate_to_int32(std::floor(position + 1e-5F));
  if (method == "ceil") return truncate_to_int32(std::ceil(position - 1e-5F));
  call.refuse("rounding_method '" + method + "' is not known");
}

/// Which pixels one result position mixes along one dimension, and how.
struct Taps {
  std::int64_t count = 1;
  std::array<std::int64_t, 4> pixel{};
  std::array<float, 4> weight{};
  bool outside = false;  ///< tf_crop_and_resize: the position lies outside of the image
};

std::array<float, 4> cubic_weights(float t, double alpha) {
  const auto constant = [](double value) { return static_cast<float>(value); };
  const float t2 = t * t;
  const float t3 = t * t * t;
  return {constant(alpha) * (t3 - 2.0F * t2 + t),
          constant(alpha + 2) * t3 - constant(3 + alpha) * t2 + 1.0F,
          constant(-(alpha + 2)) * t3 + constant(3 + 2 * alpha) * t2 - constant(alpha) * t,
          constant(-alpha) * t3 + constant(alpha) * t2};
}

Taps cubic_taps(const ResizeParameters& parameters, float position, std::int64_t size) {
  Taps taps{.count = 4};
  const std::int64_t base = truncate_to_int32(std::floor(position));
  taps.weight = cubic_weights(position - std::floor(position), parameters.cubic_alpha);
  for (std::int64_t i = 0; i < 4; ++i) taps.pixel[static_cast<std::size_t>(i)] = base + i - 1;
  if (parameters.cubic_exclude) {
    float sum = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      // The second bound is TVM's own: one pixel beyond the image still counts.
      if (taps.pixel[i] < 0 || taps.pixel[i] + 1 > size) taps.weight[i] = 0;
      sum = i == 0 ? taps.weight[0] : sum + taps.weight[i];
    }
    for (float& weight : taps.weight) weight = weight / sum;
  }
  return taps;
}

Taps taps_of(const KernelCall& call, const ResizeParameters& parameters, std::int64_t x,
             std::int64_t size, std::int64_t target, float begin, float end) {
  Taps taps;
  if (uses_whole_division(parameters, size, target)) {
    taps.pixel[0] = x / (target / size);
  } else {
    const float position = source_position(call, parameters, x, size, target, begin, end);
    switch (parameters.method) {
      case Method::kNearest:
        taps.pixel[0] = nearest_pixel(call, parameters, position);
        break;
      case Method::kLinear: {
        const std::int64_t base = truncate_to_int32(std::floor(position));
        const float share = position - static_cast<float>(base);
        taps = {.count = 2, .pixel = {base, base + 1}, .weight = {1.0F - share, share}};
        break;
      }
      case Method::kCubic:
        taps = cubic_taps(parameters, position, size);
        break;
    }
    taps.outside = parameters.coordinates == "tf_crop_and_resize" &&
                   (position < 0 || position > static_cast<float>(size - 1));
  }
  for (std::int64_t& pixel : taps.pixel) {
    pixel = std::clamp<std::int64_t>(pixel, 0, std::max<std::int64_t>(size - 1, 0));
  }
  return taps;
}

float mix_row(const float* row, const Taps& taps) {
  if (taps.count == 1) return row[taps.pixel[0]];
  float sum = row[taps.pixel[0]] * taps.weight[0];
  for (std::size_t i = 1; i < static_cast<std::size_t>(taps.count); ++i) {
    sum = sum + row[taps.pixel[i]] * taps.weight[i];
  }
  return sum;
}

float mix(const float* image, std::int64_t width, const Taps& down, const Taps& across) {
  float sum = mix_row(image + down.pixel[0] * width, across);
  if (down.count == 1) return sum;
  sum = sum * down.weight[0];
  for (std::size_t i = 1; i < static_cast<std::size_t>(down.count); ++i) {
    sum = sum + mix_row(image + down.pixel[i] * width, across) * down.weight[i];
  }
  return sum;
}

Tensor resize(const KernelCall& call, const ResizeParameters& parameters) {
  const Tensor& operand = call.operand(0);
  const ImagesOrder order = images_order(call, parameters.layout, operand.shape().size());
  const Tensor from = permute(cast_tensor(call, operand, ir::DType::kFloat32), order.order);
  Tensor to(ir::DType::kFloat32, permuted_shape(call.result().shape, order.order));
  const Images source = order.images(from.shape());
  const Images target = order.images(to.shape());
  check(source.count == target.count && source.dims[0] == 1 && target.dims[0] == 1,
        "images of height and width");
  if (source.image_size() == 0 && to.size() > 0) call.refuse("an empty image has no pixels");
  std::array<std::vector<Taps>, 2> taps;
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::int64_t x = 0; x < target.dims[i + 1]; ++x) {
      taps[i].push_back(taps_of(call, parameters, x, source.dims[i + 1], target.dims[i + 1],
                                parameters.roi[i], parameters.roi[i + 2]));
    }
  }
  float* out = to.mutable_data<float>().data();
  for (std::int64_t n = 0; n < source.count; ++n) {
    const float* image = from.data<float>().data() + n * source.image_size();
    for (const Taps& down : taps[0]) {
      for (const Taps& across : taps[1]) {
        *out++ = down.outside || across.outside ? parameters.extrapolation_value
                                                : mix(image, source.dims[2], down, across);
      }
    }
  }
  return cast_tensor(call, permute(to, inverse_order(order.order)), call.result().dtype);
}

Method parse_method(const KernelCall& call, std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == "nearest_neighbor") return Method::kNearest;
  if (name == "linear" || name == "bilinear") return Method::kLinear;
  if (name == "cubic" || name == "bicubic") return Method::kCubic;
  call.refuse("method '" + name + "': nearest_neighbor, linear or cubic expected");
}

}  // namespace

Values resize2d(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::Resize2DAttrs>();
  ResizeParameters parameters{.layout = attrs.layout,
                              .method = parse_method(call, attrs.method),
                              .coordinates = attrs.coordinate_transformation_mode,
                              .rounding = attrs.rounding_method,
                              .cubic_alpha = attrs.cubic_alpha,
                              .cubic_exclude = attrs.cubic_exclude != 0,
                              .extrapolation_value = static_cast<float>(attrs.extrapolation_value)};
  for (std::size_t i = 0; i < std::min<std::size_t>(attrs.roi.size(), 4); ++i) {
    parameters.roi[i] = static_cast<float>(attrs.roi[i]);
  }
  return {resize(call, parameters)};
}

Values upsampling(const KernelCall& call) {
  const auto& attrs = call.attrs<ir::UpSamplingAttrs>();
  const ResizeParameters parameters{
      .layout = attrs.layout,
      .method = parse_method(call, attrs.method),
      .coordinates = attrs.align_corners ? "align_corners" : "asymmetric",
      .rounding = ""};
  return {resize(call, parameters)};
}

}  // namespace tvmq::exec
