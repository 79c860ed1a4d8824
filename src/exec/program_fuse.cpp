#include "exec/program_fuse.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "exec/elementwise.h"
#include "ir/layout.h"

namespace tvmq::exec {
namespace {

using ir::Node;
using ir::Op;

/// Absorbs the operators behind one contraction, one at a time.
class Contraction {
 public:
  /// `position[value]`: the call at whose place the value will be computed.
  Contraction(const ir::Graph& graph, const LiveValues& live,
              std::span<const std::int64_t> position, ContractionStep step, std::size_t axis)
      : graph_(graph), live_(live), position_(position), step_(std::move(step)), axis_(axis) {}

  void absorb_all() {
    while (absorb_gate() || absorb_one()) {
    }
  }
  ContractionStep& step() { return step_; }
  const std::vector<std::uint32_t>& absorbed() const { return absorbed_; }

 private:
  const Node& node(std::uint32_t call) const { return graph_[live_.calls[call].node]; }
  std::size_t channels() const {
    return static_cast<std::size_t>(live_.type(step_.output).shape[axis_]);
  }

  /// The only call that uses `value`, unless the value itself is wanted.
  std::optional<std::uint32_t> only_user(ValueId value) const {
    const Value& v = live_[value];
    if (v.kept || v.users.size() != 1) return std::nullopt;
    return v.users[0];
  }
  std::optional<std::vector<float>> channel_constant(ValueId value) const {
    if (!live_[value].is_constant()) return std::nullopt;
    return per_channel(live_[value].constant, live_.type(step_.output).shape, axis_);
  }
  std::optional<float> scalar_constant(ValueId value) const {
    const Value& v = live_[value];
    if (!v.is_constant() || v.type.dtype != ir::DType::kFloat32 || v.constant.size() != 1)
      return {};
    return v.constant.data<float>()[0];
  }

  void take(std::uint32_t call) {
    absorbed_.push_back(call);
    step_.output = live_.calls[call].outputs[0];
  }

  void multiply(const std::vector<float>& by) {
    if (!step_.post.empty()) {
      step_.post.push_back({.kind = PostOp::Kind::kMultiply, .channels = by});
      return;
    }
    if (step_.scale.empty()) step_.scale.assign(channels(), 1.0F);
    for (std::size_t c = 0; c < by.size(); ++c) step_.scale[c] *= by[c];
    for (std::size_t c = 0; c < step_.bias.size(); ++c) step_.bias[c] *= by[c];
  }
  void add(const std::vector<float>& what) {
    if (!step_.post.empty()) {
      step_.post.push_back({.kind = PostOp::Kind::kAdd, .channels = what});
      return;
    }
    if (step_.bias.empty()) step_.bias.assign(channels(), 0.0F);
    for (std::size_t c = 0; c < what.size(); ++c) step_.bias[c] += what[c];
  }

  bool absorb_one() {
    const auto user = only_user(step_.output);
    if (!user) return false;
    const Call& call = live_.calls[*user];
    if (live_.type(call.outputs[0]) != live_.type(step_.output)) return false;
    if (call.inputs.size() == 2 ? !absorb_binary(call) : !absorb_unary(call)) return false;
    take(*user);
    return true;
  }

  bool absorb_unary(const Call& call) {
    const Node& n = graph_[call.node];
    PostOp post;
    switch (n.op) {
      case Op::kRelu:
        break;
      case Op::kLeakyRelu:
        post.alpha = static_cast<float>(n.attrs_as<ir::LeakyReluAttrs>().alpha);
        break;
      case Op::kClip:
        post.kind = PostOp::Kind::kClip;
        post.alpha = static_cast<float>(n.attrs_as<ir::ClipAttrs>().a_min);
        post.beta = static_cast<float>(n.attrs_as<ir::ClipAttrs>().a_max);
        break;
      case Op::kSigmoid:
        post.kind = PostOp::Kind::kSigmoid;
        break;
      case Op::kTanh:
        post.kind = PostOp::Kind::kTanh;
        break;
      case Op::kBatchNorm:
        return absorb_batch_norm(call);
      default:
        return false;
    }
    step_.post.push_back(std::move(post));
    return true;
  }

