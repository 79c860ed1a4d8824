// Attributes of pooling, normalisation and activation operators (TVM:
// include/tvm/relay/attrs/nn.h), with TVM's names, order and defaults. Layouts are strings of axis
// letters, e.g. NCHW data with OIHW weights.
#pragma once

#include "ir/attr_field.h"

namespace tvmq::ir {

/// nn.max_pool1d.
struct MaxPool1DAttrs {
  IntList pool_size;
  IntList strides{1};
  IntList dilation{1};
  IntList padding{0, 0};
  std::string layout = "NCW";
  std::string out_layout;
  bool ceil_mode = false;

  static constexpr std::string_view kTypeKey = "MaxPool1DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("pool_size", &MaxPool1DAttrs::pool_size),
                      field("strides", &MaxPool1DAttrs::strides),
                      field("dilation", &MaxPool1DAttrs::dilation),
                      field("padding", &MaxPool1DAttrs::padding),
                      inline_text("layout", &MaxPool1DAttrs::layout),
                      field("out_layout", &MaxPool1DAttrs::out_layout),
                      field("ceil_mode", &MaxPool1DAttrs::ceil_mode)};
  }
  bool operator==(const MaxPool1DAttrs&) const = default;
};

/// nn.max_pool2d.
struct MaxPool2DAttrs {
  IntList pool_size;
  IntList strides{1, 1};
  IntList dilation{1, 1};
  IntList padding{0, 0, 0, 0};
  std::string layout = "NCHW";
  std::string out_layout;
  bool ceil_mode = false;

  static constexpr std::string_view kTypeKey = "MaxPool2DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("pool_size", &MaxPool2DAttrs::pool_size),
                      field("strides", &MaxPool2DAttrs::strides),
                      field("dilation", &MaxPool2DAttrs::dilation),
                      field("padding", &MaxPool2DAttrs::padding),
                      field("layout", &MaxPool2DAttrs::layout),
                      field("out_layout", &MaxPool2DAttrs::out_layout),
                      field("ceil_mode", &MaxPool2DAttrs::ceil_mode)};
  }
  bool operator==(const MaxPool2DAttrs&) const = default;
};

/// nn.max_pool3d.
struct MaxPool3DAttrs {
  IntList pool_size;
  IntList strides{1, 1, 1};
  IntList dilation{1, 1, 1};
  IntList padding{0, 0, 0, 0, 0, 0};
  std::string layout = "NCDHW";
  std::string out_layout;
  bool ceil_mode = false;

  static constexpr std::string_view kTypeKey = "MaxPool3DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("pool_size", &MaxPool3DAttrs::pool_size),
                      field("strides", &MaxPool3DAttrs::strides),
                      field("dilation", &MaxPool3DAttrs::dilation),
                      field("padding", &MaxPool3DAttrs::padding),
                      inline_text("layout", &MaxPool3DAttrs::layout),
                      field("out_layout", &MaxPool3DAttrs::out_layout),
                      field("ceil_mode", &MaxPool3DAttrs::ceil_mode)};
  }
  bool operator==(const MaxPool3DAttrs&) const = default;
};

/// nn.avg_pool1d.
struct AvgPool1DAttrs {
  IntList pool_size;
  IntList strides{1};
  IntList dilation{1};
  IntList padding{0, 0};
  std::string layout = "NCW";
  std::string out_layout;
  bool ceil_mode = false;
  bool count_include_pad = false;

  static constexpr std::string_view kTypeKey = "AvgPool1DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("pool_size", &AvgPool1DAttrs::pool_size),
                      field("strides", &AvgPool1DAttrs::strides),
                      field("dilation", &AvgPool1DAttrs::dilation),
                      field("padding", &AvgPool1DAttrs::padding),
                      inline_text("layout", &AvgPool1DAttrs::layout),
                      field("out_layout", &AvgPool1DAttrs::out_layout),
                      field("ceil_mode", &AvgPool1DAttrs::ceil_mode),
                      field("count_include_pad", &AvgPool1DAttrs::count_include_pad)};
  }
  bool operator==(const AvgPool1DAttrs&) const = default;
};

