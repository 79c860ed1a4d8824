// TVM's partition_conversions (relay_quantize.md 3.6): the quantized function as three functions
// and a main that calls them.
//
//   main(x) = cast(conv2d(cast(round(x * 16))) ...)
//     ->  quantize_inputs(x)       let x = cast(round(x * 16)); (x,)
//         quantized_main(x)        conv2d(x) ...
//         dequantize_outputs(input)  cast(input)
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "ir/rewrite.h"
#include "quant/tvm_refusal.h"
#include "quant/tvm_scheme.h"

namespace tvmq::quant {
namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Op;

/// What may stand in front of and behind the quantized part.
bool is_conversion(const Node& node) {
  constexpr std::array kConversions{Op::kAdd,  Op::kMultiply, Op::kRightShift,
                                    Op::kClip, Op::kRound,    Op::kCast};
  return node.kind == NodeKind::kCall &&
         std::find(kConversions.begin(), kConversions.end(), node.op) != kConversions.end();
}

/// A walk from a root to the leaves that rebuilds what changes below it, each node once.
class Mutator {
 public:
  explicit Mutator(Graph& pool) : pool_(pool), done_(pool.size()) {}
  virtual ~Mutator() = default;
  Mutator(const Mutator&) = delete;
  Mutator& operator=(const Mutator&) = delete;

  NodeId visit(NodeId root) {
    std::vector<Frame> stack;
    std::optional<NodeId> result = enter(root, stack);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (result) {
        const std::size_t which = frame.inputs.size();
        frame.inputs.push_back(after_operand(frame.id, which, *result));
        result.reset();
      }
      if (frame.inputs.size() < pool_[frame.id].inputs.size()) {
        const NodeId operand = pool_[frame.id].inputs[frame.inputs.size()];
        result = enter(operand, stack);
      } else {
        result = leave(frame);
        done_[frame.id] = result;
        stack.pop_back();
      }
    }
    return *result;
  }

 protected:
  /// Instead of walking into `id`; asked every time that it is met.
  virtual std::optional<NodeId> instead(NodeId /*id*/) { return std::nullopt; }
  /// An input of the function is met for the first time.
  virtual void on_input(NodeId /*id*/) {}
  /// What operand `which` of `id` becomes, given what its walk returned.
  virtual NodeId after_operand(NodeId /*id*/, std::size_t /*which*/, NodeId rebuilt) {
    return rebuilt;
  }

  Graph& pool_;

 private:
  struct Frame {
    NodeId id;
    std::vector<NodeId> inputs;
  };

  std::optional<NodeId> enter(NodeId id, std::vector<Frame>& stack) {
    if (const auto other = instead(id)) return other;
    if (done_[id]) return done_[id];
    stack.push_back({id, {}});
    return std::nullopt;
  }

  NodeId leave(const Frame& frame) {
    const Node& node = pool_[frame.id];
    if (node.kind == NodeKind::kInput) on_input(frame.id);
    if (node.inputs == frame.inputs) return frame.id;
    return pool_.add_copy(Node(node), frame.inputs);
  }

  std::vector<std::optional<NodeId>> done_;
};

struct LetBinding {
  NodeId parameter;  ///< of the middle function
  NodeId value;      ///< in the prefix
};

/// Cuts the conversions between the inputs and the first other operator on each path.
class PrefixCutter : public Mutator {
 public:
  using Mutator::Mutator;
  [[nodiscard]] const std::vector<LetBinding>& bindings() const { return bindings_; }

 private:
  void on_input(NodeId id) override { pending_.insert(id); }

  /// TVM collects the inputs it has met since the last cut; a subexpression or an input that it
  /// meets again counts no more, and stays in the middle.
  NodeId after_operand(NodeId id, std::size_t which, NodeId rebuilt) override {
    const Node& node = pool_[id];
    if (node.kind != NodeKind::kCall || is_conversion(node) || pending_.empty()) return rebuilt;
    if (pending_.size() != 1) throw refusal::several_inputs_in_prefix(pool_, id);
    const std::string name = pool_[*pending_.begin()].name;
    const ir::Type type = pool_[node.inputs[which]].type;
    pending_.clear();
    bindings_.push_back({pool_.add_input(name, type), rebuilt});
    // A let of what has a name already is only another name (ir::Node::let_name).
    if (pool_[rebuilt].let_name.empty()) {
      pool_.set_let_name(rebuilt, name);
    }
    return bindings_.back().parameter;
  }

  std::set<NodeId> pending_;
  std::vector<LetBinding> bindings_;
};

