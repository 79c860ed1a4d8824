#include "passes/scale_axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "passes/calls.h"

namespace tvmq::passes {

using namespace ir;

namespace {

/// Axis letters of a layout without the block sizes: "NCHW16c" -> "NCHWc".
std::string axis_letters(std::string_view layout) {
  std::string letters;
  for (const char each : layout) {
    if (each < '0' || each > '9') letters.push_back(each);
  }
  return letters;
}

/// Position of an axis; -1 if the layout does not have it.
std::int64_t find_axis(std::string_view letters, char axis) {
  const std::size_t found = letters.find(axis);
  return found == std::string_view::npos ? -1 : static_cast<std::int64_t>(found);
}

/// Extent of an axis with its blocks: OIHW4i16o4i has O * 16 output channels.
std::int64_t total_extent(std::string_view letters, char axis, const Shape& shape) {
  const auto lower = static_cast<char>(axis - 'A' + 'a');
  std::int64_t extent = 1;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (letters[i] == axis || letters[i] == lower) extent *= shape[i];
  }
  return extent;
}

bool all_static(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent >= 0; });
}

/// Channel axes of data: {C}, or {C, c} if `blocked`; none if the layout is not of that kind.
IntList channel_axes(std::string_view letters, bool blocked) {
  const std::int64_t big = find_axis(letters, 'C');
  const std::int64_t small = find_axis(letters, 'c');
  if (big < 0 || (small >= 0) != blocked) return {};
  return blocked ? IntList{big, small} : IntList{big};
}

/// conv2d and conv3d alike. `spatial`: the letters that a weight has besides O and I.
template <class ConvAttrs>
std::optional<Absorber> conv_absorber(const ConvAttrs& attrs, const TensorType& weight,
                                      std::string_view spatial) {
  const std::string data = axis_letters(attrs.data_layout);
  const std::string out =
      axis_letters(attrs.out_layout.empty() ? attrs.data_layout : attrs.out_layout);
  const std::string kernel = axis_letters(attrs.kernel_layout);
  if (kernel.size() != weight.shape.size() || !all_static(weight.shape)) return std::nullopt;
  const auto in_kernel = [&](char axis) { return find_axis(kernel, axis) >= 0; };
  if (!in_kernel('O') || !in_kernel('I') || !std::all_of(spatial.begin(), spatial.end(), in_kernel))
    return std::nullopt;

  const bool depthwise = total_extent(kernel, 'O', weight.shape) == attrs.groups &&
                         total_extent(kernel, 'I', weight.shape) == 1;
  if (attrs.groups != 1 && !depthwise) return std::nullopt;

  // All channel axes are blocked, or none.
  const bool blocked = in_kernel('o');
  if (in_kernel('i') != blocked) return std::nullopt;

  IntList weight_output{find_axis(kernel, 'O')};
  IntList weight_input{find_axis(kernel, 'I')};
  if (blocked) {
    weight_output.push_back(find_axis(kernel, 'o'));
    weight_input.push_back(find_axis(kernel, 'i'));
  }
  if (depthwise) weight_input = weight_output;
  return Absorber{channel_axes(data, blocked), channel_axes(out, blocked), weight_input,
                  weight_output};
}

/// TVM takes axis 1 of data and output for the channels, also where the data is not a matrix; that
/// is well typed if the extent happens to fit.
std::optional<Absorber> dense_absorber(const TensorType& data, const TensorType& output,
                                       const TensorType& weight, ScaleFolding folding) {
  if (weight.shape.size() != 2 || data.shape.size() < 2 || output.shape.size() < 2)
    return std::nullopt;
  const bool matrix = data.shape.size() == 2;
  if (!matrix && folding == ScaleFolding::kSafe) return std::nullopt;
  const auto fits = [&](const TensorType& type, std::size_t weight_axis) {
    return matrix || type.shape[1] == weight.shape[weight_axis] || type.shape[1] == 1;
  };
  Absorber result{{1}, {1}, {1}, {0}};
  if (!fits(data, 1)) result.data_axes.clear();
  if (!fits(output, 0)) result.output_axes.clear();
  return result;
}

template <class T>
bool all_at_least_zero(const Tensor& tensor) {
  const std::span<const T> values = tensor.data<T>();
  return std::none_of(values.begin(), values.end(), [](T value) { return value < T{0}; });
}

/// The types that TVM looks at; float16 is not among them.
bool is_non_negative(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return all_at_least_zero<float>(tensor);
    case DType::kFloat64:
      return all_at_least_zero<double>(tensor);
    case DType::kInt8:
      return all_at_least_zero<std::int8_t>(tensor);
    case DType::kInt32:
      return all_at_least_zero<std::int32_t>(tensor);
    case DType::kUInt8:
    case DType::kUInt32:
      return true;
    default:
      return false;
  }
}

/// How far the elements of a divisor may differ under the safe rules. The quotients take their
/// place in a tensor that is quantized with one scale: channels of very different ranges would ruin
/// it.
constexpr float kMaxDivisorRatio = 4;

bool is_safe_divisor(const Tensor& tensor) {
  if (tensor.dtype() != DType::kFloat32 || tensor.size() == 0) return false;
  float smallest = std::numeric_limits<float>::infinity();
  float largest = 0;
  for (const float value : tensor.data<float>()) {
    if (std::isnan(value)) return false;
    smallest = std::min(smallest, std::abs(value));
    largest = std::max(largest, std::abs(value));
  }
  return smallest >= 1e-6F && largest <= kMaxDivisorRatio * smallest;
}