/// nn.avg_pool2d, qnn.avg_pool2d.
struct AvgPool2DAttrs {
  IntList pool_size;
  IntList strides{1, 1};
  IntList dilation{1, 1};
  IntList padding{0, 0, 0, 0};
  std::string layout = "NCHW";
  std::string out_layout;
  bool ceil_mode = false;
  bool count_include_pad = false;

  static constexpr std::string_view kTypeKey = "AvgPool2DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("pool_size", &AvgPool2DAttrs::pool_size),
                      field("strides", &AvgPool2DAttrs::strides),
                      field("dilation", &AvgPool2DAttrs::dilation),
                      field("padding", &AvgPool2DAttrs::padding),
                      field("layout", &AvgPool2DAttrs::layout),
                      field("out_layout", &AvgPool2DAttrs::out_layout),
                      field("ceil_mode", &AvgPool2DAttrs::ceil_mode),
                      field("count_include_pad", &AvgPool2DAttrs::count_include_pad)};
  }
  bool operator==(const AvgPool2DAttrs&) const = default;
};

/// nn.avg_pool3d.
struct AvgPool3DAttrs {
  IntList pool_size;
  IntList strides{1, 1, 1};
  IntList dilation{1, 1, 1};
  IntList padding{0, 0, 0, 0, 0, 0};
  std::string layout = "NCDHW";
  std::string out_layout;
  bool ceil_mode = false;
  bool count_include_pad = false;

  static constexpr std::string_view kTypeKey = "AvgPool3DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("pool_size", &AvgPool3DAttrs::pool_size),
                      field("strides", &AvgPool3DAttrs::strides),
                      field("dilation", &AvgPool3DAttrs::dilation),
                      field("padding", &AvgPool3DAttrs::padding),
                      inline_text("layout", &AvgPool3DAttrs::layout),
                      field("out_layout", &AvgPool3DAttrs::out_layout),
                      field("ceil_mode", &AvgPool3DAttrs::ceil_mode),
                      field("count_include_pad", &AvgPool3DAttrs::count_include_pad)};
  }
  bool operator==(const AvgPool3DAttrs&) const = default;
};

/// nn.global_avg_pool2d, nn.global_max_pool2d.
struct GlobalPool2DAttrs {
  std::string layout = "NCHW";
  std::string out_layout;

  static constexpr std::string_view kTypeKey = "GlobalPool2DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("layout", &GlobalPool2DAttrs::layout),
                      field("out_layout", &GlobalPool2DAttrs::out_layout)};
  }
  bool operator==(const GlobalPool2DAttrs&) const = default;
};

/// nn.adaptive_avg_pool1d, nn.adaptive_max_pool1d.
struct AdaptivePool1DAttrs {
  IntList output_size;
  std::string layout = "NCW";
  std::string out_layout;

  static constexpr std::string_view kTypeKey = "AdaptivePool1DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("output_size", &AdaptivePool1DAttrs::output_size),
                      inline_text("layout", &AdaptivePool1DAttrs::layout),
                      field("out_layout", &AdaptivePool1DAttrs::out_layout)};
  }
  bool operator==(const AdaptivePool1DAttrs&) const = default;
};

/// nn.adaptive_avg_pool2d, nn.adaptive_max_pool2d.
struct AdaptivePool2DAttrs {
  IntList output_size;  ///< empty: the input's size
  std::string layout = "NCHW";
  std::string out_layout;

  static constexpr std::string_view kTypeKey = "AdaptivePool2DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("output_size", &AdaptivePool2DAttrs::output_size),
                      inline_text("layout", &AdaptivePool2DAttrs::layout),
                      field("out_layout", &AdaptivePool2DAttrs::out_layout)};
  }
  bool operator==(const AdaptivePool2DAttrs&) const = default;
};

