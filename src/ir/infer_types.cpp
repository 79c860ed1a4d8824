#include "ir/infer_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

struct Row {
  Op op;
  TypeRule rule;
};

/// One row per operator, in the order of the enumeration.
constexpr std::array kRules{
    Row{Op::kConv1D, conv1d_type},
    Row{Op::kConv2D, conv2d_type},
    Row{Op::kConv3D, conv3d_type},
    Row{Op::kConv1DTranspose, conv1d_transpose_type},
    Row{Op::kConv2DTranspose, conv2d_transpose_type},
    Row{Op::kConv3DTranspose, conv3d_transpose_type},
    Row{Op::kDense, dense_type},
    Row{Op::kMatmul, matmul_type},
    Row{Op::kBatchMatmul, batch_matmul_type},
    Row{Op::kBiasAdd, bias_add_type},
    Row{Op::kMaxPool1D, max_pool1d_type},
    Row{Op::kMaxPool2D, max_pool2d_type},
    Row{Op::kMaxPool3D, max_pool3d_type},
    Row{Op::kAvgPool1D, avg_pool1d_type},
    Row{Op::kAvgPool2D, avg_pool2d_type},
    Row{Op::kAvgPool3D, avg_pool3d_type},
    Row{Op::kGlobalAvgPool2D, global_pool2d_type},
    Row{Op::kGlobalMaxPool2D, global_pool2d_type},
    Row{Op::kAdaptiveAvgPool1D, adaptive_pool1d_type},
    Row{Op::kAdaptiveMaxPool1D, adaptive_pool1d_type},
    Row{Op::kAdaptiveAvgPool2D, adaptive_pool2d_type},
    Row{Op::kAdaptiveMaxPool2D, adaptive_pool2d_type},
    Row{Op::kAdaptiveAvgPool3D, adaptive_pool3d_type},
    Row{Op::kAdaptiveMaxPool3D, adaptive_pool3d_type},
    Row{Op::kSoftmax, softmax_type},
    Row{Op::kLogSoftmax, softmax_type},
    Row{Op::kRelu, identity_type},
    Row{Op::kPrelu, prelu_type},
    Row{Op::kLeakyRelu, identity_type},
    Row{Op::kDropout, dropout_type},
    Row{Op::kBatchNorm, batch_norm_type},
    Row{Op::kInstanceNorm, instance_norm_type},
    Row{Op::kLayerNorm, layer_norm_type},
    Row{Op::kGroupNorm, group_norm_type},
    Row{Op::kL2Normalize, l2_normalize_type},
    Row{Op::kLrn, lrn_type},
    Row{Op::kPad, pad_type},
    Row{Op::kMirrorPad, mirror_pad_type},
    Row{Op::kUpsampling, upsampling_type},
    Row{Op::kDepthToSpace, depth_to_space_type},
    Row{Op::kSpaceToDepth, space_to_depth_type},
    Row{Op::kBatchFlatten, batch_flatten_type},
    Row{Op::kAdd, broadcast_type},
    Row{Op::kSubtract, broadcast_type},
    Row{Op::kMultiply, broadcast_type},
    Row{Op::kDivide, broadcast_type},
    Row{Op::kFloorDivide, broadcast_type},
    Row{Op::kMod, broadcast_type},
    Row{Op::kFloorMod, broadcast_type},
    Row{Op::kPower, broadcast_type},
    Row{Op::kMaximum, broadcast_type},
    Row{Op::kMinimum, broadcast_type},
    Row{Op::kLeftShift, broadcast_type},
    Row{Op::kRightShift, broadcast_type},
    Row{Op::kEqual, comparison_type},
    Row{Op::kNotEqual, comparison_type},
    Row{Op::kLess, comparison_type},
    Row{Op::kLessEqual, comparison_type},
    Row{Op::kGreater, comparison_type},
    Row{Op::kGreaterEqual, comparison_type},
    Row{Op::kLogicalAnd, broadcast_type},
    Row{Op::kLogicalOr, broadcast_type},
    Row{Op::kLogicalNot, identity_type},
    Row{Op::kWhere, where_type},
    Row{Op::kAbs, identity_type},
    Row{Op::kNegative, identity_type},
    Row{Op::kExp, identity_type},
    Row{Op::kFastExp, identity_type},
    Row{Op::kLog, identity_type},
    Row{Op::kLog2, identity_type},
    Row{Op::kSqrt, identity_type},
    Row{Op::kRsqrt, identity_type},
    Row{Op::kSigmoid, identity_type},
    Row{Op::kTanh, identity_type},
    Row{Op::kErf, identity_type},
    Row{Op::kSin, identity_type},
    Row{Op::kCos, identity_type},
    Row{Op::kAtan, identity_type},
    Row{Op::kSign, identity_type},
    Row{Op::kCeil, identity_type},
    Row{Op::kFloor, identity_type},
    Row{Op::kRound, identity_type},
    Row{Op::kTrunc, identity_type},
    Row{Op::kCopy, identity_type},
    Row{Op::kClip, identity_type},
    Row{Op::kCast, cast_type},
    Row{Op::kConcatenate, concatenate_type},
    Row{Op::kStack, stack_type},
    Row{Op::kReshape, reshape_type},
    Row{Op::kTranspose, transpose_type},
    Row{Op::kSqueeze, squeeze_type},
    Row{Op::kExpandDims, expand_dims_type},
    Row{Op::kSplit, split_type},
    Row{Op::kStridedSlice, strided_slice_type},
    Row{Op::kTake, take_type},
    Row{Op::kGather, gather_type},
    Row{Op::kRepeat, repeat_type},
    Row{Op::kTile, tile_type},
    Row{Op::kReverse, reverse_type},
    Row{Op::kLayoutTransform, layout_transform_type},
    Row{Op::kBroadcastTo, broadcast_to_type},
    Row{Op::kBroadcastToLike, broadcast_to_like_type},
    Row{Op::kZerosLike, identity_type},
    Row{Op::kOnesLike, identity_type},
    Row{Op::kZeros, init_type},
    Row{Op::kOnes, init_type},
    Row{Op::kFull, full_type},
    Row{Op::kFullLike, full_like_type},
    Row{Op::kOneHot, one_hot_type},
    Row{Op::kMean, reduce_type},
    Row{Op::kSum, reduce_type},
    Row{Op::kMax, reduce_type},
    Row{Op::kMin, reduce_type},
    Row{Op::kProd, reduce_type},
    Row{Op::kArgmax, arg_reduce_type},
    Row{Op::kArgmin, arg_reduce_type},
    Row{Op::kVariance, variance_type},
    Row{Op::kResize2D, resize2d_type},
    Row{Op::kFixedPointMultiply, identity_type},
    Row{Op::kFixedPointMultiplyPerAxis, fixed_point_multiply_per_axis_type},
    Row{Op::kCastHint, identity_type},
    Row{Op::kStopFusion, identity_type},
    Row{Op::kQnnQuantize, qnn_quantize_type},
    Row{Op::kQnnDequantize, qnn_dequantize_type},
    Row{Op::kQnnRequantize, qnn_requantize_type},
    Row{Op::kQnnConv2D, qnn_conv2d_type},
    Row{Op::kQnnDense, qnn_dense_type},
    Row{Op::kQnnAdd, qnn_broadcast_type},
    Row{Op::kQnnSubtract, qnn_broadcast_type},
    Row{Op::kQnnMul, qnn_broadcast_type},
    Row{Op::kQnnConcatenate, qnn_concatenate_type},
    Row{Op::kQnnAvgPool2D, qnn_avg_pool2d_type},
    Row{Op::kQnnLeakyRelu, qnn_leaky_relu_type},
    Row{Op::kSimulatedQuantize, simulated_quantize_type},
};

