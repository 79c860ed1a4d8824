#include "quant/integer_roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "passes/elementwise.h"
#include "quant/integer_accumulate.h"
#include "quant/layers.h"

namespace tvmq::quant {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Op;

bool is_float_tensor(const Node& node) {
  const auto* type = std::get_if<ir::TensorType>(&node.type);
  return type != nullptr && type->dtype == ir::DType::kFloat32;
}

namespace {

/// Element by element with broadcasting: TVM fuses it into the kernel in front of it.
bool is_elementwise(Op op) {
  return passes::is_unary_elementwise(op) || passes::is_binary_elementwise(op) ||
         op == Op::kBiasAdd || op == Op::kPrelu;
}

bool is_view(Op op) {
  return op == Op::kReshape || op == Op::kBatchFlatten || op == Op::kSqueeze ||
         op == Op::kExpandDims;
}

/// One number, zero. PyTorch's pads come with an int32 that TVM casts.
bool is_zero(const ir::Tensor& value) {
  if (value.size() != 1) return false;
  if (value.dtype() == ir::DType::kFloat32) return value.data<float>()[0] == 0;
  const std::span<const std::byte> bytes(value.bytes(), value.byte_size());
  return std::ranges::all_of(bytes, [](std::byte each) { return each == std::byte{0}; });
}

bool is_move(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::kMaxPool2D:
    case Op::kGlobalMaxPool2D:
    case Op::kTranspose:
    case Op::kStridedSlice:
    case Op::kSplit:
      return true;
    case Op::kPad: {
      const Node& value = graph[node.inputs[1]];
      return node.attrs_as<ir::PadAttrs>().pad_mode == "constant" && value.is_constant() &&
             is_zero(value.value);
    }
    case Op::kUpsampling: {
      const auto& attrs = node.attrs_as<ir::UpSamplingAttrs>();
      return attrs.method == "nearest_neighbor" && !attrs.align_corners;
    }
    default:
      return false;
  }
}

/// A mean over both spatial axes of NCHW, or average pooling in NCHW without the rounding up of
/// output sizes.
bool is_average(const Graph& graph, const Node& node) {
  if (node.inputs.empty()) return false;
  const Node& input = graph[node.inputs[0]];
  if (!is_float_tensor(input) || !is_float_tensor(node)) return false;
  const auto& shape = node.tensor_type().shape;
  switch (node.op) {
    case Op::kGlobalAvgPool2D:
      return node.attrs_as<ir::GlobalPool2DAttrs>().layout == "NCHW";
    case Op::kAdaptiveAvgPool2D:
      return node.attrs_as<ir::AdaptivePool2DAttrs>().layout == "NCHW" && shape[2] == 1 &&
             shape[3] == 1;
    case Op::kAvgPool2D:
      return can_average(node.attrs_as<ir::AvgPool2DAttrs>(), input.tensor_type().shape, shape);
    case Op::kMean: {
      const auto& attrs = node.attrs_as<ir::ReduceAttrs>();
      return input.tensor_type().shape.size() == 4 && !attrs.exclude && attrs.axis &&
             (*attrs.axis == ir::IntList{2, 3} || *attrs.axis == ir::IntList{-2, -1});
    }
    default:
      return false;
  }
}

}  // namespace

Role role_of(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.kind == NodeKind::kTuple || node.kind == NodeKind::kTupleGetItem) return Role::kView;
  if (node.kind != NodeKind::kCall) return Role::kFloat;
  if (is_layer(node)) return node.op == Op::kDense ? Role::kDense : Role::kConvolution;
  if (node.op == Op::kConcatenate) {
    const auto& fields = graph[node.inputs[0]].inputs;
    const bool varies = std::none_of(fields.begin(), fields.end(), [&](NodeId field) {
      return graph[field].is_constant() || !is_float_tensor(graph[field]);
    });
    return varies ? Role::kConcatenate : Role::kFloat;
  }
  if (is_elementwise(node.op) && is_float_tensor(node)) return Role::kElementwise;
  if (is_view(node.op)) return Role::kView;
  if (is_move(graph, node)) return Role::kMove;
  if (is_average(graph, node)) return Role::kAverage;
  return Role::kFloat;
}

std::string why_no_kernel(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.op != Op::kConv2D && node.op != Op::kDense) {
    return fmt::format("TVM has no fast 8-bit kernel for {}", node.op_name());
  }
  const Node& weight = graph[node.inputs[1]];
  if (!weight.is_constant()) return "its weight is not a constant";
  if (weight.value.dtype() != ir::DType::kFloat32 || !is_float_tensor(graph[node.inputs[0]])) {
    return "it does not compute in float32";
  }
  if (node.op == Op::kDense) {
    return graph[node.inputs[0]].tensor_type().shape.size() == 2
               ? ""
               : "its data is not a matrix of samples and features";
  }
  const auto& attrs = node.attrs_as<ir::Conv2DAttrs>();
  if (attrs.data_layout != "NCHW" || attrs.kernel_layout != "OIHW" ||
      !(attrs.out_layout.empty() || attrs.out_layout == "NCHW")) {
    return fmt::format("TVM's fast 8-bit kernels want NCHW data and OIHW weights, found {} and {}",
                       attrs.data_layout, attrs.kernel_layout);
  }
  const auto& shape = weight.value.shape();
  const bool depthwise = attrs.groups == shape[0] && shape[1] == 1;
  if (attrs.groups != 1 && !depthwise) {
    return "TVM's 8-bit grouped convolution is slower than its float one";
  }
  if (attrs.groups == 1 && attrs.dilation != ir::IntList{1, 1} && shape[0] % 16 != 0) {
    return "TVM cannot build a dilated 8-bit convolution whose channels are no multiple of 16";
  }
  return {};
}

}  // namespace tvmq::quant