/// nn.adaptive_avg_pool3d, nn.adaptive_max_pool3d.
struct AdaptivePool3DAttrs {
  IntList output_size;
  std::string layout = "NCDHW";
  std::string out_layout;

  static constexpr std::string_view kTypeKey = "AdaptivePool3DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("output_size", &AdaptivePool3DAttrs::output_size),
                      inline_text("layout", &AdaptivePool3DAttrs::layout),
                      field("out_layout", &AdaptivePool3DAttrs::out_layout)};
  }
  bool operator==(const AdaptivePool3DAttrs&) const = default;
};

/// nn.softmax, nn.log_softmax, qnn.softmax.
struct SoftmaxAttrs {
  std::int64_t axis = -1;

  static constexpr std::string_view kTypeKey = "SoftmaxAttrs";
  static constexpr auto fields() { return std::tuple{field("axis", &SoftmaxAttrs::axis)}; }
  bool operator==(const SoftmaxAttrs&) const = default;
};

/// nn.prelu.
struct PReluAttrs {
  std::int64_t axis = 1;

  static constexpr std::string_view kTypeKey = "PReluAttrs";
  static constexpr auto fields() { return std::tuple{field("axis", &PReluAttrs::axis)}; }
  bool operator==(const PReluAttrs&) const = default;
};

/// nn.leaky_relu, qnn.leaky_relu.
struct LeakyReluAttrs {
  double alpha = 0.25;

  static constexpr std::string_view kTypeKey = "LeakyReluAttrs";
  static constexpr auto fields() { return std::tuple{field("alpha", &LeakyReluAttrs::alpha)}; }
  bool operator==(const LeakyReluAttrs&) const = default;
};

/// nn.dropout.
struct DropoutAttrs {
  double rate = 0.5;

  static constexpr std::string_view kTypeKey = "DropoutAttrs";
  static constexpr auto fields() { return std::tuple{field("rate", &DropoutAttrs::rate)}; }
  bool operator==(const DropoutAttrs&) const = default;
};

/// nn.batch_norm.
struct BatchNormAttrs {
  std::int64_t axis = 1;
  double epsilon = 1e-5;
  bool center = true;
  bool scale = true;

  static constexpr std::string_view kTypeKey = "BatchNormAttrs";
  static constexpr auto fields() {
    return std::tuple{
        field("axis", &BatchNormAttrs::axis), field("epsilon", &BatchNormAttrs::epsilon),
        field("center", &BatchNormAttrs::center), field("scale", &BatchNormAttrs::scale)};
  }
  bool operator==(const BatchNormAttrs&) const = default;
};

/// nn.instance_norm.
struct InstanceNormAttrs {
  std::int64_t axis = 1;
  double epsilon = 1e-5;
  bool center = true;
  bool scale = true;

  static constexpr std::string_view kTypeKey = "InstanceNormAttrs";
  static constexpr auto fields() {
    return std::tuple{
        field("axis", &InstanceNormAttrs::axis), field("epsilon", &InstanceNormAttrs::epsilon),
        field("center", &InstanceNormAttrs::center), field("scale", &InstanceNormAttrs::scale)};
  }
  bool operator==(const InstanceNormAttrs&) const = default;
};

/// nn.layer_norm.
struct LayerNormAttrs {
  std::int64_t axis = -1;
  double epsilon = 1e-5;
  bool center = true;
  bool scale = true;

  static constexpr std::string_view kTypeKey = "LayerNormAttrs";
  static constexpr auto fields() {
    return std::tuple{
        field("axis", &LayerNormAttrs::axis), field("epsilon", &LayerNormAttrs::epsilon),
        field("center", &LayerNormAttrs::center), field("scale", &LayerNormAttrs::scale)};
  }
  bool operator==(const LayerNormAttrs&) const = default;
};

