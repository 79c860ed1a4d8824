// Attributes of tensor, image, annotation and qnn operators (TVM: transform.h, reduce.h, image.h,
// annotation.h, qnn/attrs.h), with TVM's names, order and defaults.
#pragma once

#include "ir/attr_field.h"

namespace tvmq::ir {

/// clip.
struct ClipAttrs {
  double a_min = 0;
  double a_max = 0;

  static constexpr std::string_view kTypeKey = "ClipAttrs";
  static constexpr auto fields() {
    return std::tuple{field("a_min", &ClipAttrs::a_min), field("a_max", &ClipAttrs::a_max)};
  }
  bool operator==(const ClipAttrs&) const = default;
};

/// cast.
struct CastAttrs {
  DType dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "CastAttrs";
  static constexpr auto fields() { return std::tuple{field("dtype", &CastAttrs::dtype)}; }
  bool operator==(const CastAttrs&) const = default;
};

/// annotation.cast_hint.
struct CastHintAttrs {
  DType dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "CastHintAttrs";
  static constexpr auto fields() { return std::tuple{field("dtype", &CastHintAttrs::dtype)}; }
  bool operator==(const CastHintAttrs&) const = default;
};

/// concatenate.
struct ConcatenateAttrs {
  std::int64_t axis = 0;

  static constexpr std::string_view kTypeKey = "ConcatenateAttrs";
  static constexpr auto fields() { return std::tuple{field("axis", &ConcatenateAttrs::axis)}; }
  bool operator==(const ConcatenateAttrs&) const = default;
};

/// stack.
struct StackAttrs {
  OptionalInt axis = 0;

  static constexpr std::string_view kTypeKey = "StackAttrs";
  static constexpr auto fields() { return std::tuple{field("axis", &StackAttrs::axis)}; }
  bool operator==(const StackAttrs&) const = default;
};

/// reshape; 0 copies a dimension, -1 is inferred, -2..-4 as in TVM.
struct ReshapeAttrs {
  IntList newshape;
  bool allowzero = false;

  static constexpr std::string_view kTypeKey = "ReshapeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("newshape", &ReshapeAttrs::newshape),
                      field("allowzero", &ReshapeAttrs::allowzero)};
  }
  bool operator==(const ReshapeAttrs&) const = default;
};

/// transpose.
struct TransposeAttrs {
  OptionalIntList axes;

  static constexpr std::string_view kTypeKey = "TransposeAttrs";
  static constexpr auto fields() { return std::tuple{field("axes", &TransposeAttrs::axes)}; }
  bool operator==(const TransposeAttrs&) const = default;
};

/// squeeze.
struct SqueezeAttrs {
  OptionalIntList axis;

  static constexpr std::string_view kTypeKey = "SqueezeAttrs";
  static constexpr auto fields() { return std::tuple{field("axis", &SqueezeAttrs::axis)}; }
  bool operator==(const SqueezeAttrs&) const = default;
};

/// expand_dims.
struct ExpandDimsAttrs {
  std::int64_t axis = 0;
  std::int64_t num_newaxis = 1;

  static constexpr std::string_view kTypeKey = "ExpandDimsAttrs";
  static constexpr auto fields() {
    return std::tuple{field("axis", &ExpandDimsAttrs::axis),
                      field("num_newaxis", &ExpandDimsAttrs::num_newaxis)};
  }
  bool operator==(const ExpandDimsAttrs&) const = default;
};

/// split.
struct SplitAttrs {
  SectionsOrIndices indices_or_sections;
  std::int64_t axis = 0;

  static constexpr std::string_view kTypeKey = "SplitAttrs";
  static constexpr auto fields() {
    return std::tuple{field("indices_or_sections", &SplitAttrs::indices_or_sections),
                      field("axis", &SplitAttrs::axis)};
  }
  bool operator==(const SplitAttrs&) const = default;
};

/// strided_slice.
struct StridedSliceAttrs {
  OptionalIntList begin;
  OptionalIntList end;
  OptionalIntList strides;
  std::string slice_mode = "end";
  OptionalIntList axes;

  static constexpr std::string_view kTypeKey = "StridedSliceAttrs";
  static constexpr auto fields() {
    return std::tuple{field("begin", &StridedSliceAttrs::begin),
                      field("end", &StridedSliceAttrs::end),
                      field("strides", &StridedSliceAttrs::strides),
                      field("slice_mode", &StridedSliceAttrs::slice_mode),
                      field("axes", &StridedSliceAttrs::axes)};
  }
  bool operator==(const StridedSliceAttrs&) const = default;
};

/// take.
struct TakeAttrs {
  OptionalInt batch_dims = 0;
  OptionalInt axis;
  std::string mode = "clip";