constexpr bool in_enumeration_order() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (kRules[i].op != static_cast<Op>(i + 1)) return false;
  }
  return kRules.back().op == Op::kSimulatedQuantize;
}
static_assert(in_enumeration_order(), "every operator has its rule in its place");

/// What no tensor can be, whatever made it; empty if nothing is wrong.
std::string defect(const TensorType& type) {
  if (type.dtype == DType::kVoid) return "has no dtype";
  if (type.shape.size() > kMaxRank) {
    return fmt::format("has {} dimensions, expected at most {}", type.shape.size(), kMaxRank);
  }
  Wide count = 1;
  for (const std::int64_t each : type.shape) {
    if (each == kDynamicDim) continue;
    if (each < 0) return fmt::format("has the negative dimension {}", each);
    count *= std::max<std::int64_t>(each, 1);
    if (count > kMaxExtent) {
      return fmt::format("is {}, more than {} elements", to_string(type), kMaxExtent);
    }
  }
  return {};
}

/// Throws for types that no value can have.
void check_result(const Graph& graph, NodeId id, const Type& type) {
  const auto check_tensor = [&](const TensorType& tensor) {
    const std::string wrong = defect(tensor);
    if (!wrong.empty()) {
      throw InputError(fmt::format("{}: the result {}", describe(graph, id), wrong));
    }
  };
  if (const auto* tensor = std::get_if<TensorType>(&type)) check_tensor(*tensor);
  if (const auto* tuple = std::get_if<TupleType>(&type)) {
    for (const TensorType& field : tuple->fields) check_tensor(field);
  }
}

