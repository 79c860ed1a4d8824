// NHWC to NCHW: what TVM's ConvertLayout({"nn.conv2d": ["NCHW", "OIHW"]}) is for.
//
// A walk that knows of every value one or both of two forms: as it was, and with its channels
// first. Convolutions ask for the second form and produce it; steps that can work on it follow;
// everything else asks for the first. A form that is missing is made by a transpose, once.
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/infer_types.h"
#include "ir/rewrite.h"
#include "passes/calls.h"
#include "passes/elementwise.h"
#include "passes/passes.h"

namespace tvmq::passes {

using namespace ir;

namespace {

const IntList kToChannelsFirst{0, 3, 1, 2};
const IntList kToChannelsLast{0, 2, 3, 1};
/// Where a dimension of NHWC is in NCHW.
constexpr std::array<std::int64_t, 4> kNewAxis{0, 2, 3, 1};

std::optional<std::int64_t> new_axis(std::int64_t axis) {
  if (axis < 0) axis += 4;
  if (axis < 0 || axis > 3) return std::nullopt;
  return kNewAxis[static_cast<std::size_t>(axis)];
}

/// The same attributes for NCHW, if they are for NHWC.
template <class Attrs>
std::optional<Attrs> with_channels_first(const Node& node) {
  Attrs attrs = node.attrs_as<Attrs>();
  if (attrs.layout != "NHWC") return std::nullopt;
  attrs.layout = "NCHW";
  if constexpr (requires { attrs.out_layout; }) {
    if (!attrs.out_layout.empty() && attrs.out_layout != "NHWC") return std::nullopt;
    attrs.out_layout.clear();
  }
  return attrs;
}

std::optional<Attrs> pooling_with_channels_first(const Node& node) {
  switch (node.op) {
    case Op::kMaxPool2D:
      return with_channels_first<MaxPool2DAttrs>(node);
    case Op::kAvgPool2D:
      return with_channels_first<AvgPool2DAttrs>(node);
    case Op::kGlobalMaxPool2D:
    case Op::kGlobalAvgPool2D:
      return with_channels_first<GlobalPool2DAttrs>(node);
    case Op::kAdaptiveAvgPool2D:
    case Op::kAdaptiveMaxPool2D:
      return with_channels_first<AdaptivePool2DAttrs>(node);
    case Op::kUpsampling:
      return with_channels_first<UpSamplingAttrs>(node);
    case Op::kResize2D:
      return with_channels_first<Resize2DAttrs>(node);
    default:
      return std::nullopt;
  }
}

class Converter {
 public:
  explicit Converter(const Graph& source)
      : source_(source), original_(source.size()), channels_first_(source.size()) {}

  Graph run() {
    for (const NodeId input : source_.inputs()) {
      original_[input] = target_.add_copy(source_[input], {});
    }
    for (const NodeId id : post_order(source_, source_.output())) {
      if (source_[id].kind != NodeKind::kInput) visit(id);
    }
    target_.set_output(original(source_.output()));
    Graph result = compact(target_);
    infer_types(result);
    return result;
  }

 private:
  [[nodiscard]] const TensorType* image(NodeId id) const {
    const TensorType* type = tensor_type_of(source_, id);
    return type != nullptr && type->shape.size() == 4 ? type : nullptr;
  }

  /// One of the two forms from the other. Where only one of channels, height and width differs from
  /// 1, the elements are in the same order.
  NodeId reorder(NodeId value, const TensorType& type, const IntList& axes) {
    const bool one_pixel = type.shape[1] == 1 && type.shape[2] == 1;
    if (!one_pixel && type.shape[3] != 1) {
      return target_.add_call(Op::kTranspose, {value}, TransposeAttrs{.axes = axes});
    }
    IntList shape = type.shape;
    if (axes == kToChannelsFirst) {
      for (std::size_t i = 0; i < 4; ++i) {
        shape[i] = type.shape[static_cast<std::size_t>(axes[i])];
      }
    }
    return target_.add_call(Op::kReshape, {value}, ReshapeAttrs{.newshape = std::move(shape)});
  }

  NodeId original(NodeId id) {
    if (!original_[id]) original_[id] = reorder(*channels_first_[id], *image(id), kToChannelsLast);
    return *original_[id];
  }

