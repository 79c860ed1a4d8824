#include "exec/program_fuse.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "exec/elementwise.h"
#include "exec/program_fuse_contraction.h"
#include "ir/layout.h"

namespace tvmq::exec {
namespace {

using ir::Node;
using ir::Op;

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

/// The padding of an nn.pad with a constant in front of a convolution, as "before..., after..." of
/// the spatial dimensions.
std::optional<std::vector<std::int64_t>> spatial_padding(const Node& pad,
                                                         std::string_view data_layout) {
  const auto& attrs = pad.attrs_as<ir::PadAttrs>();
  const auto layout = ir::Layout::parse(data_layout);
  if (attrs.pad_mode != "constant" || !layout || layout->rank() != attrs.pad_width.size()) {
    return std::nullopt;
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

bool is_zero(const ir::Tensor& value) {
  const std::span<const std::byte> bytes(value.bytes(), value.byte_size());
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

/// One number of the dtype that is padded, if it is of 8 bits.
std::optional<std::int64_t> byte_value(const ir::Tensor& value, ir::DType data) {
  if (value.dtype() != data) return std::nullopt;
  if (data == ir::DType::kUInt8) return value.data<std::uint8_t>()[0];
  if (data == ir::DType::kInt8) return value.data<std::int8_t>()[0];
  return std::nullopt;
}

std::string_view data_layout_of(const Node& node) {
  if (node.op == Op::kConv1D) return node.attrs_as<ir::Conv1DAttrs>().data_layout;
  if (node.op == Op::kConv2D) return node.attrs_as<ir::Conv2DAttrs>().data_layout;
  if (node.op == Op::kConv3D) return node.attrs_as<ir::Conv3DAttrs>().data_layout;
  return {};
}

class Fuser {
 public:
  Fuser(const ir::Graph& graph, const LiveValues& live, bool direct)
      : graph_(graph),
        live_(live),
        direct_(direct),
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
    for (std::uint32_t call = 0; call < live_.calls.size(); ++call) absorb_cast(call);
    group_elementwise();
    split_at_bytes();
    attach_epilogues();
    attach_prologues();
    for (std::uint32_t call = 0; call < live_.calls.size(); ++call) {
      if (!done_[call]) steps_.emplace(call, SingleStep{.call = call});
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
    start.direct = direct_ || is_depthwise(node, start);
    absorb_pad(node, start);
    start.calls.push_back(index);
    done_[index] = true;
    if (type.dtype != ir::DType::kFloat32) {
      steps_.emplace(index, std::move(start));
      return;
    }
    absorb_epilogue(graph_, live_, position_, *axis, start);
    for (const std::uint32_t absorbed : start.calls) done_[absorbed] = true;
    position_[start.output] = index;
    steps_.emplace(index, std::move(start));
  }

  void absorb_pad(const Node& node, ContractionStep& step) {
    const Value& data = live_[step.data];
    if (data.kept || data.users.size() != 1 || position_[step.data] < 0) return;
    const auto producer = static_cast<std::size_t>(position_[step.data]);
    const Call& pad = live_.calls[producer];
    if (!graph_[pad.node].is_call(Op::kPad) || data_layout_of(node).empty()) return;
    const ir::Tensor& value = live_[pad.inputs[1]].constant;
    if (value.empty() || value.size() != 1) return;
    if (!is_zero(value)) {
      const auto byte = byte_value(value, live_.type(pad.inputs[0]).dtype);
      if (!byte || !has_own_loops(node, step) || !pads_nothing(node)) return;
      step.pad_value = *byte;
    }
    auto padding = spatial_padding(graph_[pad.node], data_layout_of(node));
    if (!padding) {
      step.pad_value = 0;
      return;
    }
    step.padding = std::move(*padding);
    step.data = pad.inputs[0];
    step.calls.push_back(static_cast<std::uint32_t>(producer));
    done_[producer] = true;
  }

  /// To which it is all the same what the padding is.
  bool has_own_loops(const Node& conv, const ContractionStep& step) const {
    const ir::TensorType& weights = live_.type(live_.calls[step.call].inputs[1]);
    if (!step.direct || conv.op != Op::kConv2D || weights.dtype != ir::DType::kInt8 ||
        live_.type(step.output).dtype != ir::DType::kInt32) {
      return false;
    }
    const auto& attrs = conv.attrs_as<ir::Conv2DAttrs>();
    return channel_axis(attrs) &&
           (attrs.out_layout.empty() || attrs.out_layout == attrs.data_layout);
  }
  static std::optional<std::size_t> channel_axis(const ir::Conv2DAttrs& attrs) {
    const auto layout = ir::Layout::parse(attrs.data_layout);
    return layout ? layout->index_of('C') : std::nullopt;
  }
  bool is_depthwise(const Node& conv, const ContractionStep& step) const {
    if (conv.op != Op::kConv2D) return false;
    const auto& attrs = conv.attrs_as<ir::Conv2DAttrs>();
    const auto axis = channel_axis(attrs);
    return axis && attrs.groups > 1 && live_.type(step.data).shape[*axis] == attrs.groups &&
           live_.type(step.output).shape[*axis] == attrs.groups;
  }
  static bool pads_nothing(const Node& conv) {
    return std::ranges::all_of(conv.attrs_as<ir::Conv2DAttrs>().padding,
                               [](std::int64_t each) { return each == 0; });
  }

  /// A sum over pixels reads bytes as well as the int32 that a cast makes of them.
  void absorb_cast(std::uint32_t index) {
    const Call& call = live_.calls[index];
    if (!graph_[call.node].is_call(Op::kSum) || position_[call.inputs[0]] < 0) return;
    const Value& wide = live_[call.inputs[0]];
    const auto producer = static_cast<std::uint32_t>(position_[call.inputs[0]]);
    const Call& cast = live_.calls[producer];
    if (wide.kept || wide.users.size() != 1 || wide.type.dtype != ir::DType::kInt32 ||
        !graph_[cast.node].is_call(Op::kCast)) {
      return;
    }
    const ir::DType narrow = live_.type(cast.inputs[0]).dtype;
    if (narrow != ir::DType::kUInt8 && narrow != ir::DType::kInt8) return;
    done_[producer] = done_[index] = true;
    steps_.emplace(index, SingleStep{.call = index, .cast = producer});
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

  /// An elementwise step that reads the sums of several contractions can follow one of them only.
  /// What makes bytes of another one's sums becomes a step of its own behind that: bytes go through
  /// memory, then, instead of sums.
  void split_at_bytes() {
    using Chains = std::vector<std::vector<std::uint32_t>>;  // in the order of the contractions
    const std::vector<std::uint32_t> place_of = elementwise_places();
    std::map<std::uint32_t, Chains> chains_of;  // by the elementwise step's place
    for (const auto& [place, step] : steps_) {
      const auto* contraction = std::get_if<ContractionStep>(&step);
      if (contraction == nullptr) continue;
      const Value& sums = live_[contraction->output];
      if (sums.type.dtype != ir::DType::kInt32 || sums.kept || sums.users.size() != 1) continue;
      const std::uint32_t user = place_of[sums.users[0]];
      if (user == kNoPlace) continue;
      const auto& whole = std::get<ElementwiseStep>(steps_.at(user));
      chains_of[user].push_back(chain_to_bytes(whole, sums.users[0]));
    }
    for (const auto& [place, chains] : chains_of) {
      auto& whole = std::get<ElementwiseStep>(steps_.at(place));
      for (std::size_t i = 0; i + 1 < chains.size(); ++i) {
        const std::vector<std::uint32_t>& chain = chains[i];
        if (chain.empty()) continue;
        std::erase_if(whole.calls, [&](std::uint32_t c) { return contains(chain, c); });
        const ValueId output = live_.calls[chain.back()].outputs[0];
        steps_.emplace(chain.back(), ElementwiseStep{.calls = chain, .output = output});
      }
    }
  }
  /// Of every call in an elementwise step the place of that step.
  std::vector<std::uint32_t> elementwise_places() const {
    std::vector<std::uint32_t> place_of(live_.calls.size(), kNoPlace);
    for (const auto& [place, step] : steps_) {
      const auto* elementwise = std::get_if<ElementwiseStep>(&step);
      if (elementwise == nullptr) continue;
      for (const std::uint32_t call : elementwise->calls) place_of[call] = place;
    }
    return place_of;
  }
  static bool contains(const std::vector<std::uint32_t>& calls, std::uint32_t call) {
    return std::ranges::find(calls, call) != calls.end();
  }
  /// The calls of `step` from `call` on up to one with an 8-bit result, each the only user of the
  /// one before and of constants; nothing if there is none before the end of the step.
  std::vector<std::uint32_t> chain_to_bytes(const ElementwiseStep& step, std::uint32_t call) const {
    std::vector<std::uint32_t> chain;
    while (contains(step.calls, call)) {
      const ValueId output = live_.calls[call].outputs[0];
      const Value& value = live_[output];
      const auto from_elsewhere = std::ranges::count_if(
          live_.calls[call].inputs, [&](ValueId input) { return !live_[input].is_constant(); });
      if (from_elsewhere != 1 || value.kept || output == step.output) return {};
      chain.push_back(call);
      if (ir::dtype_size(value.type.dtype) == 1) return chain;
      if (value.users.size() != 1) return {};
      call = value.users[0];
    }
    return {};
  }

  /// Puts an elementwise step that nothing else than an integer contraction's result goes to behind
  /// that contraction: the latest one, if it reads several, since the others must be done before.
  void attach_epilogues() {
    const std::vector<std::uint32_t> place_of = elementwise_places();
    std::map<std::uint32_t, std::uint32_t> contraction_of;  // by the elementwise step's place
    for (const auto& [place, step] : steps_) {
      const auto* contraction = std::get_if<ContractionStep>(&step);
      if (contraction == nullptr) continue;
      const Value& sums = live_[contraction->output];
      if (sums.type.dtype != ir::DType::kInt32 || sums.kept || sums.users.empty()) continue;
      const std::uint32_t user = place_of[sums.users[0]];
      const auto in_same_step = [&](std::uint32_t call) { return place_of[call] == user; };
      if (user == kNoPlace || !std::ranges::all_of(sums.users, in_same_step)) continue;
      const ValueId result = std::get<ElementwiseStep>(steps_.at(user)).output;
      if (live_.type(result).shape == sums.type.shape) contraction_of[user] = place;
    }
    for (const auto& [place, contraction] : contraction_of) {
      ContractionStep joined = std::get<ContractionStep>(std::move(steps_.at(contraction)));
      joined.epilogue = std::get<ElementwiseStep>(std::move(steps_.at(place)));
      steps_.erase(contraction);
      steps_.at(place) = std::move(joined);
    }
  }

  /// Puts an elementwise step that makes the bytes of one pointwise convolution in front of it.
  void attach_prologues() {
    std::map<ValueId, std::uint32_t> place_of;  // of elementwise steps, by what they store
    for (const auto& [place, step] : steps_) {
      const auto* elementwise = std::get_if<ElementwiseStep>(&step);
      if (elementwise != nullptr) place_of[elementwise->output] = place;
    }
    std::vector<std::uint32_t> attached;
    for (auto& [place, step] : steps_) {
      auto* contraction = std::get_if<ContractionStep>(&step);
      if (contraction == nullptr || !contraction->epilogue || !is_pointwise(*contraction)) continue;
      const auto found = place_of.find(contraction->data);
      const Value& data = live_[contraction->data];
      if (found == place_of.end() || data.kept || data.users.size() != 1) continue;
      contraction->prologue = std::get<ElementwiseStep>(std::move(steps_.at(found->second)));
      attached.push_back(found->second);
    }
    for (const std::uint32_t place : attached) steps_.erase(place);
  }
  /// Pixel by pixel, on loops of our own.
  bool is_pointwise(const ContractionStep& step) const {
    const Node& conv = graph_[live_.calls[step.call].node];
    if (!has_own_loops(conv, step) || !step.padding.empty() || !pads_nothing(conv)) return false;
    const auto& attrs = conv.attrs_as<ir::Conv2DAttrs>();
    const auto is_one = [](std::int64_t each) { return each == 1; };
    const ir::TensorType& weights = live_.type(live_.calls[step.call].inputs[1]);
    const auto layout = ir::Layout::parse(attrs.kernel_layout);
    const auto height = layout ? layout->index_of('H') : std::nullopt;
    const auto width = layout ? layout->index_of('W') : std::nullopt;
    return height && width && weights.shape[*height] == 1 && weights.shape[*width] == 1 &&
           attrs.groups == 1 && std::ranges::all_of(attrs.strides, is_one);
  }

  static constexpr std::uint32_t kNoPlace = ~std::uint32_t{0};

  const ir::Graph& graph_;
  const LiveValues& live_;
  bool direct_;
  std::vector<bool> done_;
  std::vector<std::int64_t> position_;
  std::map<std::uint32_t, FusedStep> steps_;  ///< by the place of the step
};

}  // namespace

std::vector<FusedStep> fuse(const ir::Graph& graph, const LiveValues& live, bool direct) {
  return Fuser(graph, live, direct).run();
}

}  // namespace tvmq::exec