/// Replaces the first quantized values on the way from the output by an input.
class SuffixCutter : public Mutator {
 public:
  SuffixCutter(Graph& pool, std::set<ir::DType> quantized)
      : Mutator(pool), quantized_(std::move(quantized)) {}
  /// The last one met, as TVM.
  [[nodiscard]] std::optional<NodeId> quantized_value() const { return value_; }

 private:
  std::optional<NodeId> instead(NodeId id) override {
    const ir::Type type = pool_[id].type;
    if (std::holds_alternative<ir::TupleType>(type)) throw refusal::tuple_in_suffix(pool_, id);
    const auto* tensor = std::get_if<ir::TensorType>(&type);
    if (tensor == nullptr) {
      throw InputError("PartitionConversions: the type of " + ir::describe(pool_, id) +
                       " is not known to this program; set PartitionConversions to disabled");
    }
    if (!quantized_.contains(tensor->dtype)) return std::nullopt;
    value_ = id;
    return pool_.add_input("input", type);
  }

  std::set<ir::DType> quantized_;
  std::optional<NodeId> value_;
};

/// The inputs that `roots` reach, in the order in which a walk over one root after the other meets
/// them first.
std::vector<NodeId> free_inputs(const Graph& pool, std::span<const NodeId> roots) {
  std::vector<NodeId> result;
  for (const NodeId root : roots) {
    for (const NodeId id : ir::post_order(pool, root)) {
      const bool is_new = std::find(result.begin(), result.end(), id) == result.end();
      if (pool[id].kind == NodeKind::kInput && is_new) result.push_back(id);
    }
  }
  return result;
}

/// The part of `pool` under `root` as a graph of its own.
Graph extract(const Graph& pool, NodeId root, std::span<const NodeId> inputs) {
  Graph graph;
  std::vector<NodeId> new_ids(pool.size());
  for (const NodeId input : inputs) new_ids[input] = graph.add_copy(pool[input], {});
  for (const NodeId id : ir::post_order(pool, root)) {
    if (pool[id].kind == NodeKind::kInput) continue;
    std::vector<NodeId> operands;
    for (const NodeId operand : pool[id].inputs) operands.push_back(new_ids[operand]);
    new_ids[id] = graph.add_copy(pool[id], std::move(operands));
  }
  graph.set_output(new_ids[root]);
  return graph;
}

struct Parts {
  Graph prefix;
  Graph middle;
  Graph suffix;
};

/// Not known if a field is a tuple itself: a concatenate's operand can be cut off.
ir::Type tuple_type(const Graph& pool, std::span<const NodeId> fields) {
  ir::TupleType type;
  for (const NodeId field : fields) {
    const auto* tensor = std::get_if<ir::TensorType>(&pool[field].type);
    if (tensor == nullptr) return {};
    type.fields.push_back(*tensor);
  }
  return type;
}

Parts cut_prefix(const Graph& quantized) {
  Graph pool = ir::compact(quantized);
  PrefixCutter cutter(pool);
  const NodeId body = cutter.visit(pool.output());
  const NodeId bodies[] = {body};
  const std::vector<NodeId> middle_inputs = free_inputs(pool, bodies);

  std::vector<NodeId> prefix_roots;
  for (const LetBinding& each : cutter.bindings()) prefix_roots.push_back(each.value);
  std::vector<NodeId> fields;
  for (const NodeId input : middle_inputs) {
    const auto bound =
        std::find_if(cutter.bindings().begin(), cutter.bindings().end(),
                     [&](const LetBinding& each) { return each.parameter == input; });
    fields.push_back(bound != cutter.bindings().end()
                         ? bound->value
                         : pool.add_input(pool[input].name, pool[input].type));
  }
  const NodeId tuple = pool.add_tuple(fields);
  pool.set_type(tuple, tuple_type(pool, fields));
  prefix_roots.push_back(tuple);

  Parts parts;
  parts.prefix = extract(pool, tuple, free_inputs(pool, prefix_roots));
  // What is bound in the prefix is an ordinary value in the middle.
  for (const LetBinding& each : cutter.bindings()) pool.set_let_name(each.value, {});
  parts.middle = extract(pool, body, middle_inputs);
  return parts;
}

void cut_suffix(Parts& parts, const std::set<ir::DType>& quantized_types) {
  Graph pool = parts.middle;
  const std::vector<NodeId> inputs = pool.inputs();
  SuffixCutter cutter(pool, quantized_types);
  const NodeId body = cutter.visit(pool.output());
  const NodeId bodies[] = {body};
  const std::vector<NodeId> suffix_inputs = free_inputs(pool, bodies);
  if (const auto value = cutter.quantized_value()) {
    parts.suffix = extract(pool, body, suffix_inputs);
    parts.middle = extract(pool, *value, inputs);
    return;
  }
  // Nothing is quantized: all of it is the middle.
  parts.middle = extract(pool, body, suffix_inputs);
  const NodeId input = parts.suffix.add_input("input", pool[body].type);
  parts.suffix.set_output(input);
}

