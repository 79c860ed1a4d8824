#include "exec/reference_kernels.h"

#include <algorithm>
#include <string>
#include <utility>

#include "exec/reference_dtype.h"
#include "exec/reference_kernel.h"
#include "ir/infer_types.h"

namespace tvmq::exec {
namespace {

using ir::Op;

/// Which function computes which operator; nullptr for none. No default: a new operator does not
/// compile before it has a line here.
Kernel kernel_of(Op op) {
  switch (op) {
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kFloorDivide:
    case Op::kMod:
    case Op::kFloorMod:
    case Op::kPower:
    case Op::kMaximum:
    case Op::kMinimum:
    case Op::kLeftShift:
    case Op::kRightShift:
      return arithmetic;
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
      return comparison;
    case Op::kLogicalAnd:
    case Op::kLogicalOr:
      return logical;
    case Op::kLogicalNot:
      return logical_not;
    case Op::kWhere:
      return where;

    case Op::kRelu:
    case Op::kAbs:
    case Op::kNegative:
    case Op::kExp:
    case Op::kFastExp:
    case Op::kLog:
    case Op::kLog2:
    case Op::kSqrt:
    case Op::kRsqrt:
    case Op::kSigmoid:
    case Op::kTanh:
    case Op::kErf:
    case Op::kSin:
    case Op::kCos:
    case Op::kAtan:
    case Op::kSign:
    case Op::kCeil:
    case Op::kFloor:
    case Op::kRound:
    case Op::kTrunc:
      return unary;
    case Op::kClip:
      return clip;
    case Op::kCast:
      return cast;
    case Op::kLeakyRelu:
      return leaky_relu;
    case Op::kFixedPointMultiply:
      return fixed_point_multiply;
    case Op::kSimulatedQuantize:
      return simulated_quantize;

    case Op::kCopy:
    case Op::kReshape:
    case Op::kSqueeze:
    case Op::kExpandDims:
    case Op::kBatchFlatten:
    case Op::kCastHint:
    case Op::kStopFusion:
      return same_elements;
    case Op::kTranspose:
      return transpose;
    case Op::kBroadcastTo:
    case Op::kBroadcastToLike:
      return broadcast_to;
    case Op::kConcatenate:
      return concatenate;
    case Op::kStack:
      return stack;
    case Op::kSplit:
      return split;
    case Op::kStridedSlice:
      return strided_slice;
    case Op::kReverse:
      return reverse;
    case Op::kRepeat:
      return repeat;
    case Op::kTile:
      return tile;
    case Op::kDepthToSpace:
      return depth_to_space;
    case Op::kSpaceToDepth:
      return space_to_depth;
    case Op::kLayoutTransform:
      return layout_transform;

    case Op::kZeros:
    case Op::kOnes:
    case Op::kFull:
    case Op::kZerosLike:
    case Op::kOnesLike:
    case Op::kFullLike:
      return fill;
    case Op::kOneHot:
      return one_hot;
    case Op::kPad:
      return pad;
    case Op::kMirrorPad:
      return mirror_pad;
    case Op::kTake:
      return take;
    case Op::kGather:
      return gather;

    case Op::kSum:
    case Op::kMean:
    case Op::kMax:
    case Op::kMin:
    case Op::kProd:
      return reduce;
    case Op::kArgmax:
    case Op::kArgmin:
      return arg_reduce;
    case Op::kVariance:
      return variance;

    case Op::kConv1D:
    case Op::kConv2D:
    case Op::kConv3D:
      return convolution;
    case Op::kConv1DTranspose:
    case Op::kConv2DTranspose:
    case Op::kConv3DTranspose:
      return transposed_convolution;
    case Op::kDense:
      return dense;
    case Op::kMatmul:
      return matmul;
    case Op::kBatchMatmul:
      return batch_matmul;

    case Op::kMaxPool1D:
    case Op::kMaxPool2D:
    case Op::kMaxPool3D:
    case Op::kAvgPool1D:
    case Op::kAvgPool2D:
    case Op::kAvgPool3D:
      return pool;
    case Op::kGlobalAvgPool2D:
    case Op::kGlobalMaxPool2D:
    case Op::kAdaptiveAvgPool1D:
    case Op::kAdaptiveMaxPool1D:
    case Op::kAdaptiveAvgPool2D:
    case Op::kAdaptiveMaxPool2D:
    case Op::kAdaptiveAvgPool3D:
    case Op::kAdaptiveMaxPool3D:
      return adaptive_pool;

    case Op::kBiasAdd:
      return bias_add;
    case Op::kPrelu:
      return prelu;
    case Op::kDropout:
      return dropout;
    case Op::kSoftmax:
    case Op::kLogSoftmax:
      return softmax;
    case Op::kBatchNorm:
      return batch_norm;
    case Op::kInstanceNorm:
      return instance_norm;
    case Op::kLayerNorm:
      return layer_norm;
    case Op::kGroupNorm:
      return group_norm;
    case Op::kL2Normalize:
      return l2_normalize;
    case Op::kLrn:
      return lrn;

    case Op::kResize2D:
      return resize2d;
    case Op::kUpsampling:
      return upsampling;

    case Op::kQnnQuantize:
      return qnn_quantize;
    case Op::kQnnDequantize:
      return qnn_dequantize;
    case Op::kQnnRequantize:
      return qnn_requantize;
    case Op::kQnnConv2D:
      return qnn_conv2d;
    case Op::kQnnDense:
      return qnn_dense;
    case Op::kQnnAdd:
    case Op::kQnnSubtract:
      return qnn_add;
    case Op::kQnnMul:
      return qnn_mul;
    case Op::kQnnConcatenate:
      return qnn_concatenate;
    case Op::kQnnAvgPool2D:
      return qnn_avg_pool2d;
    case Op::kQnnLeakyRelu:
      return qnn_leaky_relu;
    case Op::kFixedPointMultiplyPerAxis:
      return fixed_point_multiply_per_axis;

    case Op::kOpaque:
      return nullptr;
  }
  throw InternalError("an operator that the table does not know");
}

bool has_known_sizes(const ir::TensorType& type) {
  return ir::element_count(type.shape).has_value();
}

bool has_known_sizes(const ir::Type& type) {
  if (const auto* tensor = std::get_if<ir::TensorType>(&type)) return has_known_sizes(*tensor);
  if (const auto* tuple = std::get_if<ir::TupleType>(&type)) {
    for (const ir::TensorType& field : tuple->fields) {
      if (!has_known_sizes(field)) return false;
    }
    return true;
  }
  return false;
}

bool has_type(const Values& results, const ir::Type& type) {
  ir::TupleType expected;
  if (const auto* tensor = std::get_if<ir::TensorType>(&type)) {
    expected.fields = {*tensor};
  } else {
    expected = std::get<ir::TupleType>(type);
  }
  return std::ranges::equal(results, expected.fields,
                            [](const ir::Tensor& tensor, const ir::TensorType& field) {
                              return tensor.dtype() == field.dtype && tensor.shape() == field.shape;
                            });
}

/// The type that the node has on these very operands.
ir::Type type_on(const ir::Graph& graph, ir::NodeId id, std::span<const Values> operands) {
  const ir::Node& node = graph[id];
  ir::Graph alone;
  std::vector<ir::NodeId> inputs;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    ir::TupleType types;
    for (const ir::Tensor& tensor : operands[i]) {
      types.fields.push_back({tensor.dtype(), tensor.shape()});
    }
    const bool is_tuple = std::holds_alternative<ir::TupleType>(graph[node.inputs[i]].type) ||
                          types.fields.size() != 1 ||
                          graph[node.inputs[i]].kind == ir::NodeKind::kTuple;
    inputs.push_back(is_tuple ? alone.add_input("", types)
                              : alone.add_input("", types.fields.front()));
  }
  return ir::infer_type(alone, alone.add_copy(node, std::move(inputs)));
}

}  // namespace