  static constexpr std::string_view kTypeKey = "TakeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("batch_dims", &TakeAttrs::batch_dims), field("axis", &TakeAttrs::axis),
                      field("mode", &TakeAttrs::mode)};
  }
  bool operator==(const TakeAttrs&) const = default;
};

/// gather.
struct GatherAttrs {
  OptionalInt axis;

  static constexpr std::string_view kTypeKey = "GatherAttrs";
  static constexpr auto fields() { return std::tuple{field("axis", &GatherAttrs::axis)}; }
  bool operator==(const GatherAttrs&) const = default;
};

/// repeat.
struct RepeatAttrs {
  OptionalInt repeats;
  OptionalInt axis;

  static constexpr std::string_view kTypeKey = "RepeatAttrs";
  static constexpr auto fields() {
    return std::tuple{field("repeats", &RepeatAttrs::repeats), field("axis", &RepeatAttrs::axis)};
  }
  bool operator==(const RepeatAttrs&) const = default;
};

/// tile.
struct TileAttrs {
  OptionalIntList reps;

  static constexpr std::string_view kTypeKey = "TileAttrs";
  static constexpr auto fields() { return std::tuple{field("reps", &TileAttrs::reps)}; }
  bool operator==(const TileAttrs&) const = default;
};

/// reverse.
struct ReverseAttrs {
  OptionalInt axis;

  static constexpr std::string_view kTypeKey = "ReverseAttrs";
  static constexpr auto fields() { return std::tuple{field("axis", &ReverseAttrs::axis)}; }
  bool operator==(const ReverseAttrs&) const = default;
};

/// mean, sum, max, min, prod, all, any.
struct ReduceAttrs {
  OptionalIntList axis;  ///< all axes if null
  bool keepdims = false;
  bool exclude = false;

  static constexpr std::string_view kTypeKey = "ReduceAttrs";
  static constexpr auto fields() {
    return std::tuple{field("axis", &ReduceAttrs::axis), field("keepdims", &ReduceAttrs::keepdims),
                      field("exclude", &ReduceAttrs::exclude)};
  }
  bool operator==(const ReduceAttrs&) const = default;
};

/// argmax, argmin.
struct ArgReduceAttrs {
  OptionalIntList axis;
  bool keepdims = false;
  bool select_last_index = false;
  bool exclude = false;

  static constexpr std::string_view kTypeKey = "ArgReduceAttrs";
  static constexpr auto fields() {
    return std::tuple{field("axis", &ArgReduceAttrs::axis),
                      field("keepdims", &ArgReduceAttrs::keepdims),
                      field("select_last_index", &ArgReduceAttrs::select_last_index),
                      field("exclude", &ArgReduceAttrs::exclude)};
  }
  bool operator==(const ArgReduceAttrs&) const = default;
};

/// variance.
struct VarianceAttrs {
  OptionalIntList axis;
  bool keepdims = false;
  bool exclude = false;
  bool unbiased = false;

  static constexpr std::string_view kTypeKey = "VarianceAttrs";
  static constexpr auto fields() {
    return std::tuple{
        field("axis", &VarianceAttrs::axis), field("keepdims", &VarianceAttrs::keepdims),
        field("exclude", &VarianceAttrs::exclude), field("unbiased", &VarianceAttrs::unbiased)};
  }
  bool operator==(const VarianceAttrs&) const = default;
};

/// zeros, ones, full, broadcast_to.
struct InitOpAttrs {
  OptionalIntList shape;
  DType dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "InitOpAttrs";
  static constexpr auto fields() {
    return std::tuple{field("shape", &InitOpAttrs::shape), field("dtype", &InitOpAttrs::dtype)};
  }
  bool operator==(const InitOpAttrs&) const = default;
};

/// one_hot.
struct OneHotAttrs {
  std::int64_t depth = 1;
  std::int64_t axis = -1;
  DType dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "OneHotAttrs";
  static constexpr auto fields() {
    return std::tuple{field("depth", &OneHotAttrs::depth), field("axis", &OneHotAttrs::axis),
                      field("dtype", &OneHotAttrs::dtype)};
  }
  bool operator==(const OneHotAttrs&) const = default;
};