  bool absorb_batch_norm(const Call& call) {
    const auto& attrs = graph_[call.node].attrs_as<ir::BatchNormAttrs>();
    const auto rank = static_cast<std::int64_t>(live_.type(step_.output).shape.size());
    const std::int64_t axis = attrs.axis < 0 ? attrs.axis + rank : attrs.axis;
    if (call.inputs[0] != step_.output || axis != static_cast<std::int64_t>(axis_)) return false;
    const auto affine = batch_norm_affine(attrs, live_, call);
    if (!affine) return false;
    multiply(affine->scale);
    add(affine->shift);
    return true;
  }

  bool absorb_binary(const Call& call) {
    const Node& n = graph_[call.node];
    const bool left = call.inputs[0] == step_.output;
    const ValueId other = call.inputs[left ? 1 : 0];
    if (other == step_.output) return false;
    if (n.op == Op::kBiasAdd) {
      const auto rank = static_cast<std::int64_t>(live_.type(step_.output).shape.size());
      const std::int64_t axis = n.attrs_as<ir::BiasAddAttrs>().axis;
      const bool ours = (axis < 0 ? axis + rank : axis) == static_cast<std::int64_t>(axis_);
      const ir::Tensor& bias = live_[other].constant;
      if (!left || !ours || bias.empty()) return false;
      add({bias.data<float>().begin(), bias.data<float>().end()});
      return true;
    }
    if (auto constant = channel_constant(other)) {
      switch (n.op) {
        case Op::kAdd:
          add(*constant);
          return true;
        case Op::kMultiply:
          multiply(*constant);
          return true;
        case Op::kSubtract:
          if (!left) return false;
          for (float& each : *constant) each = -each;
          add(*constant);
          return true;
        case Op::kDivide:
          if (!left || std::ranges::find(*constant, 0.0F) != constant->end()) return false;
          for (float& each : *constant) each = 1.0F / each;
          multiply(*constant);
          return true;
        default:
          return false;
      }
    }
    const bool ready = position_[other] < static_cast<std::int64_t>(step_.call);
    if (n.op != Op::kAdd || !ready || live_[other].is_constant() ||
        live_.type(other) != live_.type(step_.output)) {
      return false;
    }
    step_.post.push_back({.kind = PostOp::Kind::kAddValue, .value = other});
    return true;
  }

  /// x -> multiply(x, f(x)), f: sigmoid, or clip(x + 3, 0, 6) / 6 with the division on either side
  /// of the product.
  bool absorb_gate() {
    const Value& v = live_[step_.output];
    if (v.kept || v.users.size() != 2) return false;
    for (const std::size_t first : {0U, 1U}) {
      std::vector<std::uint32_t> path = {v.users[first]};
      const std::uint32_t product = v.users[1 - first];
      if (!node(product).is_call(Op::kMultiply)) continue;
      bool scaled = false;
      PostOp::Kind kind = PostOp::Kind::kSwish;
      if (!follow_gate(path, product, kind, scaled)) continue;
      std::uint32_t last = product;
      if (kind == PostOp::Kind::kHardSwish && !scaled) {
        const auto behind = only_user(live_.calls[product].outputs[0]);
        if (!behind || !is_division_by_6(*behind)) continue;
        path.push_back(product);
        last = *behind;
      }
      if (live_.type(live_.calls[last].outputs[0]) != v.type) continue;
      absorbed_.insert(absorbed_.end(), path.begin(), path.end());
      take(last);
      step_.post.push_back({.kind = kind});
      return true;
    }
    return false;
  }

  /// Extends `path` from its first call up to the operand of `product`.
  bool follow_gate(std::vector<std::uint32_t>& path, std::uint32_t product, PostOp::Kind& kind,
                   bool& scaled) const {
    const auto next = [&] { return only_user(live_.calls[path.back()].outputs[0]); };
    if (node(path[0]).is_call(Op::kSigmoid)) return next() == product;
    kind = PostOp::Kind::kHardSwish;
    const Call& sum = live_.calls[path[0]];
    if (!graph_[sum.node].is_call(Op::kAdd)) return false;
    const ValueId other = sum.inputs[sum.inputs[0] == step_.output ? 1 : 0];
    if (scalar_constant(other) != 3.0F) return false;
    const auto clip = next();
    if (!clip || !node(*clip).is_call(Op::kClip)) return false;
    const auto& bounds = node(*clip).attrs_as<ir::ClipAttrs>();
    if (bounds.a_min != 0 || bounds.a_max != 6) return false;
    path.push_back(*clip);
    if (next() == product) return true;
    const auto division = next();
    if (!division || !is_division_by_6(*division)) return false;
    path.push_back(*division);
    scaled = true;
    return next() == product;
  }