const ir::Tensor& KernelCall::operand(std::size_t which) const {
  check(which < operands.size() && operands[which].size() == 1, "an operand that is one tensor");
  return operands[which].front();
}

const ir::TensorType& KernelCall::result() const {
  const auto* tensor = std::get_if<ir::TensorType>(&type);
  check(tensor != nullptr, "one result");
  return *tensor;
}

bool KernelCall::is_known_scalar(std::size_t which) const {
  return graph[node.inputs.at(which)].is_constant() && operand(which).rank() == 0;
}

void KernelCall::refuse(std::string_view why) const {
  throw InputError(ir::describe(graph, id) + ": " + std::string(why));
}

void refuse_dtype(const KernelCall& call, ir::DType dtype) {
  call.refuse("elements of type '" + std::string(ir::dtype_name(dtype)) +
              "' cannot be computed with by this operator; convert them with a cast first");
}

bool has_reference_kernel(Op op) { return kernel_of(op) != nullptr; }

std::vector<ir::Tensor> evaluate(const ir::Graph& graph, ir::NodeId id,
                                 std::span<const Values> operands) {
  const ir::Node& node = graph[id];
  check(node.kind == ir::NodeKind::kCall, "only calls are evaluated");
  check(operands.size() == node.inputs.size(), "one value per operand");
  const Kernel kernel = kernel_of(node.op);
  check(kernel != nullptr, "the operator has a reference kernel");
  // Always from the operands at hand: kernels write as much as the type says, so that a type that a
  // file declares is never believed.
  const ir::Type type = type_on(graph, id, operands);
  const KernelCall call{.graph = graph, .id = id, .node = node, .operands = operands, .type = type};
  if (!has_known_sizes(type)) call.refuse("the size of its result depends on values");
  if (has_known_sizes(node.type) && node.type != type) {
    call.refuse("the model declares the result " + to_string(node.type) +
                ", its operands make it " + to_string(type));
  }
  Values results = kernel(call);
  check(has_type(results, type), "a kernel's results have the node's type");
  return results;
}

}  // namespace tvmq::exec
