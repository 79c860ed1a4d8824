// Attributes of convolutions and matrix products (TVM: include/tvm/relay/attrs/nn.h), with TVM's
// names, order and defaults. Layouts are strings of axis letters, e.g. NCHW data with OIHW weights.
#pragma once

#include "ir/attr_field.h"

namespace tvmq::ir {

/// one-dimensional convolution.
struct Conv1DAttrs {
  IntList strides{1};
  IntList padding{0, 0};  ///< left, right
  IntList dilation{1};
  std::int64_t groups = 1;
  OptionalInt channels;
  OptionalIntList kernel_size;
  std::string data_layout = "NCW";
  std::string kernel_layout = "OIW";
  std::string out_layout;
  DType out_dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "Conv1DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("strides", &Conv1DAttrs::strides),
                      field("padding", &Conv1DAttrs::padding),
                      field("dilation", &Conv1DAttrs::dilation),
                      field("groups", &Conv1DAttrs::groups),
                      field("channels", &Conv1DAttrs::channels),
                      field("kernel_size", &Conv1DAttrs::kernel_size),
                      field("data_layout", &Conv1DAttrs::data_layout),
                      field("kernel_layout", &Conv1DAttrs::kernel_layout),
                      field("out_layout", &Conv1DAttrs::out_layout),
                      field("out_dtype", &Conv1DAttrs::out_dtype)};
  }
  bool operator==(const Conv1DAttrs&) const = default;
};

/// nn.conv2d, qnn.conv2d.
struct Conv2DAttrs {
  IntList strides{1, 1};
  IntList padding{0, 0, 0, 0};  ///< top, left, bottom, right; TVM also stores 1 or 2 values
  IntList dilation{1, 1};
  std::int64_t groups = 1;
  OptionalInt channels;
  OptionalIntList kernel_size;
  std::string data_layout = "NCHW";
  std::string kernel_layout = "OIHW";
  std::string out_layout;          ///< data_layout if empty
  DType out_dtype = DType::kVoid;  ///< the input's dtype if void

  static constexpr std::string_view kTypeKey = "Conv2DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("strides", &Conv2DAttrs::strides),
                      field("padding", &Conv2DAttrs::padding),
                      field("dilation", &Conv2DAttrs::dilation),
                      field("groups", &Conv2DAttrs::groups),
                      field("channels", &Conv2DAttrs::channels),
                      field("kernel_size", &Conv2DAttrs::kernel_size),
                      field("data_layout", &Conv2DAttrs::data_layout),
                      field("kernel_layout", &Conv2DAttrs::kernel_layout),
                      field("out_layout", &Conv2DAttrs::out_layout),
                      field("out_dtype", &Conv2DAttrs::out_dtype)};
  }
  bool operator==(const Conv2DAttrs&) const = default;
};

/// nn.conv3d.
struct Conv3DAttrs {
  IntList strides{1, 1, 1};
  IntList padding{0, 0, 0, 0, 0, 0};
  IntList dilation{1, 1, 1};
  std::int64_t groups = 1;
  OptionalInt channels;
  OptionalIntList kernel_size;
  std::string data_layout = "NCDHW";
  std::string kernel_layout = "OIDHW";
  std::string out_layout;
  DType out_dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "Conv3DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("strides", &Conv3DAttrs::strides),
                      field("padding", &Conv3DAttrs::padding),
                      field("dilation", &Conv3DAttrs::dilation),
                      field("groups", &Conv3DAttrs::groups),
                      field("channels", &Conv3DAttrs::channels),
                      field("kernel_size", &Conv3DAttrs::kernel_size),
                      field("data_layout", &Conv3DAttrs::data_layout),
                      field("kernel_layout", &Conv3DAttrs::kernel_layout),
                      field("out_layout", &Conv3DAttrs::out_layout),
                      field("out_dtype", &Conv3DAttrs::out_dtype)};
  }
  bool operator==(const Conv3DAttrs&) const = default;
};

/// nn.conv1d_transpose.
struct Conv1DTransposeAttrs {
  OptionalInt channels;
  OptionalIntList kernel_size;
  IntList strides{1};
  IntList output_padding{0};
  IntList padding{0, 0};
  IntList dilation{1};
  std::int64_t groups = 1;
  std::string data_layout = "NCW";
  std::string kernel_layout = "IOW";
  std::string out_layout;
  DType out_dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "Conv1DTransposeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("channels", &Conv1DTransposeAttrs::channels),
                      field("kernel_size", &Conv1DTransposeAttrs::kernel_size),
                      field("strides", &Conv1DTransposeAttrs::strides),
                      field("output_padding", &Conv1DTransposeAttrs::output_padding),
                      field("padding", &Conv1DTransposeAttrs::padding),
                      field("dilation", &Conv1DTransposeAttrs::dilation),
                      field("groups", &Conv1DTransposeAttrs::groups),
                      inline_text("data_layout", &Conv1DTransposeAttrs::data_layout),
                      inline_text("kernel_layout", &Conv1DTransposeAttrs::kernel_layout),
                      inline_text("out_layout", &Conv1DTransposeAttrs::out_layout),
                      field("out_dtype", &Conv1DTransposeAttrs::out_dtype)};
  }
  bool operator==(const Conv1DTransposeAttrs&) const = default;
};

