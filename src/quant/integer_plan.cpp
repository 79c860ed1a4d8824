// Decides which values of the float graph the integer graph stores as uint8.
//
// A value is stored where a kernel of integers reads it: convolution, dense, pooling,
// concatenation. Elementwise steps compute in float32 inside a kernel and read float32: what
// travels past a layer, as residual sums and the gated values of squeeze-excite do, is not rounded
// on its way. A value that both read is kept in both forms; in TVM that costs resnet50 6 % of its
// time and smaller networks nothing (docs/tvm_kernels.md), and buys resnet56 2.5 dB
// (docs/results.md).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ir/infer_types.h"
#include "ir/rewrite.h"
#include "quant/integer_roles.h"
#include "quant/integer_scheme.h"
#include "quant/layers.h"

namespace tvmq::quant {
namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Op;

class Planner {
 public:
  Planner(const Graph& prepared, const IntegerOptions& options) : options_(options) {
    plan_.graph = ir::compact(prepared);
    ir::infer_types(plan_.graph);
    plan_.roles.assign(plan_.graph.size(), Role::kFloat);
    plan_.stored.assign(plan_.graph.size(), false);
    plan_.wide.assign(plan_.graph.size(), false);
    plan_.groups.resize(plan_.graph.size());
    std::iota(plan_.groups.begin(), plan_.groups.end(), 0);
    uses_ = ir::use_counts(plan_.graph);
    users_ = ir::users(plan_.graph);
    names_ = layer_names(plan_.graph);
    wide_ = chosen_layers(plan_.graph, options.wide_layers, "WideLayers");
    skipped_ = chosen_layers(plan_.graph, options.skip_layers, "SkipLayers");
  }

  IntegerPlan run() {
    for (NodeId id = 0; id < graph().size(); ++id) assign_role(id);
    find_ends();
    move_floats_to_wide_layers();
    find_what_leads_to_integers();
    for (NodeId id = graph().size(); id-- > 0;) store_operands_of_kernels(id);
    for (NodeId id = 0; id < graph().size(); ++id) store_with_its_tuple(id);
    tie_groups();
    choose_observed();
    choose_wide();
    return std::move(plan_);
  }

 private:
  [[nodiscard]] const Graph& graph() const { return plan_.graph; }
  [[nodiscard]] Role role(NodeId id) const { return plan_.roles[id]; }
  /// Hands on elements of its operands as they are.
  [[nodiscard]] bool moves(NodeId id) const {
    return role(id) == Role::kView || role(id) == Role::kMove || role(id) == Role::kConcatenate;
  }

  void assign_role(NodeId id) {
    const Node& node = graph()[id];
    plan_.roles[id] = role_of(graph(), id);
    if (node.kind == NodeKind::kCall && is_layer(node)) {
      const std::string reason = refusal(id);
      plan_.layers.push_back({.name = names_[id],
                              .op = std::string(node.op_name()),
                              .quantized = reason.empty(),
                              .reason = reason});
      if (!reason.empty()) {
        plan_.roles[id] = Role::kFloat;
      } else {
        require_finite_weight(id);
      }
    }
  }

  void require_finite_weight(NodeId id) const {
    const auto weight = graph()[graph()[id].inputs[1]].value.data<float>();
    const auto place = std::ranges::find_if_not(weight, [](float w) { return std::isfinite(w); });
    if (place == weight.end()) return;
    throw InputError(
        fmt::format("{}: found NaN or infinity ({}) as element {} of its weight, expected finite "
                    "numbers; export the model again",
                    describe(graph(), id), *place, place - weight.begin()));
  }

  /// Why a layer stays float; empty if it need not.
  std::string refusal(NodeId id) {
    const Node& node = graph()[id];
    const int number = node.op == Op::kConv2D ? convolutions_++ : 0;
    if (!skipped_[id].empty()) return fmt::format("'{}' of SkipLayers", skipped_[id]);
    if (node.op != Op::kConv2D && node.op != Op::kDense) return why_no_kernel(graph(), id);
    if (node.op == Op::kConv2D) {
      if (std::find(options_.skip_conv_layers.begin(), options_.skip_conv_layers.end(), number) !=
          options_.skip_conv_layers.end()) {
        return fmt::format("number {} of SkipConvLayers", number);
      }
    } else if (options_.skip_dense_layer) {
      return "SkipDenseLayer";
    } else if (!options_.dense_kernels) {
      return "TVM's 8-bit matrix product needs AVX-512 without AMX, which Target is not";
    }
    return why_no_kernel(graph(), id);
  }

  /// The layers that no other integer layer comes before, or behind.
  void find_ends() {
    std::vector<bool> from_input(graph().size(), false);
    std::vector<bool> to_output(graph().size(), false);
    const auto reached = [&](const std::vector<bool>& mark) {
      return [&](NodeId other) { return mark[other] && !is_layer(role(other)); };
    };
    at_end_.assign(graph().size(), false);
    for (NodeId id = 0; id < graph().size(); ++id) {
      const Node& node = graph()[id];
      from_input[id] =
          node.kind == NodeKind::kInput || std::ranges::any_of(node.inputs, reached(from_input));
    }
    for (NodeId id = graph().size(); id-- > 0;) {
      to_output[id] = id == graph().output() || std::ranges::any_of(users_[id], reached(to_output));
      at_end_[id] = from_input[id] || to_output[id];
    }
  }

