// The engine of partition, annotate and realize: rewrites a graph in post order while values may be
// "temporaries", things that are not yet nodes (relay_quantize.md 3.0, ForwardRewriter).
//
// A rule sees a call of the source graph and its rewritten operands, temporaries included, and
// returns what stands for the call, or nothing: then the temporaries among the operands become
// nodes ("are realised") and the call is copied onto them. Tuples keep temporaries in their fields,
// and a field taken from such a tuple is that temporary again.
//
// Which nodes are made once and which anew decides whether the result equals TVM's: node_of()
// realises each temporary once for the whole pass; a rule that wants fresh nodes makes them itself.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "ir/rewrite.h"

namespace tvmq::quant {

/// What stands for a node of the source graph: a node of the target, a temporary, or a tuple.
struct Value {
  enum class Form : std::uint8_t { kNode, kTemporary, kTuple };
  Form form = Form::kNode;
  std::uint32_t index = 0;  ///< NodeId of the target, or number of the temporary or tuple

  static Value node(ir::NodeId id) { return {Form::kNode, id}; }
};

template <class Temporary>
class ForwardRewriter {
 public:
  using Rule =
      std::function<std::optional<Value>(ir::NodeId call, std::span<const Value> operands)>;

  explicit ForwardRewriter(const ir::Graph& source)
      : source_(source), values_(source.size()), uses_(ir::use_counts(source)) {}

  [[nodiscard]] const ir::Graph& source() const { return source_; }
  [[nodiscard]] ir::Graph& target() { return target_; }

  Value make_temporary(Temporary temporary) {
    temporaries_.push_back({std::move(temporary), std::nullopt});
    return {Value::Form::kTemporary, static_cast<std::uint32_t>(temporaries_.size() - 1)};
  }
  /// Null if `value` is not a temporary. Valid until the next make_temporary().
  [[nodiscard]] const Temporary* temporary(Value value) const {
    return value.form == Value::Form::kTemporary ? &temporaries_[value.index].content : nullptr;
  }
  /// The fields of a tuple that the source graph builds; nothing for any other value.
  [[nodiscard]] std::optional<std::span<const Value>> fields(Value value) const {
    if (value.form != Value::Form::kTuple) return std::nullopt;
    return tuples_[value.index].fields;
  }

  /// The node of a value; temporaries and tuples become nodes, once.
  ir::NodeId node_of(Value value) {
    switch (value.form) {
      case Value::Form::kNode:
        return value.index;
      case Value::Form::kTemporary: {
        std::optional<ir::NodeId>& known = temporaries_[value.index].node;
        if (!known) known = realise_(temporaries_[value.index].content);
        return *known;
      }
      case Value::Form::kTuple:
        return tuple_node(value.index);
    }
    throw InternalError("a value without a form");
  }

  /// The call `id` of the source graph on other operands; the type is unset.
  ir::NodeId forward(ir::NodeId id, std::vector<ir::NodeId> operands) {
    const ir::NodeId copy = target_.add_copy(source_[id], std::move(operands));
    target_.set_type(copy, {});
    return copy;
  }

  /// `realise` makes a node of a temporary; it must not call node_of(). `when_shared`, if there is
  /// one, replaces a temporary wherever a node with several uses is used.
  ir::Graph run(const Rule& rule, std::function<ir::NodeId(const Temporary&)> realise,
                const std::function<Value(Value)>& when_shared = {}) {
    realise_ = std::move(realise);
    for (const ir::NodeId input : source_.inputs()) {
      values_[input] = Value::node(target_.add_copy(source_[input], {}));
    }
    for (const ir::NodeId id : ir::post_order(source_, source_.output())) {
      if (source_[id].kind != ir::NodeKind::kInput) values_[id] = rewrite(id, rule, when_shared);
    }
    target_.set_output(node_of(values_[source_.output()]));
    return ir::compact(target_);
  }

 private:
  struct Made {
    Temporary content;
    std::optional<ir::NodeId> node;
  };
  struct Tuple {
    ir::NodeId source;
    std::vector<Value> fields;
    std::optional<ir::NodeId> node;
  };

  Value rewrite(ir::NodeId id, const Rule& rule, const std::function<Value(Value)>& when_shared) {
    const ir::Node& node = source_[id];
    std::vector<Value> operands;
    operands.reserve(node.inputs.size());
    for (const ir::NodeId input : node.inputs) {
      const Value value = values_[input];
      const bool shared = when_shared && uses_[input] > 1 && temporary(value) != nullptr;
      operands.push_back(shared ? when_shared(value) : value);
    }
    switch (node.kind) {
      case ir::NodeKind::kTuple:
        check_nesting(id, operands);
        tuples_.push_back({id, std::move(operands), std::nullopt});
        return {Value::Form::kTuple, static_cast<std::uint32_t>(tuples_.size() - 1)};
      case ir::NodeKind::kTupleGetItem:
        if (const auto tuple = fields(operands[0])) {
          return (*tuple)[static_cast<std::size_t>(node.index)];
        }
        break;
      case ir::NodeKind::kCall:
        if (const std::optional<Value> result = rule(id, operands)) return *result;
        break;
      default:
        break;
    }
    std::vector<ir::NodeId> nodes;
    nodes.reserve(operands.size());
    for (const Value each : operands) nodes.push_back(node_of(each));
    return Value::node(forward_any(id, std::move(nodes)));
  }

  /// node_of() follows tuples in tuples by recursion, and files are not to be trusted.
  void check_nesting(ir::NodeId id, std::span<const Value> operands) const {
    for (const Value each : operands) {
      if (each.form != Value::Form::kTuple) continue;
      for (const Value inner : tuples_[each.index].fields) {
        if (inner.form == Value::Form::kTuple) {
          throw InputError(ir::describe(source_, id) +
                           ": found a tuple of tuples of tuples, expected at most two levels; "
                           "flatten the outputs of the model");
        }
      }
    }
  }

  ir::NodeId forward_any(ir::NodeId id, std::vector<ir::NodeId> operands) {
    if (source_[id].is_constant()) return target_.add_copy(source_[id], {});
    return forward(id, std::move(operands));
  }

  ir::NodeId tuple_node(std::uint32_t index) {
    if (!tuples_[index].node) {
      std::vector<ir::NodeId> nodes;
      for (const Value field : tuples_[index].fields) nodes.push_back(node_of(field));
      tuples_[index].node = forward(tuples_[index].source, std::move(nodes));
    }
    return *tuples_[index].node;
  }

  const ir::Graph& source_;
  ir::Graph target_;
  std::vector<Value> values_;
  std::vector<std::uint32_t> uses_;
  std::vector<Made> temporaries_;
  std::vector<Tuple> tuples_;
  std::function<ir::NodeId(const Temporary&)> realise_;
};

}  // namespace tvmq::quant
