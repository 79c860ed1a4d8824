// The attributes of one operator call.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ir/attrs_conv.h"
#include "ir/attrs_nn.h"
#include "ir/attrs_tensor.h"

namespace tvmq::ir {

/// A value of an attribute struct that we carry from file to file without computing with it.
/// `std::monostate` is a null reference.
struct OpaqueValue {
  std::variant<std::monostate, std::int64_t, bool, double, DType, std::string, IntList, IntMatrix,
               DoubleList, SectionsOrIndices>
      value;
  TextStorage text_storage = TextStorage::kStringNode;
  bool operator==(const OpaqueValue&) const = default;
};

/// Attributes of a TVM operator that has no struct here: nothing in this program computes with
/// them, they are read, kept and written back.
struct OpaqueAttrs {
  std::string type_key;  ///< "YoloReorgAttrs": TVM's key without "relay.attrs."
  std::vector<std::pair<std::string, OpaqueValue>> fields;  ///< in TVM's order
  bool operator==(const OpaqueAttrs&) const = default;
};

/// quant's own marker in a graph between annotate and realize; never written to a file
/// (relay_quantize.md 3.2). The scale is bound by calibration.
struct SimulatedQuantizeAttrs {
  std::int64_t kind = 0;  ///< TVM's QAnnotateKind: 1 input, 2 weight, 3 activation
  double scale = 0;       ///< dom_scale, a float32 value; 0 before calibration
  double clip_min = 0;
  double clip_max = 0;

  static constexpr std::string_view kTypeKey = "SimulatedQuantizeAttrs";
  static constexpr auto fields() {
    return std::tuple{field("kind", &SimulatedQuantizeAttrs::kind),
                      field("scale", &SimulatedQuantizeAttrs::scale),
                      field("clip_min", &SimulatedQuantizeAttrs::clip_min),
                      field("clip_max", &SimulatedQuantizeAttrs::clip_max)};
  }
  bool operator==(const SimulatedQuantizeAttrs&) const = default;
};

/// std::monostate for operators without attributes.
using Attrs = std::variant<
    std::monostate, Conv1DAttrs, Conv2DAttrs, Conv3DAttrs, Conv1DTransposeAttrs,
    Conv2DTransposeAttrs, Conv3DTransposeAttrs, DenseAttrs, MatmulAttrs, BatchMatmulAttrs,
    BiasAddAttrs, MaxPool1DAttrs, MaxPool2DAttrs, MaxPool3DAttrs, AvgPool1DAttrs, AvgPool2DAttrs,
    AvgPool3DAttrs, GlobalPool2DAttrs, AdaptivePool1DAttrs, AdaptivePool2DAttrs,
    AdaptivePool3DAttrs, SoftmaxAttrs, PReluAttrs, LeakyReluAttrs, DropoutAttrs, BatchNormAttrs,
    InstanceNormAttrs, LayerNormAttrs, GroupNormAttrs, L2NormalizeAttrs, LRNAttrs, PadAttrs,
    MirrorPadAttrs, UpSamplingAttrs, SubPixelAttrs, ClipAttrs, CastAttrs, CastHintAttrs,
    ConcatenateAttrs, StackAttrs, ReshapeAttrs, TransposeAttrs, SqueezeAttrs, ExpandDimsAttrs,
    SplitAttrs, StridedSliceAttrs, TakeAttrs, GatherAttrs, RepeatAttrs, TileAttrs, ReverseAttrs,
    ReduceAttrs, ArgReduceAttrs, VarianceAttrs, InitOpAttrs, OneHotAttrs, Resize2DAttrs,
    LayoutTransformAttrs, FixedPointMultiplyAttrs, FixedPointMultiplyPerAxisAttrs, QuantizeAttrs,
    DequantizeAttrs, RequantizeAttrs, BroadcastAttrs, SimulatedQuantizeAttrs, OpaqueAttrs>;

/// Attributes as a node keeps them: a cheap handle, whose copies share one constant value. Most
/// nodes have none, and those of a convolution would be more than half of every node.
class SharedAttrs {
 public:
  SharedAttrs() = default;  ///< std::monostate
  // NOLINTNEXTLINE(google-explicit-constructor): a node's attributes are Attrs to everyone
  SharedAttrs(Attrs attrs) {
    if (attrs.index() != 0) attrs_ = std::make_shared<const Attrs>(std::move(attrs));
  }

  [[nodiscard]] const Attrs& operator*() const { return attrs_ == nullptr ? kNone : *attrs_; }
  [[nodiscard]] const Attrs* operator->() const { return &**this; }
  bool operator==(const SharedAttrs& other) const { return **this == *other; }

 private:
  static const Attrs kNone;

  std::shared_ptr<const Attrs> attrs_;  ///< null: std::monostate
};

inline const Attrs SharedAttrs::kNone;

}  // namespace tvmq::ir