  [[nodiscard]] bool wants_wide(NodeId id) const {
    return is_layer(role(id)) && !wide_[id].empty() && !(options_.one_value_at_ends && at_end_[id]);
  }

  /// What only moves stored integers has no more than their 8 bits to hand on: in front of a layer
  /// that wants more it moves float32, unless someone else reads its integers.
  void move_floats_to_wide_layers() {
    std::vector<bool> moves_floats(graph().size(), false);
    for (NodeId id = graph().size(); id-- > 0;) {
      if (!moves(id) || graph()[id].kind == NodeKind::kTupleGetItem) continue;
      const auto wants_more = [&](NodeId user) { return wants_wide(user) || moves_floats[user]; };
      const auto reads_floats = [&](NodeId user) {
        return wants_more(user) || role(user) == Role::kElementwise || role(user) == Role::kFloat;
      };
      if (std::ranges::none_of(users_[id], wants_more)) continue;
      if (!std::ranges::all_of(users_[id], reads_floats)) continue;
      plan_.roles[id] = Role::kFloat;
      moves_floats[id] = true;
    }
  }

  /// leads_[id]: the value ends up, perhaps after elementwise and moving steps, in an integer
  /// layer.
  void find_what_leads_to_integers() {
    leads_.assign(graph().size(), false);
    for (NodeId id = graph().size(); id-- > 0;) {
      const Node& node = graph()[id];
      if (is_layer(role(id))) {
        leads_[node.inputs[0]] = true;
      } else if (leads_[id] && role(id) != Role::kFloat) {
        for (const NodeId input : node.inputs) leads_[input] = true;
      }
    }
  }

  void store(NodeId id) {
    const Node& node = graph()[id];
    if (node.is_constant()) return;
    plan_.stored[id] = true;
  }

  /// In reverse order: users have decided before their operands.
  void store_operands_of_kernels(NodeId id) {
    const Node& node = graph()[id];
    if (uses_[id] == 0) return;
    switch (role(id)) {
      case Role::kConvolution:
      case Role::kDense:
        store(node.inputs[0]);
        break;
      case Role::kAverage:
        if (leads_[id] && !has_elementwise_user(node.inputs[0])) store(node.inputs[0]);
        break;
      case Role::kMove:
      case Role::kConcatenate:
        if (leads_[id]) store(id);
        if (plan_.stored[id]) store(node.inputs[0]);
        break;
      case Role::kView:
        if (plan_.stored[id]) {
          for (const NodeId input : node.inputs) store(input);
        }
        break;
      case Role::kElementwise:
      case Role::kFloat:
        break;
    }
  }

  /// One result of a split is needed as integers: the others come as integers, too.
  void store_with_its_tuple(NodeId id) {
    const Node& node = graph()[id];
    if (node.kind == NodeKind::kTupleGetItem && plan_.stored[node.inputs[0]]) store(id);
  }

  [[nodiscard]] bool has_elementwise_user(NodeId id) const {
    return std::ranges::any_of(users_[id],
                               [&](NodeId user) { return role(user) == Role::kElementwise; });
  }

  NodeId group(NodeId id) {
    while (plan_.groups[id] != id) id = plan_.groups[id] = plan_.groups[plan_.groups[id]];
    return id;
  }

  void tie_groups() {
    for (NodeId id = 0; id < graph().size(); ++id) {
      if (!plan_.stored[id]) continue;
      if (!moves(id)) continue;
      const std::size_t operands = role(id) == Role::kMove ? 1 : graph()[id].inputs.size();
      for (std::size_t i = 0; i < operands; ++i) {
        const NodeId input = graph()[id].inputs[i];
        if (plan_.stored[input]) plan_.groups[group(id)] = group(input);
      }
    }
    for (NodeId id = 0; id < graph().size(); ++id) plan_.groups[id] = group(id);
  }

  /// What a step only moves has no range of its own.
  void choose_observed() {
    for (NodeId id = 0; id < graph().size(); ++id) {
      const bool from_stored =
          moves(id) && !graph()[id].inputs.empty() && plan_.stored[graph()[id].inputs[0]];
      if (plan_.stored[id] && !from_stored) plan_.observed.push_back(id);
    }
  }

  void choose_wide() {
    auto layer = plan_.layers.begin();
    for (NodeId id = 0; id < graph().size(); ++id) {
      const Node& node = graph()[id];
      if (node.kind != NodeKind::kCall || !is_layer(node)) continue;
      layer->wide = plan_.wide[id] =
          wants_wide(id) && std::ranges::binary_search(plan_.observed, node.inputs[0]);
      ++layer;
    }
  }

  const IntegerOptions& options_;
  IntegerPlan plan_;
  std::vector<std::uint32_t> uses_;
  std::vector<bool> leads_;
  std::vector<bool> at_end_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<std::string> names_;    ///< of layers
  std::vector<std::string> skipped_;  ///< the pattern that leaves a layer float; empty: none
  std::vector<std::string> wide_;     ///< likewise, of 16-bit inputs
  int convolutions_ = 0;
};

}  // namespace

IntegerPlan plan_integer(const Graph& prepared, const IntegerOptions& options) {
  return Planner(prepared, options).run();
}

}  // namespace tvmq::quant