  /// REQUIRES: image(id).
  NodeId channels_first(NodeId id) {
    if (!channels_first_[id]) {
      channels_first_[id] = reorder(*original_[id], *image(id), kToChannelsFirst);
    }
    return *channels_first_[id];
  }

  void visit(NodeId id) {
    const Node& node = source_[id];
    if (node.kind == NodeKind::kCall && convert(id)) return;
    std::vector<NodeId> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId input : node.inputs) inputs.push_back(original(input));
    original_[id] = target_.add_copy(node, std::move(inputs));
  }

  /// Whether `id` was converted: one of its forms is there now.
  bool convert(NodeId id) {
    const Node& node = source_[id];
    if (node.op == Op::kConv2D) return convert_convolution(id);
    if (node.op == Op::kTranspose) return convert_transpose(id);
    if (node.op == Op::kConcatenate) return convert_concatenate(id);
    if (is_binary_elementwise(node.op)) return convert_binary(id);
    if (node.inputs.empty() || !channels_first_[node.inputs[0]]) return false;
    if (is_unary_elementwise(node.op) || node.op == Op::kCast) {
      channels_first_[id] = target_.add_copy(node, {channels_first(node.inputs[0])});
      return true;
    }
    if (const std::optional<Attrs> attrs = pooling_with_channels_first(node)) {
      return emit(id, *attrs);
    }
    switch (node.op) {
      case Op::kBiasAdd: {
        const auto axis = new_axis(node.attrs_as<BiasAddAttrs>().axis);
        return axis && emit(id, BiasAddAttrs{.axis = *axis});
      }
      case Op::kPrelu: {
        const auto axis = new_axis(node.attrs_as<PReluAttrs>().axis);
        return axis && emit(id, PReluAttrs{.axis = *axis});
      }
      case Op::kPad: {
        auto attrs = node.attrs_as<PadAttrs>();
        const IntMatrix before = attrs.pad_width;
        if (before.size() != 4) return false;
        for (std::size_t i = 0; i < 4; ++i) {
          attrs.pad_width[i] = before[static_cast<std::size_t>(kToChannelsFirst[i])];
        }
        return emit(id, attrs);
      }
      case Op::kMean:
        return convert_mean(id);
      case Op::kSqueeze: {
        const auto& axes = node.attrs_as<SqueezeAttrs>().axis;
        if (!axes || (*axes != IntList{1, 2} && *axes != IntList{-3, -2})) return false;
        original_[id] = target_.add_call(Op::kSqueeze, {channels_first(node.inputs[0])},
                                         SqueezeAttrs{.axis = IntList{2, 3}}, node.name);
        return true;
      }
      default:
        return false;
    }
  }

  /// The same call with other attributes on its first operand with channels first.
  bool emit(NodeId id, Attrs attrs) {
    const Node& node = source_[id];
    std::vector<NodeId> inputs{channels_first(node.inputs[0])};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(original(node.inputs[i]));
    channels_first_[id] = target_.add_call(node.op, std::move(inputs), std::move(attrs), node.name);
    return true;
  }

  bool convert_convolution(NodeId id) {
    const Node& node = source_[id];
    auto attrs = node.attrs_as<Conv2DAttrs>();
    const TensorType* data = image(node.inputs[0]);
    const TensorType* weight = image(node.inputs[1]);
    const TensorType* result = image(id);
    if (attrs.data_layout != "NHWC" || !(attrs.out_layout.empty() || attrs.out_layout == "NHWC") ||
        data == nullptr || weight == nullptr || result == nullptr) {
      return false;
    }
    IntList axes;
    for (const char letter : std::string("OIHW")) {
      const auto position = attrs.kernel_layout.find(letter);
      if (position == std::string::npos || attrs.kernel_layout.size() != 4) return false;
      axes.push_back(static_cast<std::int64_t>(position));
    }
    // A depthwise kernel with several filters per channel counts its dimensions another way.
    const auto extent = [&](std::size_t i) {
      return weight->shape[static_cast<std::size_t>(axes[i])];
    };
    if (extent(0) != result->shape[3] || extent(1) * attrs.groups != data->shape[3]) return false;
    attrs.data_layout = "NCHW";
    attrs.kernel_layout = "OIHW";
    attrs.out_layout.clear();
    const NodeId kernel = target_.add_call(Op::kTranspose, {original(node.inputs[1])},
                                           TransposeAttrs{.axes = std::move(axes)});
    channels_first_[id] = target_.add_call(node.op, {channels_first(node.inputs[0]), kernel},
                                           std::move(attrs), node.name);
    return true;
  }