/// nn.conv2d_transpose.
struct Conv2DTransposeAttrs {
  OptionalInt channels;
  OptionalIntList kernel_size;
  IntList strides{1, 1};
  IntList output_padding{0, 0};
  IntList padding{0, 0, 0, 0};
  IntList dilation{1, 1};
  std::int64_t groups = 1;
  std::string data_layout = "NCHW";
  std::string kernel_layout = "IOHW";
  std::string out_layout;
  DType out_dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "Conv2DTransposeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("channels", &Conv2DTransposeAttrs::channels),
                      field("kernel_size", &Conv2DTransposeAttrs::kernel_size),
                      field("strides", &Conv2DTransposeAttrs::strides),
                      field("output_padding", &Conv2DTransposeAttrs::output_padding),
                      field("padding", &Conv2DTransposeAttrs::padding),
                      field("dilation", &Conv2DTransposeAttrs::dilation),
                      field("groups", &Conv2DTransposeAttrs::groups),
                      inline_text("data_layout", &Conv2DTransposeAttrs::data_layout),
                      inline_text("kernel_layout", &Conv2DTransposeAttrs::kernel_layout),
                      inline_text("out_layout", &Conv2DTransposeAttrs::out_layout),
                      field("out_dtype", &Conv2DTransposeAttrs::out_dtype)};
  }
  bool operator==(const Conv2DTransposeAttrs&) const = default;
};

/// nn.conv3d_transpose.
struct Conv3DTransposeAttrs {
  OptionalInt channels;
  OptionalIntList kernel_size;
  IntList strides{1, 1, 1};
  IntList output_padding{0, 0, 0};
  IntList padding{0, 0, 0, 0, 0, 0};
  IntList dilation{1, 1, 1};
  std::int64_t groups = 1;
  std::string data_layout = "NCDHW";
  std::string kernel_layout = "IODHW";
  std::string out_layout;
  DType out_dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "Conv3DTransposeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("channels", &Conv3DTransposeAttrs::channels),
                      field("kernel_size", &Conv3DTransposeAttrs::kernel_size),
                      field("strides", &Conv3DTransposeAttrs::strides),
                      field("output_padding", &Conv3DTransposeAttrs::output_padding),
                      field("padding", &Conv3DTransposeAttrs::padding),
                      field("dilation", &Conv3DTransposeAttrs::dilation),
                      field("groups", &Conv3DTransposeAttrs::groups),
                      field("data_layout", &Conv3DTransposeAttrs::data_layout),
                      field("kernel_layout", &Conv3DTransposeAttrs::kernel_layout),
                      field("out_layout", &Conv3DTransposeAttrs::out_layout),
                      field("out_dtype", &Conv3DTransposeAttrs::out_dtype)};
  }
  bool operator==(const Conv3DTransposeAttrs&) const = default;
};

/// nn.dense, qnn.dense.
struct DenseAttrs {
  OptionalInt units;
  DType out_dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "DenseAttrs";
  static constexpr auto fields() {
    return std::tuple{field("units", &DenseAttrs::units),
                      field("out_dtype", &DenseAttrs::out_dtype)};
  }
  bool operator==(const DenseAttrs&) const = default;
};

/// nn.matmul.
struct MatmulAttrs {
  OptionalInt units;
  DType out_dtype = DType::kVoid;
  bool transpose_a = false;
  bool transpose_b = false;

  static constexpr std::string_view kTypeKey = "MatmulAttrs";
  static constexpr auto fields() {
    return std::tuple{field("units", &MatmulAttrs::units),
                      field("out_dtype", &MatmulAttrs::out_dtype),
                      field("transpose_a", &MatmulAttrs::transpose_a),
                      field("transpose_b", &MatmulAttrs::transpose_b)};
  }
  bool operator==(const MatmulAttrs&) const = default;
};

/// nn.batch_matmul.
struct BatchMatmulAttrs {
  DType out_dtype = DType::kVoid;
  bool transpose_a = false;
  bool transpose_b = false;  ///< relay's python default is true

  static constexpr std::string_view kTypeKey = "BatchMatmulAttrs";
  static constexpr auto fields() {
    return std::tuple{field("out_dtype", &BatchMatmulAttrs::out_dtype),
                      field("transpose_a", &BatchMatmulAttrs::transpose_a),
                      field("transpose_b", &BatchMatmulAttrs::transpose_b)};
  }
  bool operator==(const BatchMatmulAttrs&) const = default;
};

/// nn.bias_add.
struct BiasAddAttrs {
  std::int64_t axis = 1;

  static constexpr std::string_view kTypeKey = "BiasAddAttrs";
  static constexpr auto fields() { return std::tuple{field("axis", &BiasAddAttrs::axis)}; }
  bool operator==(const BiasAddAttrs&) const = default;
};

}  // namespace tvmq::ir
