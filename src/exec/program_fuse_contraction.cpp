#include "exec/program_fuse_contraction.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "exec/elementwise.h"

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
    constexpr std::size_t kOfOneCall = 2;  // of a batch normalisation
    while (step_.post.size() + kOfOneCall <= kMostPostOps && (absorb_gate() || absorb_one())) {
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
    if (!fits(post)) return false;
    step_.post.push_back(std::move(post));
    return true;
  }

  /// oneDNN gives all post operators of one kind the parameters of one of them: relu behind
  /// leaky_relu, or clip behind another clip, must stay outside.
  bool fits(const PostOp& post) const {
    return std::ranges::none_of(step_.post, [&](const PostOp& earlier) {
      return earlier.kind == post.kind &&
             (earlier.alpha != post.alpha || earlier.beta != post.beta);
    });
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

void absorb_epilogue(const ir::Graph& graph, const LiveValues& live,
                     std::span<const std::int64_t> position, std::size_t axis,
                     ContractionStep& step) {
  Contraction contraction(graph, live, position, std::move(step), axis);
  contraction.absorb_all();
  step = std::move(contraction.step());
  step.calls.insert(step.calls.end(), contraction.absorbed().begin(), contraction.absorbed().end());
  std::ranges::sort(step.calls);
}

}  // namespace tvmq::exec