Type call_type(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.op == Op::kOpaque) return {};
  const OpInfo& info = op_info(node.op);
  if (node.inputs.size() != info.arguments) {
    throw InputError(fmt::format("{}: {} arguments, expected {}", describe(graph, id),
                                 node.inputs.size(), info.arguments));
  }
  for (const NodeId input : node.inputs) {
    if (!is_known(graph[input].type)) return {};
  }
  Type type = kRules[static_cast<std::size_t>(node.op) - 1].rule(RuleCall(graph, id));
  check_result(graph, id, type);
  return type;
}

/// Tuples of tuples and tuples with unknown fields are unknown.
Type tuple_type(const Graph& graph, const Node& node) {
  TupleType tuple;
  tuple.fields.reserve(node.inputs.size());
  for (const NodeId input : node.inputs) {
    const auto* field = std::get_if<TensorType>(&graph[input].type);
    if (field == nullptr) return {};
    tuple.fields.push_back(*field);
  }
  return tuple;
}

Type field_type(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  const Type& operand = graph[node.inputs.at(0)].type;
  if (!is_known(operand)) return {};
  const auto* tuple = std::get_if<TupleType>(&operand);
  if (tuple == nullptr) {
    throw InputError(fmt::format("{}: its operand is {}, expected a tuple", describe(graph, id),
                                 to_string(operand)));
  }
  if (node.index < 0 || node.index >= static_cast<std::int64_t>(tuple->fields.size())) {
    throw InputError(fmt::format("{}: field {} of a tuple with {} fields", describe(graph, id),
                                 node.index, tuple->fields.size()));
  }
  return tuple->fields[static_cast<std::size_t>(node.index)];
}

}  // namespace

Type infer_type(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  switch (node.kind) {
    case NodeKind::kInput:
      check_result(graph, id, node.type);
      return node.type;
    case NodeKind::kConstant:
      return TensorType{node.value.dtype(), node.value.shape()};
    case NodeKind::kCall:
      return call_type(graph, id);
    case NodeKind::kTuple:
      return tuple_type(graph, node);
    case NodeKind::kTupleGetItem:
      return field_type(graph, id);
    case NodeKind::kInvoke:
      return {};
  }
  throw InternalError("node kind without a type");
}

void infer_types(Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id) graph.set_type(id, infer_type(graph, id));
}

}  // namespace tvmq::ir
