// From 8-bit BGR pixels to the model's input, with the documented arithmetic to the last bit.
//
// For output channel c, which is channel s = channel_swap[c] of the decoded BGR image:
//
//   v = pixel(s)                                        0 to 255
//   v = v / 255                                         if Normalization is on
//   v = (v - float32(mean[c])) / float32(std[c])        all of it in double
//   output(c) = float32(v)
//
// So Mean and Std are in the order of the model's channels, not of the decoded ones, and are
// rounded to float32 before they are used (the script kept them in float32 arrays; the order and
// the rounding were established against arrays that NumPy made). A pixel has 256 values: each
// channel is a table of 256 floats, computed once.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "data/dataset.h"
#include "data/image.h"
#include "ir/tensor.h"

namespace tvmq::data {

class Preprocessor {
 public:
  /// InputError if the options do not fit the input: its dtype, rank, channels, Layout,
  /// ImageResolution or BatchSize. Every message names the axis and the value that would fit.
  Preprocessor(const ImageOptions& options, std::int64_t batch_size, const InputSpec& input);

  /// What the images are resized to.
  [[nodiscard]] ImageSize image_size() const { return size_; }
  [[nodiscard]] std::int64_t batch_size() const { return batch_size_; }

  /// The model's input without values yet.
  [[nodiscard]] ir::Tensor make_batch() const;

  /// Writes image `index` of a batch. REQUIRES: image.size == image_size().
  void store(const Image& image, std::int64_t index, ir::Tensor& batch) const;

 private:
  ImageSize size_;
  std::int64_t batch_size_ = 1;
  ir::Shape shape_;
  struct Strides {
    std::int64_t n = 0, c = 0, h = 0, w = 0;
  } strides_;
  std::array<int, 3> swap_{};
  std::array<std::array<float, 256>, 3> tables_{};
};

}  // namespace tvmq::data
