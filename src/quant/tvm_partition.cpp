#include "quant/tvm_partition.h"

#include <optional>

#include "quant/call_builder.h"
#include "quant/forward_rewriter.h"
#include "quant/tvm_refusal.h"

namespace tvmq::quant {
namespace {

using ir::NodeId;
using ir::Op;

/// A value inside a section: its node, not yet marked.
struct Section {
  NodeId node;
};

class Partition {
 public:
  Partition(const ir::Graph& graph, const TvmQuantizeOptions& options)
      : rewriter_(graph), build_(rewriter_.target()), options_(options) {}

  ir::Graph run() {
    return rewriter_.run(
        [this](NodeId call, std::span<const Value> args) { return rule(call, args); },
        [this](const Section& section) { return mark(section.node); });
  }

 private:
  using Result = std::optional<Value>;

  Result rule(NodeId call, std::span<const Value> args) {
    switch (rewriter_.source()[call].op) {
      case Op::kConv2D:
        if (inside(args[1])) throw refusal::computed_weight(rewriter_.source(), call);
        return section(call, {marked_or_node(args[0]), rewriter_.node_of(args[1])});
      case Op::kClip:
      case Op::kRelu:
      case Op::kMaxPool2D:
        if (!inside(args[0])) return std::nullopt;
        return section(call, {*inside(args[0])});
      case Op::kAdd:
        return add(call, args[0], args[1]);
      case Op::kMultiply:
        return multiply(call, args[0], args[1]);
      case Op::kGlobalAvgPool2D: {
        const auto node = inside(args[0]);
        return Value::node(
            rewriter_.forward(call, {mark(node ? *node : rewriter_.node_of(args[0]))}));
      }
      default:
        return std::nullopt;
    }
  }

  Result add(NodeId call, Value left, Value right) {
    const auto l = inside(left);
    const auto r = inside(right);
    if (l && r) {
      const NodeId marked_left = mark(*l);
      return section(call, {marked_left, mark(*r)});
    }
    if (r) return Value::node(rewriter_.forward(call, {rewriter_.node_of(left), mark(*r)}));
    if (!l) return std::nullopt;
    // The folded shift of a batch norm, or a bias: stays in the section.
    const NodeId other = rewriter_.node_of(right);
    if (rewriter_.target()[other].is_constant()) return section(call, {*l, other});
    return Value::node(rewriter_.forward(call, {mark(*l), other}));
  }

  Result multiply(NodeId call, Value left, Value right) {
    const auto l = inside(left);
    const auto r = inside(right);
    // The right side leaves its section without a mark here: TVM unwraps it only.
    if (l) return section(call, {mark(*l), r ? *r : rewriter_.node_of(right)});
    if (r) return section(call, {rewriter_.node_of(left), mark(*r)});
    return std::nullopt;
  }

  std::optional<NodeId> inside(Value value) const {
    const Section* section = rewriter_.temporary(value);
    return section == nullptr ? std::nullopt : std::optional(section->node);
  }
  NodeId marked_or_node(Value value) {
    const auto node = inside(value);
    return node ? mark(*node) : rewriter_.node_of(value);
  }
  /// Fresh nodes every time, as TVM makes them.
  NodeId mark(NodeId node) {
    return build_.stop_fusion(build_.cast_hint(node, options_.dtype_input));
  }
  Value section(NodeId call, std::vector<NodeId> operands) {
    return rewriter_.make_temporary({rewriter_.forward(call, std::move(operands))});
  }

  ForwardRewriter<Section> rewriter_;
  CallBuilder build_;
  const TvmQuantizeOptions& options_;
};

}  // namespace

ir::Graph partition(const ir::Graph& graph, const TvmQuantizeOptions& options) {
  return Partition(graph, options).run();
}

}  // namespace tvmq::quant
