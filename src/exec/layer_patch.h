// The patch of a layer's input that a position of its output is computed from: for whoever looks at
// tapped values the way a convolution or product of matrices does.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/program.h"
#include "ir/graph.h"

namespace tvmq::exec {

/// How a layer goes over its input. A product of matrices is a convolution of one pixel.
struct LayerWindow {
  std::int64_t batch = 1;
  std::int64_t channels = 1;  ///< of the input, all groups
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t out_height = 1;
  std::int64_t out_width = 1;
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride_y = 1;
  std::int64_t stride_x = 1;
  std::int64_t dilation_y = 1;
  std::int64_t dilation_x = 1;
  std::int64_t top = 0;  ///< padding
  std::int64_t left = 0;
  std::int64_t groups = 1;

  /// Of the output, in one channel.
  [[nodiscard]] std::int64_t positions() const { return batch * out_height * out_width; }
  [[nodiscard]] std::int64_t kernel_size() const { return kernel_height * kernel_width; }
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
      : view_(view), window_(window) {
    const std::int64_t row = position / window.out_width;
    n_ = row / window.out_height;
    top_ = row % window.out_height * window.stride_y - window.top;
    left_ = position % window.out_width * window.stride_x - window.left;
  }

  /// 0 where the kernel reaches beyond the input.
  [[nodiscard]] float at(std::int64_t channel, std::int64_t kernel_y, std::int64_t kernel_x) const {
    const std::int64_t y = top_ + kernel_y * window_.dilation_y;
    const std::int64_t x = left_ + kernel_x * window_.dilation_x;
    if (y < 0 || y >= window_.height || x < 0 || x >= window_.width) return 0;
    return view_.elements[element_index(view_, n_, channel, y * window_.width + x)];
  }

 private:
  const TapView& view_;
  const LayerWindow& window_;
  std::int64_t n_ = 0;
  std::int64_t top_ = 0;
  std::int64_t left_ = 0;
};

}  // namespace tvmq::exec
