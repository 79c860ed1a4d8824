#pragma once

#include <cstdint>

namespace tvmq::exec {

/// How a kernel goes over an image. Sizes in pixels.
struct ImageWindow {
  std::int64_t channels = 1;  ///< of the data, all groups
  std::int64_t data_height = 1;
  std::int64_t data_width = 1;
  std::int64_t result_height = 1;
  std::int64_t result_width = 1;
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride_y = 1;
  std::int64_t stride_x = 1;
  std::int64_t dilation_y = 1;
  std::int64_t dilation_x = 1;
  std::int64_t top = 0;  ///< padding
  std::int64_t left = 0;
  // Of images of bytes:
  std::uint8_t pad_value = 0;
  bool is_signed = false;  ///< data is int8, not uint8
};

}  // namespace tvmq::exec
