#include "data/preprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tvmq::data {
namespace {

constexpr std::string_view kAxes = "NCHW";
constexpr std::int64_t kChannels = 3;

bool fits(std::int64_t found, std::int64_t expected) {
  return expected == ir::kDynamicDim || found == expected;
}

std::string describe(const InputSpec& input) {
  return fmt::format("the model's input '{}' is {}", input.name, ir::to_string(input.type));
}

/// One value per letter of kAxes.
using Sizes = std::array<std::int64_t, 4>;

Sizes in_layout(const ir::Shape& shape, std::string_view layout) {
  Sizes sizes{};
  for (std::size_t i = 0; i < kAxes.size(); ++i) sizes[i] = shape[layout.find(kAxes[i])];
  return sizes;
}

/// A layout of the input under which all the given sizes fit; empty if there is none.
std::string fitting_layout(const ir::Shape& shape, const Sizes& wanted) {
  for (std::string layout : {"NCHW", "NHWC", "NCWH", "NWHC", "NHCW", "NWCH"}) {
    const Sizes sizes = in_layout(shape, layout);
    if (std::equal(wanted.begin(), wanted.end(), sizes.begin(), fits)) return layout;
  }
  return "";
}

void check_sizes(const Sizes& wanted, std::string_view layout, const InputSpec& input) {
  const Sizes sizes = in_layout(input.type.shape, layout);
  const auto at = std::mismatch(wanted.begin(), wanted.end(), sizes.begin(), fits).first;
  if (at == wanted.end()) return;
  const char axis = kAxes[static_cast<std::size_t>(at - wanted.begin())];
  const auto [batch, channels, height, width] = sizes;
  std::string message = fmt::format("{}, so that with Layout {} its axis {} ({}) has {} elements; ",
                                    describe(input), layout, layout.find(axis), axis,
                                    sizes[static_cast<std::size_t>(at - wanted.begin())]);
  if (axis == 'N') {
    message += fmt::format("found BatchSize {}, expected {}", *at, batch);
  } else if (axis == 'C') {
    message += fmt::format("found images of {} channels", kChannels);
  } else {
    message += fmt::format("found ImageResolution [{}, {}] (width, height), expected [{}, {}]",
                           wanted[3], wanted[2], width == ir::kDynamicDim ? wanted[3] : width,
                           height == ir::kDynamicDim ? wanted[2] : height);
  }
  const std::string other = fitting_layout(input.type.shape, wanted);
  if (!other.empty()) {
    message += fmt::format(". Everything fits with Layout {}", other);
  } else if (axis == 'C') {
    message +=
        ". For a model that takes other channels, prepare its inputs as .npy files and give their "
        "folder as Dataset/Path";
  }
  throw InputError(message);
}

/// Rounded to float32, see the header.
double per_channel(const std::vector<double>& values, std::size_t channel, std::string_view key) {
  if (values.size() != 1 && values.size() != kChannels) {
    throw InputError(
        fmt::format("{}: found {} values, expected 1 or {}", key, values.size(), kChannels));
  }
  return static_cast<float>(values.size() == 1 ? values[0] : values[channel]);
}

bool is_permutation(std::string_view layout) {
  return layout.size() == kAxes.size() &&
         std::is_permutation(layout.begin(), layout.end(), kAxes.begin());
}

// Gathers from the tables; the compiler cannot know that the strides are often 1 or 3.
void store_plane(const std::uint8_t* from, const float* table, ImageSize size, float* to,
                 std::int64_t row_stride, std::int64_t column_stride) {
  for (std::int64_t y = 0; y < size.height; ++y) {
    float* row = to + y * row_stride;
    for (std::int64_t x = 0; x < size.width; ++x, from += kChannels) {
      row[x * column_stride] = table[*from];
    }
  }
}

}  // namespace

Preprocessor::Preprocessor(const ImageOptions& options, std::int64_t batch_size,
                           const InputSpec& input)
    : batch_size_(batch_size), swap_(options.channel_swap) {
  check(batch_size > 0, "a batch has images");
  for (const int channel : swap_) check(channel >= 0 && channel < 3, "channel 0, 1 or 2");
  if (input.type.dtype != ir::DType::kFloat32 || input.type.shape.size() != kAxes.size()) {
    throw InputError(fmt::format(
        "{}, expected float32 of 4 dimensions to calibrate with images; prepare its inputs as .npy "
        "files and give their folder as Dataset/Path",
        describe(input)));
  }
  if (!is_permutation(options.layout)) {
    throw InputError(
        fmt::format("Dataset/Layout: found '{}', expected an order of N, C, H, W", options.layout));
  }
  if (!options.resolution) {
    const Sizes sizes = in_layout(input.type.shape, options.layout);
    throw InputError(fmt::format(
        "Dataset/ImageResolution is missing; {}, whose width and height with Layout {} are {}",
        describe(input), options.layout, ir::to_string(ir::Shape{sizes[3], sizes[2]})));
  }
  size_ = {.width = (*options.resolution)[0], .height = (*options.resolution)[1]};
  check(size_.width > 0 && size_.height > 0, "an image has pixels");
  check_sizes({batch_size, kChannels, size_.height, size_.width}, options.layout, input);

  const Sizes sizes = {batch_size, kChannels, size_.height, size_.width};
  std::int64_t* strides[] = {&strides_.n, &strides_.c, &strides_.h, &strides_.w};
  shape_.resize(kAxes.size());
  std::int64_t stride = 1;
  for (std::size_t i = kAxes.size(); i-- > 0;) {
    const std::size_t axis = kAxes.find(options.layout[i]);
    *strides[axis] = stride;
    shape_[i] = sizes[axis];
    stride *= sizes[axis];
  }
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    const double mean = per_channel(options.mean, channel, "Dataset/Mean");
    const double std = per_channel(options.std, channel, "Dataset/Std");
    for (std::size_t pixel = 0; pixel < 256; ++pixel) {
      auto value = static_cast<double>(pixel);
      if (options.normalization) value = value / 255.0;
      tables_[channel][pixel] = static_cast<float>((value - mean) / std);
    }
  }
}

ir::Tensor Preprocessor::make_batch() const { return {ir::DType::kFloat32, shape_}; }

void Preprocessor::store(const Image& image, std::int64_t index, ir::Tensor& batch) const {
  check(image.size == size_ && index >= 0 && index < batch_size_ && batch.shape() == shape_,
        "the image and the batch were made for this preprocessor");
  float* to = batch.mutable_data<float>().data() + index * strides_.n;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    store_plane(image.bgr.data() + swap_[channel], tables_[channel].data(), size_,
                to + static_cast<std::int64_t>(channel) * strides_.c, strides_.h, strides_.w);
  }
}

}  // namespace tvmq::data