/// The constant that a value is, seen through the calls that only move its elements; null if it
/// is computed.
const Tensor* constant_behind(const Graph& graph, NodeId id) {
  while (graph[id].kind == NodeKind::kCall) {
    switch (graph[id].op) {
      case Op::kExpandDims:
      case Op::kReshape:
      case Op::kTranspose:
      case Op::kSqueeze:
      case Op::kRepeat:
        id = graph[id].inputs[0];
        break;
      default:
        return nullptr;
    }
  }
  return graph[id].is_constant() ? &graph[id].value : nullptr;
}

}  // namespace

std::optional<IntList> axes_to_squeeze(const TensorType& left, const TensorType& right,
                                       const IntList& axes) {
  if (left.shape.size() < right.shape.size()) return std::nullopt;
  const std::size_t base = left.shape.size() - right.shape.size();
  IntList squeezed;
  std::size_t next = 0;
  for (std::size_t i = 0; i < left.shape.size(); ++i) {
    if (next < axes.size() && static_cast<std::int64_t>(i) == axes[next]) {
      if (i < base || left.shape[i] != right.shape[i - base]) return std::nullopt;
      ++next;
    } else if (i >= base) {
      if (right.shape[i - base] != 1) return std::nullopt;
      squeezed.push_back(static_cast<std::int64_t>(i - base));
    }
  }
  if (next != axes.size()) return std::nullopt;
  return squeezed;
}

std::optional<NodeId> scale_along_axes(Graph& graph, const TensorType& left,
                                       const TensorType& right_type, const IntList& axes,
                                       NodeId right) {
  if (right_type.shape.empty()) {
    // TVM repeats along every axis by the extent of the first one; with two different extents the
    // result has no type.
    const std::int64_t extent = left.shape.at(static_cast<std::size_t>(axes.at(0)));
    for (const std::int64_t axis : axes) {
      if (extent < 0 || left.shape.at(static_cast<std::size_t>(axis)) != extent)
        return std::nullopt;
    }
    const auto count = static_cast<std::int64_t>(axes.size());
    right =
        graph.add_call(Op::kExpandDims, {right}, ExpandDimsAttrs{.axis = 0, .num_newaxis = count});
    for (std::int64_t i = 0; i < count; ++i) {
      right = graph.add_call(Op::kRepeat, {right}, RepeatAttrs{.repeats = extent, .axis = i});
    }
    return right;
  }
  const std::optional<IntList> squeezed = axes_to_squeeze(left, right_type, axes);
  if (!squeezed) return std::nullopt;
  if (squeezed->empty()) return right;
  return graph.add_call(Op::kSqueeze, {right}, SqueezeAttrs{.axis = *squeezed});
}

NodeId scale_for_broadcast(Graph& graph, NodeId scale, const Shape& shape, const IntList& axes) {
  if (axes.size() == 1) {
    return expand_to_axis(graph, scale, static_cast<std::int64_t>(shape.size()), axes[0]);
  }
  IntList newshape(shape.size(), 1);
  for (const std::int64_t axis : axes) {
    newshape.at(static_cast<std::size_t>(axis)) = shape.at(static_cast<std::size_t>(axis));
  }
  return graph.add_call(Op::kReshape, {scale}, ReshapeAttrs{.newshape = newshape});
}

bool allows(const ScaleMessage& message, const Graph& graph, NodeId scale, ScaleFolding folding) {
  const Tensor* constant = constant_behind(graph, scale);
  if (folding == ScaleFolding::kSafe) {
    if (constant == nullptr) return false;
    if (message.as_divisor && !is_safe_divisor(*constant)) return false;
  }
  return !message.positive_only || (constant != nullptr && is_non_negative(*constant));
}

std::optional<Absorber> absorber(const Graph& graph, NodeId id, ScaleFolding folding) {
  const Node& node = graph[id];
  if (!node.is_call(Op::kConv2D) && !node.is_call(Op::kConv3D) && !node.is_call(Op::kDense))
    return std::nullopt;
  const TensorType* data = tensor_type_of(graph, node.inputs[0]);
  const TensorType* weight = tensor_type_of(graph, node.inputs[1]);
  const TensorType* output = tensor_type_of(graph, id);
  if (data == nullptr || weight == nullptr || output == nullptr) return std::nullopt;
  std::optional<Absorber> result;
  if (node.op == Op::kConv2D) {
    result = conv_absorber(node.attrs_as<Conv2DAttrs>(), *weight, "HW");
  } else if (node.op == Op::kConv3D) {
    result = conv_absorber(node.attrs_as<Conv3DAttrs>(), *weight, "DHW");
  } else {
    result = dense_absorber(*data, *output, *weight, folding);
  }
  // A scale has the type of what it scales; the weight must have it too.
  if (result && data->dtype != weight->dtype) result->data_axes.clear();
  if (result && output->dtype != weight->dtype) result->output_axes.clear();
  return result;
}

NodeId scaled_weight(Graph& graph, NodeId weight, const TensorType& type, const IntList& axes,
                     NodeId scale) {
  const NodeId factor = scale_for_broadcast(graph, scale, type.shape, axes);
  return binary(graph, Op::kMultiply, weight, factor);
}

}  // namespace tvmq::passes
