// The patch of a layer's input that a position of its output is computed from: for whoever looks at
// tapped values the way a convolution or product of matrices does.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/image_window.h"
#include "exec/program.h"
#include "ir/graph.h"

namespace tvmq::exec {

/// How a layer goes over its input. A product of matrices is a convolution of one pixel.
struct LayerWindow {
  std::int64_t batch = 1;
  std::int64_t groups = 1;
  ImageWindow image{};

  /// Of the output, in one channel.
  [[nodiscard]] std::int64_t positions() const {
    return batch * image.result_height * image.result_width;
  }
  [[nodiscard]] std::int64_t kernel_size() const {
    return image.kernel_height * image.kernel_width;
  }
};

/// REQUIRES: `layer` is an nn.dense, or an nn.conv2d with NCHW data and OIHW weights; typed.
LayerWindow layer_window(const ir::Graph& graph, ir::NodeId layer);

/// Where element (n, channel, i) of the view is.
inline std::size_t element_index(const TapView& view, std::int64_t n, std::int64_t channel,
                                 std::int64_t i) {
  const std::int64_t block = n * (view.channels / view.block) + channel / view.block;
  return static_cast<std::size_t>((block * view.inner + i) * view.block + channel % view.block);
}

/// What the kernel covers at one position of the output.
class LayerPatch {
 public:
  /// `view` is of the layer's input, dimension 1 its channels. Both must outlive the patch.
  LayerPatch(const TapView& view, const LayerWindow& window, std::int64_t position)
      : view_(view), image_(window.image) {
    const std::int64_t row = position / image_.result_width;
    n_ = row / image_.result_height;
    top_ = row % image_.result_height * image_.stride_y - image_.top;
    left_ = position % image_.result_width * image_.stride_x - image_.left;
  }

  /// 0 where the kernel reaches beyond the input.
  [[nodiscard]] float at(std::int64_t channel, std::int64_t kernel_y, std::int64_t kernel_x) const {
    const std::int64_t y = top_ + kernel_y * image_.dilation_y;
    const std::int64_t x = left_ + kernel_x * image_.dilation_x;
    if (y < 0 || y >= image_.data_height || x < 0 || x >= image_.data_width) return 0;
    return view_.elements[element_index(view_, n_, channel, y * image_.data_width + x)];
  }

 private:
  const TapView& view_;
  const ImageWindow& image_;
  std::int64_t n_ = 0;
  std::int64_t top_ = 0;
  std::int64_t left_ = 0;
};

}  // namespace tvmq::exec