bool has_other_type(const ir::Type& type, const std::set<ir::DType>& allowed) {
  if (const auto* tensor = std::get_if<ir::TensorType>(&type)) {
    return !allowed.contains(tensor->dtype);
  }
  const auto* tuple = std::get_if<ir::TupleType>(&type);
  if (tuple == nullptr) return true;
  return std::any_of(tuple->fields.begin(), tuple->fields.end(),
                     [&](const ir::TensorType& each) { return !allowed.contains(each.dtype); });
}

void require_integral(const Parts& parts, const std::set<ir::DType>& quantized_types) {
  std::vector<std::string> findings;
  const auto find = [&](const Graph& graph, std::string_view where, auto&& is_wrong) {
    for (const NodeId id : ir::post_order(graph, graph.output())) {
      if (!is_wrong(graph[id])) continue;
      findings.push_back(fmt::format("{} ({}) in {}", ir::describe(graph, id),
                                     ir::to_string(graph[id].type), where));
    }
  };
  const auto is_no_conversion = [](const Node& node) {
    return (node.kind == NodeKind::kCall || node.kind == NodeKind::kInvoke) && !is_conversion(node);
  };
  find(parts.prefix, "quantize_inputs", is_no_conversion);
  find(parts.middle, "quantized_main",
       [&](const Node& node) { return has_other_type(node.type, quantized_types); });
  find(parts.suffix, "dequantize_outputs", is_no_conversion);
  if (!findings.empty()) throw refusal::not_integral(findings);
}

/// TVM's main passes one value to dequantize_outputs.
void require_one_value_in_suffix(const Parts& parts) {
  const Graph& suffix = parts.suffix;
  if (suffix.inputs().size() == 1) return;
  std::vector<std::string> values;
  for (const NodeId each : suffix.inputs()) {
    values.push_back(fmt::format("{} {}", suffix[each].name, ir::to_string(suffix[each].type)));
  }
  throw refusal::several_values_in_suffix(values);
}

Graph fuse(const Parts& parts) {
  Graph main;
  std::vector<NodeId> inputs;
  for (const NodeId input : parts.prefix.inputs()) {
    inputs.push_back(main.add_input(parts.prefix[input].name, parts.prefix[input].type));
  }
  const auto invoke = [&](std::string callee, std::vector<NodeId> operands, std::string let_name,
                          const Graph& function) {
    const NodeId call = main.add_invoke(std::move(callee), std::move(operands));
    main.set_let_name(call, std::move(let_name));
    main.set_type(call, function[function.output()].type);
    return call;
  };
  const NodeId converted =
      invoke("quantize_inputs", std::move(inputs), "quantized_inputs", parts.prefix);
  const auto& fields = parts.prefix[parts.prefix.output()].inputs;
  std::vector<NodeId> operands;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    operands.push_back(main.add_tuple_get_item(converted, static_cast<std::int64_t>(i)));
    main.set_type(operands.back(), parts.prefix[fields[i]].type);
  }
  const NodeId quantized =
      invoke("quantized_main", std::move(operands), "quantized_outputs", parts.middle);
  main.set_output(invoke("dequantize_outputs", {quantized}, "dequantized_outputs", parts.suffix));
  return main;
}

}  // namespace

ir::Module partition_conversions(const ir::Graph& quantized, const TvmQuantizeOptions& options) {
  if (options.partition_conversions == PartitionConversions::kDisabled) {
    return {{{"main", quantized}}};
  }
  const std::set<ir::DType> quantized_types{options.dtype_input, options.dtype_weight,
                                            options.dtype_activation};
  Parts parts = cut_prefix(quantized);
  cut_suffix(parts, quantized_types);
  if (options.partition_conversions == PartitionConversions::kFullyIntegral) {
    require_integral(parts, quantized_types);
  }
  require_one_value_in_suffix(parts);
  ir::Module module;
  module.functions.push_back({"main", fuse(parts)});
  module.functions.push_back({"quantize_inputs", std::move(parts.prefix)});
  module.functions.push_back({"quantized_main", std::move(parts.middle)});
  module.functions.push_back({"dequantize_outputs", std::move(parts.suffix)});
  return module;
}

}  // namespace tvmq::quant
