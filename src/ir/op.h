// The operators that this program knows by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ir/attrs.h"

namespace tvmq::ir {

enum class Op : std::uint8_t {
  kOpaque,  ///< any other operator: carried from file to file by name, never computed
  kConv1D,
  kConv2D,
  kConv3D,
  kConv1DTranspose,
  kConv2DTranspose,
  kConv3DTranspose,
  kDense,
  kMatmul,
  kBatchMatmul,
  kBiasAdd,
  kMaxPool1D,
  kMaxPool2D,
  kMaxPool3D,
  kAvgPool1D,
  kAvgPool2D,
  kAvgPool3D,
  kGlobalAvgPool2D,
  kGlobalMaxPool2D,
  kAdaptiveAvgPool1D,
  kAdaptiveMaxPool1D,
  kAdaptiveAvgPool2D,
  kAdaptiveMaxPool2D,
  kAdaptiveAvgPool3D,
  kAdaptiveMaxPool3D,
  kSoftmax,
  kLogSoftmax,
  kRelu,
  kPrelu,
  kLeakyRelu,
  kDropout,
  kBatchNorm,
  kInstanceNorm,
  kLayerNorm,
  kGroupNorm,
  kL2Normalize,
  kLrn,
  kPad,
  kMirrorPad,
  kUpsampling,
  kDepthToSpace,
  kSpaceToDepth,
  kBatchFlatten,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kMod,
  kFloorMod,
  kPower,
  kMaximum,
  kMinimum,
  kLeftShift,
  kRightShift,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kLogicalAnd,
  kLogicalOr,
  kLogicalNot,
  kWhere,
  kAbs,
  kNegative,
  kExp,
  kFastExp,  ///< exp by a polynomial
  kLog,
  kLog2,
  kSqrt,
  kRsqrt,
  kSigmoid,
  kTanh,
  kErf,
  kSin,
  kCos,
  kAtan,
  kSign,
  kCeil,
  kFloor,
  kRound,
  kTrunc,
  kCopy,
  kClip,
  kCast,
  kConcatenate,
  kStack,
  kReshape,
  kTranspose,
  kSqueeze,
  kExpandDims,
  kSplit,
  kStridedSlice,
  kTake,
  kGather,
  kRepeat,
  kTile,
  kReverse,
  kLayoutTransform,
  kBroadcastTo,
  kBroadcastToLike,
  kZerosLike,
  kOnesLike,
  kZeros,
  kOnes,
  kFull,
  kFullLike,
  kOneHot,
  kMean,
  kSum,
  kMax,
  kMin,
  kProd,
  kArgmax,
  kArgmin,
  kVariance,
  kResize2D,
  kFixedPointMultiply,
  kFixedPointMultiplyPerAxis,
  kCastHint,
  kStopFusion,
  kQnnQuantize,
  kQnnDequantize,
  kQnnRequantize,
  kQnnConv2D,
  kQnnDense,
  kQnnAdd,
  kQnnSubtract,
  kQnnMul,
  kQnnConcatenate,
  kQnnAvgPool2D,
  kQnnLeakyRelu,
  kSimulatedQuantize
};

/// What holds for every call of an operator.
struct OpInfo {
  Op op;
  std::string_view name;    ///< as TVM registers it: "nn.conv2d"
  std::size_t arguments;    ///< number of arguments; a tuple counts as one
  std::size_t attrs_index;  ///< which alternative of Attrs its calls carry
  Attrs default_attrs;      ///< that alternative with TVM's defaults
};

/// The row of an operator. REQUIRES: op != kOpaque.
const OpInfo& op_info(Op op);
/// The operator that TVM calls `name`; nothing if this program has no row for it.
std::optional<Op> find_op(std::string_view name);

}  // namespace tvmq::ir