/// nn.group_norm.
struct GroupNormAttrs {
  std::int64_t num_groups = 0;
  std::int64_t axis = 1;
  double epsilon = 1e-5;
  bool center = true;
  bool scale = true;

  static constexpr std::string_view kTypeKey = "GroupNormAttrs";
  static constexpr auto fields() {
    return std::tuple{
        field("num_groups", &GroupNormAttrs::num_groups), field("axis", &GroupNormAttrs::axis),
        field("epsilon", &GroupNormAttrs::epsilon), field("center", &GroupNormAttrs::center),
        field("scale", &GroupNormAttrs::scale)};
  }
  bool operator==(const GroupNormAttrs&) const = default;
};

/// nn.l2_normalize.
struct L2NormalizeAttrs {
  double eps = 0;
  OptionalIntList axis;

  static constexpr std::string_view kTypeKey = "L2NormalizeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("eps", &L2NormalizeAttrs::eps), field("axis", &L2NormalizeAttrs::axis)};
  }
  bool operator==(const L2NormalizeAttrs&) const = default;
};

/// nn.lrn.
struct LRNAttrs {
  std::int64_t size = 5;
  std::int64_t axis = 1;
  double bias = 2;
  double alpha = 0.0001;
  double beta = 0.75;

  static constexpr std::string_view kTypeKey = "LRNAttrs";
  static constexpr auto fields() {
    return std::tuple{field("size", &LRNAttrs::size), field("axis", &LRNAttrs::axis),
                      field("bias", &LRNAttrs::bias), field("alpha", &LRNAttrs::alpha),
                      field("beta", &LRNAttrs::beta)};
  }
  bool operator==(const LRNAttrs&) const = default;
};

/// nn.pad; the value is the second argument.
struct PadAttrs {
  IntMatrix pad_width;
  std::string pad_mode = "constant";

  static constexpr std::string_view kTypeKey = "PadAttrs";
  static constexpr auto fields() {
    return std::tuple{field("pad_width", &PadAttrs::pad_width),
                      field("pad_mode", &PadAttrs::pad_mode)};
  }
  bool operator==(const PadAttrs&) const = default;
};

/// nn.mirror_pad.
struct MirrorPadAttrs {
  std::string mode = "SYMMETRIC";
  IntMatrix pad_width;

  static constexpr std::string_view kTypeKey = "MirrorPadAttrs";
  static constexpr auto fields() {
    return std::tuple{inline_text("mode", &MirrorPadAttrs::mode),
                      field("pad_width", &MirrorPadAttrs::pad_width)};
  }
  bool operator==(const MirrorPadAttrs&) const = default;
};

/// nn.upsampling.
struct UpSamplingAttrs {
  double scale_h = 1;
  double scale_w = 1;
  std::string layout = "NCHW";
  std::string method = "nearest_neighbor";
  bool align_corners = false;

  static constexpr std::string_view kTypeKey = "UpSamplingAttrs";
  static constexpr auto fields() {
    return std::tuple{
        field("scale_h", &UpSamplingAttrs::scale_h), field("scale_w", &UpSamplingAttrs::scale_w),
        field("layout", &UpSamplingAttrs::layout), field("method", &UpSamplingAttrs::method),
        field("align_corners", &UpSamplingAttrs::align_corners)};
  }
  bool operator==(const UpSamplingAttrs&) const = default;
};

/// nn.depth_to_space, nn.space_to_depth.
struct SubPixelAttrs {
  std::int64_t block_size = 1;
  std::string layout = "NCHW";
  std::string mode = "DCR";

  static constexpr std::string_view kTypeKey = "SubPixelAttrs";
  static constexpr auto fields() {
    return std::tuple{field("block_size", &SubPixelAttrs::block_size),
                      inline_text("layout", &SubPixelAttrs::layout),
                      inline_text("mode", &SubPixelAttrs::mode)};
  }
  bool operator==(const SubPixelAttrs&) const = default;
};

}  // namespace tvmq::ir