  /// A transpose between the two layouts is a change of names.
  bool convert_transpose(NodeId id) {
    const Node& node = source_[id];
    const NodeId input = node.inputs[0];
    const auto& axes = node.attrs_as<TransposeAttrs>().axes;
    if (!axes || image(id) == nullptr) return false;
    if (*axes == kToChannelsFirst && channels_first_[input]) {
      original_[id] = channels_first_[input];
      return true;
    }
    if (*axes == kToChannelsLast && original_[input] && !channels_first_[input]) {
      channels_first_[id] = original_[input];
      original_[id] = target_.add_copy(node, {original(input)});
      return true;
    }
    return false;
  }

  bool convert_concatenate(NodeId id) {
    const Node& node = source_[id];
    const Node& tuple = source_[node.inputs[0]];
    if (tuple.kind != NodeKind::kTuple || image(id) == nullptr) return false;
    const auto axis = new_axis(node.attrs_as<ConcatenateAttrs>().axis);
    bool any = false;
    for (const NodeId field : tuple.inputs) any = any || channels_first_[field];
    if (!axis || !any) return false;
    std::vector<NodeId> fields;
    fields.reserve(tuple.inputs.size());
    for (const NodeId field : tuple.inputs) fields.push_back(channels_first(field));
    channels_first_[id] = target_.add_call(Op::kConcatenate, {target_.add_tuple(std::move(fields))},
                                           ConcatenateAttrs{.axis = *axis}, node.name);
    return true;
  }

  bool convert_binary(NodeId id) {
    const Node& node = source_[id];
    if (image(id) == nullptr) return false;
    bool any = false;
    for (const NodeId input : node.inputs) {
      const TensorType* type = tensor_type_of(source_, input);
      if (type == nullptr || type->shape.size() > 4) return false;
      any = any || channels_first_[input];
    }
    if (!any) return false;
    std::vector<NodeId> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId input : node.inputs) inputs.push_back(broadcast_channels_first(input));
    channels_first_[id] = target_.add_copy(node, std::move(inputs));
    return true;
  }

  /// An operand of any rank up to 4, so that it broadcasts to NCHW as it did to NHWC.
  NodeId broadcast_channels_first(NodeId id) {
    const IntList& shape = tensor_type_of(source_, id)->shape;
    if (shape.size() == 4) return channels_first(id);
    if (shape.empty() || element_count(shape) == 1) return original(id);
    if (shape.size() == 1) return expand_to_axis(target_, original(id), 4, 1);
    IntList images(4 - shape.size(), 1);
    images.insert(images.end(), shape.begin(), shape.end());
    const NodeId value =
        target_.add_call(Op::kReshape, {original(id)}, ReshapeAttrs{.newshape = std::move(images)});
    return target_.add_call(Op::kTranspose, {value}, TransposeAttrs{.axes = kToChannelsFirst});
  }

  /// Over height and width: what is left has the same order in both layouts.
  bool convert_mean(NodeId id) {
    const Node& node = source_[id];
    auto attrs = node.attrs_as<ReduceAttrs>();
    if (attrs.exclude || !attrs.axis ||
        (*attrs.axis != IntList{1, 2} && *attrs.axis != IntList{-3, -2})) {
      return false;
    }
    attrs.axis = IntList{2, 3};
    const bool keeps_axes = attrs.keepdims;
    const NodeId mean =
        target_.add_call(Op::kMean, {channels_first(node.inputs[0])}, std::move(attrs), node.name);
    (keeps_axes ? channels_first_ : original_)[id] = mean;
    return true;
  }

  const Graph& source_;
  Graph target_;
  std::vector<std::optional<NodeId>> original_;
  std::vector<std::optional<NodeId>> channels_first_;
};

}  // namespace

Graph convert_layout(const Graph& graph) { return Converter(graph).run(); }

}  // namespace tvmq::passes
