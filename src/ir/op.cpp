#include "ir/op.h"

#include <unordered_map>
#include <vector>

#include "base/error.h"

namespace tvmq::ir {
namespace {

template <class AttrsStruct>
OpInfo row(Op op, std::string_view name, std::size_t arguments) {
  Attrs defaults = AttrsStruct{};
  return {op, name, arguments, defaults.index(), defaults};
}

/// One row per operator, in the order of the enumeration.
const std::vector<OpInfo>& table() {
  static const std::vector<OpInfo> rows{
      row<Conv1DAttrs>(Op::kConv1D, "nn.conv1d", 2),
      row<Conv2DAttrs>(Op::kConv2D, "nn.conv2d", 2),
      row<Conv3DAttrs>(Op::kConv3D, "nn.conv3d", 2),
      row<Conv1DTransposeAttrs>(Op::kConv1DTranspose, "nn.conv1d_transpose", 2),
      row<Conv2DTransposeAttrs>(Op::kConv2DTranspose, "nn.conv2d_transpose", 2),
      row<Conv3DTransposeAttrs>(Op::kConv3DTranspose, "nn.conv3d_transpose", 2),
      row<DenseAttrs>(Op::kDense, "nn.dense", 2),
      row<MatmulAttrs>(Op::kMatmul, "nn.matmul", 2),
      row<BatchMatmulAttrs>(Op::kBatchMatmul, "nn.batch_matmul", 2),
      row<BiasAddAttrs>(Op::kBiasAdd, "nn.bias_add", 2),
      row<MaxPool1DAttrs>(Op::kMaxPool1D, "nn.max_pool1d", 1),
      row<MaxPool2DAttrs>(Op::kMaxPool2D, "nn.max_pool2d", 1),
      row<MaxPool3DAttrs>(Op::kMaxPool3D, "nn.max_pool3d", 1),
      row<AvgPool1DAttrs>(Op::kAvgPool1D, "nn.avg_pool1d", 1),
      row<AvgPool2DAttrs>(Op::kAvgPool2D, "nn.avg_pool2d", 1),
      row<AvgPool3DAttrs>(Op::kAvgPool3D, "nn.avg_pool3d", 1),
      row<GlobalPool2DAttrs>(Op::kGlobalAvgPool2D, "nn.global_avg_pool2d", 1),
      row<GlobalPool2DAttrs>(Op::kGlobalMaxPool2D, "nn.global_max_pool2d", 1),
      row<AdaptivePool1DAttrs>(Op::kAdaptiveAvgPool1D, "nn.adaptive_avg_pool1d", 1),
      row<AdaptivePool1DAttrs>(Op::kAdaptiveMaxPool1D, "nn.adaptive_max_pool1d", 1),
      row<AdaptivePool2DAttrs>(Op::kAdaptiveAvgPool2D, "nn.adaptive_avg_pool2d", 1),
      row<AdaptivePool2DAttrs>(Op::kAdaptiveMaxPool2D, "nn.adaptive_max_pool2d", 1),
      row<AdaptivePool3DAttrs>(Op::kAdaptiveAvgPool3D, "nn.adaptive_avg_pool3d", 1),
      row<AdaptivePool3DAttrs>(Op::kAdaptiveMaxPool3D, "nn.adaptive_max_pool3d", 1),
      row<SoftmaxAttrs>(Op::kSoftmax, "nn.softmax", 1),
      row<SoftmaxAttrs>(Op::kLogSoftmax, "nn.log_softmax", 1),
      row<std::monostate>(Op::kRelu, "nn.relu", 1),
      row<PReluAttrs>(Op::kPrelu, "nn.prelu", 2),
      row<LeakyReluAttrs>(Op::kLeakyRelu, "nn.leaky_relu", 1),
      row<DropoutAttrs>(Op::kDropout, "nn.dropout", 1),
      row<BatchNormAttrs>(Op::kBatchNorm, "nn.batch_norm", 5),
      row<InstanceNormAttrs>(Op::kInstanceNorm, "nn.instance_norm", 3),
      row<LayerNormAttrs>(Op::kLayerNorm, "nn.layer_norm", 3),
      row<GroupNormAttrs>(Op::kGroupNorm, "nn.group_norm", 3),
      row<L2NormalizeAttrs>(Op::kL2Normalize, "nn.l2_normalize", 1),
      row<LRNAttrs>(Op::kLrn, "nn.lrn", 1),
      row<PadAttrs>(Op::kPad, "nn.pad", 2),
      row<MirrorPadAttrs>(Op::kMirrorPad, "nn.mirror_pad", 1),
      row<UpSamplingAttrs>(Op::kUpsampling, "nn.upsampling", 1),
      row<SubPixelAttrs>(Op::kDepthToSpace, "nn.depth_to_space", 1),
      row<SubPixelAttrs>(Op::kSpaceToDepth, "nn.space_to_depth", 1),
      row<std::monostate>(Op::kBatchFlatten, "nn.batch_flatten", 1),
      row<std::monostate>(Op::kAdd, "add", 2),
      row<std::monostate>(Op::kSubtract, "subtract", 2),
      row<std::monostate>(Op::kMultiply, "multiply", 2),
      row<std::monostate>(Op::kDivide, "divide", 2),
      row<std::monostate>(Op::kFloorDivide, "floor_divide", 2),
      row<std::monostate>(Op::kMod, "mod", 2),
      row<std::monostate>(Op::kFloorMod, "floor_mod", 2),
      row<std::monostate>(Op::kPower, "power", 2),
      row<std::monostate>(Op::kMaximum, "maximum", 2),
      row<std::monostate>(Op::kMinimum, "minimum", 2),
      row<std::monostate>(Op::kLeftShift, "left_shift", 2),
      row<std::monostate>(Op::kRightShift, "right_shift", 2),
      row<std::monostate>(Op::kEqual, "equal", 2),
      row<std::monostate>(Op::kNotEqual, "not_equal", 2),
      row<std::monostate>(Op::kLess, "less", 2),
      row<std::monostate>(Op::kLessEqual, "less_equal", 2),
      row<std::monostate>(Op::kGreater, "greater", 2),
      row<std::monostate>(Op::kGreaterEqual, "greater_equal", 2),
      row<std::monostate>(Op::kLogicalAnd, "logical_and", 2),
      row<std::monostate>(Op::kLogicalOr, "logical_or", 2),
      row<std::monostate>(Op::kLogicalNot, "logical_not", 1),
      row<std::monostate>(Op::kWhere, "where", 3),
      row<std::monostate>(Op::kAbs, "abs", 1),
      row<std::monostate>(Op::kNegative, "negative", 1),
      row<std::monostate>(Op::kExp, "exp", 1),
      row<std::monostate>(Op::kFastExp, "fast_exp", 1),
      row<std::monostate>(Op::kLog, "log", 1),
      row<std::monostate>(Op::kLog2, "log2", 1),
      row<std::monostate>(Op::kSqrt, "sqrt", 1),
      row<std::monostate>(Op::kRsqrt, "rsqrt", 1),
      row<std::monostate>(Op::kSigmoid, "sigmoid", 1),
      row<std::monostate>(Op::kTanh, "tanh", 1),
      row<std::monostate>(Op::kErf, "erf", 1),
      row<std::monostate>(Op::kSin, "sin", 1),
      row<std::monostate>(Op::kCos, "cos", 1),
      row<std::monostate>(Op::kAtan, "atan", 1),
      row<std::monostate>(Op::kSign, "sign", 1),
      row<std::monostate>(Op::kCeil, "ceil", 1),
      row<std::monostate>(Op::kFloor, "floor", 1),
      row<std::monostate>(Op::kRound, "round", 1),
      row<std::monostate>(Op::kTrunc, "trunc", 1),
      row<std::monostate>(Op::kCopy, "copy", 1),
      row<ClipAttrs>(Op::kClip, "clip", 1),
      row<CastAttrs>(Op::kCast, "cast", 1),
      row<ConcatenateAttrs>(Op::kConcatenate, "concatenate", 1),
      row<StackAttrs>(Op::kStack, "stack", 1),
      row<ReshapeAttrs>(Op::kReshape, "reshape", 1),
      row<TransposeAttrs>(Op::kTranspose, "transpose", 1),
      row<SqueezeAttrs>(Op::kSqueeze, "squeeze", 1),
      row<ExpandDimsAttrs>(Op::kExpandDims, "expand_dims", 1),
      row<SplitAttrs>(Op::kSplit, "split", 1),
      row<StridedSliceAttrs>(Op::kStridedSlice, "strided_slice", 1),
      row<TakeAttrs>(Op::kTake, "take", 2),
      row<GatherAttrs>(Op::kGather, "gather", 2),
      row<RepeatAttrs>(Op::kRepeat, "repeat", 1),
      row<TileAttrs>(Op::kTile, "tile", 1),
      row<ReverseAttrs>(Op::kReverse, "reverse", 1),
      row<LayoutTransformAttrs>(Op::kLayoutTransform, "layout_transform", 1),
      row<InitOpAttrs>(Op::kBroadcastTo, "broadcast_to", 1),
      row<std::monostate>(Op::kBroadcastToLike, "broadcast_to_like", 2),
      row<std::monostate>(Op::kZerosLike, "zeros_like", 1),
      row<std::monostate>(Op::kOnesLike, "ones_like", 1),
      row<InitOpAttrs>(Op::kZeros, "zeros", 0),
      row<InitOpAttrs>(Op::kOnes, "ones", 0),
      row<InitOpAttrs>(Op::kFull, "full", 1),
      row<std::monostate>(Op::kFullLike, "full_like", 2),
      row<OneHotAttrs>(Op::kOneHot, "one_hot", 3),
      row<ReduceAttrs>(Op::kMean, "mean", 1),
      row<ReduceAttrs>(Op::kSum, "sum", 1),
      row<ReduceAttrs>(Op::kMax, "max", 1),
      row<ReduceAttrs>(Op::kMin, "min", 1),
      row<ReduceAttrs>(Op::kProd, "prod", 1),
      row<ArgReduceAttrs>(Op::kArgmax, "argmax", 1),
      row<ArgReduceAttrs>(Op::kArgmin, "argmin", 1),
      row<VarianceAttrs>(Op::kVariance, "variance", 2),
      row<Resize2DAttrs>(Op::kResize2D, "image.resize2d", 1),
      row<FixedPointMultiplyAttrs>(Op::kFixedPointMultiply, "fixed_point_multiply", 1),
      row<FixedPointMultiplyPerAxisAttrs>(Op::kFixedPointMultiplyPerAxis,
                                          "fixed_point_multiply_per_axis", 4),
      row<CastHintAttrs>(Op::kCastHint, "annotation.cast_hint", 1),
      row<std::monostate>(Op::kStopFusion, "annotation.stop_fusion", 1),
      row<QuantizeAttrs>(Op::kQnnQuantize, "qnn.quantize", 3),
      row<DequantizeAttrs>(Op::kQnnDequantize, "qnn.dequantize", 3),
      row<RequantizeAttrs>(Op::kQnnRequantize, "qnn.requantize", 5),
      row<Conv2DAttrs>(Op::kQnnConv2D, "qnn.conv2d", 6),
      row<DenseAttrs>(Op::kQnnDense, "qnn.dense", 6),
      row<BroadcastAttrs>(Op::kQnnAdd, "qnn.add", 8),
      row<BroadcastAttrs>(Op::kQnnSubtract, "qnn.subtract", 8),
      row<BroadcastAttrs>(Op::kQnnMul, "qnn.mul", 8),
      row<ConcatenateAttrs>(Op::kQnnConcatenate, "qnn.concatenate", 5),
      row<AvgPool2DAttrs>(Op::kQnnAvgPool2D, "qnn.avg_pool2d", 5),
      row<LeakyReluAttrs>(Op::kQnnLeakyRelu, "qnn.leaky_relu", 5),
      row<SimulatedQuantizeAttrs>(Op::kSimulatedQuantize, "relay.op.annotation.simulated_quantize",
                                  1),
  };
  return rows;
}

}  // namespace

const OpInfo& op_info(Op op) {
  const auto index = static_cast<std::size_t>(op);
  check(index >= 1 && index <= table().size(), "operator without a row");
  const OpInfo& info = table()[index - 1];
  check(info.op == op, "operator table out of order");
  return info;
}

std::optional<Op> find_op(std::string_view name) {
  static const std::unordered_map<std::string_view, Op> by_name = [] {
    std::unordered_map<std::string_view, Op> map;
    for (const OpInfo& info : table()) map.emplace(info.name, info.op);
    return map;
  }();
  const auto found = by_name.find(name);
  if (found == by_name.end()) return std::nullopt;
  return found->second;
}

}  // namespace tvmq::ir