/// image.resize2d.
struct Resize2DAttrs {
  OptionalIntList size;
  DoubleList roi;
  std::string layout = "NCHW";
  std::string method = "linear";
  std::string coordinate_transformation_mode = "half_pixel";
  std::string rounding_method = "round";
  double cubic_alpha = -0.5;
  std::int64_t cubic_exclude = 0;
  double extrapolation_value = 0;
  DType out_dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "Resize2DAttrs";
  static constexpr auto fields() {
    return std::tuple{field("size", &Resize2DAttrs::size),
                      field("roi", &Resize2DAttrs::roi),
                      inline_text("layout", &Resize2DAttrs::layout),
                      inline_text("method", &Resize2DAttrs::method),
                      inline_text("coordinate_transformation_mode",
                                  &Resize2DAttrs::coordinate_transformation_mode),
                      inline_text("rounding_method", &Resize2DAttrs::rounding_method),
                      field("cubic_alpha", &Resize2DAttrs::cubic_alpha),
                      field("cubic_exclude", &Resize2DAttrs::cubic_exclude),
                      field("extrapolation_value", &Resize2DAttrs::extrapolation_value),
                      field("out_dtype", &Resize2DAttrs::out_dtype)};
  }
  bool operator==(const Resize2DAttrs&) const = default;
};

/// layout_transform.
struct LayoutTransformAttrs {
  std::string src_layout;
  std::string dst_layout;

  static constexpr std::string_view kTypeKey = "LayoutTransformAttrs";
  static constexpr auto fields() {
    return std::tuple{inline_text("src_layout", &LayoutTransformAttrs::src_layout),
                      inline_text("dst_layout", &LayoutTransformAttrs::dst_layout)};
  }
  bool operator==(const LayoutTransformAttrs&) const = default;
};

/// fixed_point_multiply: multiplier is a signed Q31 number.
struct FixedPointMultiplyAttrs {
  std::int64_t multiplier = 0;
  std::int64_t shift = 0;

  static constexpr std::string_view kTypeKey = "FixedPointMultiplyAttrs";
  static constexpr auto fields() {
    return std::tuple{field("multiplier", &FixedPointMultiplyAttrs::multiplier),
                      field("shift", &FixedPointMultiplyAttrs::shift)};
  }
  bool operator==(const FixedPointMultiplyAttrs&) const = default;
};

/// fixed_point_multiply_per_axis.
struct FixedPointMultiplyPerAxisAttrs {
  bool is_lshift_required = false;
  bool is_rshift_required = false;
  OptionalIntList axes;

  static constexpr std::string_view kTypeKey = "FixedPointMultiplyPerAxisAttrs";
  static constexpr auto fields() {
    return std::tuple{
        field("is_lshift_required", &FixedPointMultiplyPerAxisAttrs::is_lshift_required),
        field("is_rshift_required", &FixedPointMultiplyPerAxisAttrs::is_rshift_required),
        field("axes", &FixedPointMultiplyPerAxisAttrs::axes)};
  }
  bool operator==(const FixedPointMultiplyPerAxisAttrs&) const = default;
};

/// qnn.quantize.
struct QuantizeAttrs {
  DType out_dtype = DType::kVoid;
  std::int64_t axis = -1;

  static constexpr std::string_view kTypeKey = "QuantizeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("out_dtype", &QuantizeAttrs::out_dtype),
                      field("axis", &QuantizeAttrs::axis)};
  }
  bool operator==(const QuantizeAttrs&) const = default;
};

/// qnn.dequantize.
struct DequantizeAttrs {
  DType out_dtype = DType::kVoid;
  std::int64_t axis = -1;

  static constexpr std::string_view kTypeKey = "DequantizeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("out_dtype", &DequantizeAttrs::out_dtype),
                      field("axis", &DequantizeAttrs::axis)};
  }
  bool operator==(const DequantizeAttrs&) const = default;
};

/// qnn.requantize.
struct RequantizeAttrs {
  std::int64_t axis = -1;
  std::string rounding = "None";
  std::string compute_dtype = "None";
  DType out_dtype = DType::kVoid;

  static constexpr std::string_view kTypeKey = "RequantizeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("axis", &RequantizeAttrs::axis),
                      inline_text("rounding", &RequantizeAttrs::rounding),
                      inline_text("compute_dtype", &RequantizeAttrs::compute_dtype),
                      field("out_dtype", &RequantizeAttrs::out_dtype)};
  }
  bool operator==(const RequantizeAttrs&) const = default;
};

/// qnn.add, qnn.subtract, qnn.mul.
struct BroadcastAttrs {
  std::int64_t lhs_axis = -1;
  std::int64_t rhs_axis = -1;

  static constexpr std::string_view kTypeKey = "BroadcastAttrs";
  static constexpr auto fields() {
    return std::tuple{field("lhs_axis", &BroadcastAttrs::lhs_axis),
                      field("rhs_axis", &BroadcastAttrs::rhs_axis)};
  }
  bool operator==(const BroadcastAttrs&) const = default;
};

}  // namespace tvmq::ir