  bool is_division_by_6(std::uint32_t call) const {
    const Call& c = live_.calls[call];
    if (c.inputs.size() != 2) return false;
    const auto right = scalar_constant(c.inputs[1]);
    if (node(call).is_call(Op::kDivide)) return right == 6.0F;
    return node(call).is_call(Op::kMultiply) && right && std::abs(*right - 1.0F / 6) < 1e-7F;
  }

  const ir::Graph& graph_;
  const LiveValues& live_;
  std::span<const std::int64_t> position_;
  ContractionStep step_;
  std::size_t axis_;
  std::vector<std::uint32_t> absorbed_;
};

/// Where the channels of a contraction's result are; nothing if the call is no contraction that can
/// be fused with anything.
std::optional<std::size_t> contraction_axis(const Node& node, std::size_t rank) {
  const auto find = [](const std::string& data, const std::string& out) {
    const auto layout = ir::Layout::parse(out.empty() ? data : out);
    return layout ? layout->index_of('C') : std::nullopt;
  };
  switch (node.op) {
    case Op::kConv1D: {
      const auto& attrs = node.attrs_as<ir::Conv1DAttrs>();
      return find(attrs.data_layout, attrs.out_layout);
    }
    case Op::kConv2D: {
      const auto& attrs = node.attrs_as<ir::Conv2DAttrs>();
      return find(attrs.data_layout, attrs.out_layout);
    }
    case Op::kConv3D: {
      const auto& attrs = node.attrs_as<ir::Conv3DAttrs>();
      return find(attrs.data_layout, attrs.out_layout);
    }
    case Op::kConv2DTranspose: {
      const auto& attrs = node.attrs_as<ir::Conv2DTransposeAttrs>();
      return find(attrs.data_layout, attrs.out_layout);
    }
    case Op::kDense:
      return rank - 1;
    default:
      return std::nullopt;
  }
}

/// The padding of a constant zero nn.pad in front of a convolution, as "before..., after..." of the
/// spatial dimensions.
std::optional<std::vector<std::int64_t>> foldable_padding(const Node& pad, const Value& pad_value,
                                                          std::string_view data_layout) {
  const auto& attrs = pad.attrs_as<ir::PadAttrs>();
  const auto layout = ir::Layout::parse(data_layout);
  const ir::Tensor& value = pad_value.constant;
  if (attrs.pad_mode != "constant" || !layout || value.empty() || value.size() != 1 ||
      layout->rank() != attrs.pad_width.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < value.byte_size(); ++i) {
    if (value.bytes()[i] != std::byte{0}) return std::nullopt;
  }
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
  for (std::size_t i = 0; i < attrs.pad_width.size(); ++i) {
    const ir::IntList& width = attrs.pad_width[i];
    if (width.size() != 2 || width[0] < 0 || width[1] < 0) return std::nullopt;
    const char dimension = layout->axes()[i].dimension;
    if (dimension == 'N' || dimension == 'C') {
      if (width[0] != 0 || width[1] != 0) return std::nullopt;
    } else {
      before.push_back(width[0]);
      after.push_back(width[1]);
    }
  }
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

std::string_view data_layout_of(const Node& node) {
  if (node.op == Op::kConv1D) return node.attrs_as<ir::Conv1DAttrs>().data_layout;
  if (node.op == Op::kConv2D) return node.attrs_as<ir::Conv2DAttrs>().data_layout;
  if (node.op == Op::kConv3D) return node.attrs_as<ir::Conv3DAttrs>().data_layout;
  return {};
}

class Fuser {
 public:
  Fuser(const ir::Graph& graph, const LiveValues& live)
      : graph_(graph),
        live_(live),
        done_(live.calls.size(), false),
        position_(live.values.size(), -1) {
    for (std::size_t call = 0; call < live.calls.size(); ++call) {
      for (const ValueId output : live.calls[call].outputs) {
        position_[output] = static_cast<std::int64_t>(call);
      }
    }
  }

  std::vector<FusedStep> run() {
    for (std::uint32_t call = 0; call < live_.calls.size(); ++call) fuse_contraction(call);
    group_elementwise();
    for (std::uint32_t call = 0; call < live_.calls.size(); ++call) {
      if (!done_[call]) steps_.emplace(call, SingleStep{call});
    }
    std::vector<FusedStep> result;
    for (auto& [place, step] : steps_) result.push_back(std::move(step));
    return result;
  }

 private:
  void fuse_contraction(std::uint32_t index) {
    const Call& call = live_.calls[index];
    const Node& node = graph_[call.node];
    if (done_[index]) return;
    const ir::TensorType& type = live_.type(call.outputs[0]);
    const auto axis = contraction_axis(node, type.shape.size());
    if (!axis || !live_[call.inputs[1]].is_constant()) return;
    ContractionStep start{.call = index, .data = call.inputs[0], .output = call.outputs[0]};
    absorb_pad(node, start);
    start.calls.push_back(index);
    done_[index] = true;
    if (type.dtype != ir::DType::kFloat32) {
      steps_.emplace(index, std::move(start));
      return;
    }
    Contraction contraction(graph_, live_, position_, std::move(start), *axis);
    contraction.absorb_all();
    std::vector<std::uint32_t>& calls = contraction.step().calls;
    for (const std::uint32_t absorbed : contraction.absorbed()) {
      done_[absorbed] = true;
      calls.push_back(absorbed);
    }
    std::ranges::sort(calls);
    position_[contraction.step().output] = index;
    steps_.emplace(index, std::move(contraction.step()));
  }

  void absorb_pad(const Node& node, ContractionStep& step) {
    const Value& data = live_[step.data];
    if (data.kept || data.users.size() != 1 || position_[step.data] < 0) return;
    const auto producer = static_cast<std::size_t>(position_[step.data]);
    const Call& pad = live_.calls[producer];
    if (!graph_[pad.node].is_call(Op::kPad) || data_layout_of(node).empty()) return;
    auto padding = foldable_padding(graph_[pad.node], live_[pad.inputs[1]], data_layout_of(node));
    if (!padding) return;
    step.padding = std::move(*padding);
    step.data = pad.inputs[0];
    step.calls.push_back(static_cast<std::uint32_t>(producer));
    done_[producer] = true;
  }

  /// From the last call to the first: a call joins the group of its users if they are all in one.
  void group_elementwise() {
    constexpr std::int64_t kNoGroup = -1;
    std::vector<std::int64_t> group(live_.calls.size(), kNoGroup);
    std::vector<ElementwiseStep> groups;
    for (std::uint32_t index = static_cast<std::uint32_t>(live_.calls.size()); index-- > 0;) {
      if (done_[index] || !elementwise_supported(graph_, live_, live_.calls[index])) continue;
      const ValueId output = live_.calls[index].outputs[0];
      const Value& value = live_[output];
      std::int64_t joined = value.kept || value.users.empty() ? kNoGroup : group[value.users[0]];
      for (const std::uint32_t user : value.users) {
        if (group[user] != joined) joined = kNoGroup;
      }
      if (joined != kNoGroup && (live_.type(groups[joined].output).shape != value.type.shape ||
                                 groups[joined].calls.size() >= kMaxElementwiseCalls)) {
        joined = kNoGroup;
      }
      if (joined == kNoGroup) {
        joined = static_cast<std::int64_t>(groups.size());
        groups.push_back({.output = output});
      }
      group[index] = joined;
      groups[joined].calls.push_back(index);
      done_[index] = true;
    }
    for (ElementwiseStep& each : groups) {
      std::ranges::reverse(each.calls);
      const std::uint32_t place = each.calls.back();
      steps_.emplace(place, std::move(each));
    }
  }

  const ir::Graph& graph_;
  const LiveValues& live_;
  std::vector<bool> done_;
  std::vector<std::int64_t> position_;
  std::map<std::uint32_t, FusedStep> steps_;  ///< by the place of the step
};

}  // namespace

std::optional<std::vector<float>> per_channel(const ir::Tensor& constant, const ir::Shape& shape,
                                              std::size_t axis) {
  if (constant.dtype() != ir::DType::kFloat32 || constant.shape().size() > shape.size()) return {};
  const std::size_t offset = shape.size() - constant.shape().size();
  for (std::size_t i = 0; i < constant.shape().size(); ++i) {
    if (constant.shape()[i] != 1 && i + offset != axis) return std::nullopt;
  }
  const std::span<const float> data = constant.data<float>();
  const auto channels = static_cast<std::size_t>(shape[axis]);
  if (data.size() == 1) return std::vector<float>(channels, data[0]);
  if (data.size() != channels) return std::nullopt;
  return std::vector<float>(data.begin(), data.end());
}

std::vector<FusedStep> fuse(const ir::Graph& graph, const LiveValues& live) {
  return Fuser(graph, live).run();
}

}  // namespace tvmq::exec
