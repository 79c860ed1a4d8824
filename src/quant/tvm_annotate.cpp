// TVM's QuantizeAnnotate (relay_quantize.md 3.2).

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "ir/infer_types.h"
#include "quant/forward_rewriter.h"
#include "quant/layers.h"
#include "quant/tvm_partition.h"
#include "quant/tvm_refusal.h"
#include "quant/tvm_scheme.h"

namespace tvmq::quant {
namespace {

using ir::NodeId;
using ir::Op;

/// A node in the integer domain: kInput holds 8 bits, kActivation an accumulator.
struct Annotated {
  NodeId node;
  AnnotateKind kind;
};

class Annotate {
 public:
  Annotate(const ir::Graph& graph, const TvmQuantizeOptions& options)
      : rewriter_(graph),
        options_(options),
        names_(layer_names(graph)),
        skipped_(chosen_layers(graph, options.skip_layers, "SkipLayers")) {}

  AnnotatedGraph run() {
    AnnotatedGraph result;
    result.graph = rewriter_.run(
        [this](NodeId call, std::span<const Value> args) { return rule_with_log(call, args); },
        [](const Annotated& annotated) { return annotated.node; },
        [this](Value value) { return when_shared(value); });
    result.layers = std::move(layers_);
    return result;
  }

 private:
  using Result = std::optional<Value>;

  Result rule_with_log(NodeId call, std::span<const Value> args) {
    reason_.clear();
    const Result result = rule(call, args);
    const ir::Node& node = rewriter_.source()[call];
    if (is_layer(node)) {
      if (!result && reason_.empty()) {
        reason_ = fmt::format("TVM's quantizer has no rule for {}", node.op_name());
      }
      layers_.push_back({.name = names_[call],
                         .op = std::string(node.op_name()),
                         .quantized = result.has_value(),
                         .reason = result ? std::string() : reason_});
    }
    return result;
  }

  Result rule(NodeId call, std::span<const Value> args) {
    switch (rewriter_.source()[call].op) {
      case Op::kConv2D:
      case Op::kConv1D:
        return skipped(call) ? std::nullopt : weighted(call, args);
      case Op::kDense:
        if (options_.skip_dense_layer) {
          reason_ = "SkipDenseLayer leaves dense layers alone";
          return std::nullopt;
        }
        return skipped(call) ? std::nullopt : weighted(call, args);
      case Op::kBatchMatmul:
        return skipped(call) ? std::nullopt : batch_matmul(call, args);
      case Op::kMultiply:
        return skipped(call) ? std::nullopt : multiply(call, args[0], args[1]);
      case Op::kAdd:
        return skipped(call) ? std::nullopt : add(call, args[0], args[1]);
      case Op::kReshape:
      case Op::kClip:
      case Op::kRelu:
      case Op::kStridedSlice:
      case Op::kAvgPool2D:
      case Op::kBatchFlatten:
      case Op::kTranspose:
      case Op::kStopFusion:
        return skipped(call) ? std::nullopt : same_kind(call, args[0]);
      case Op::kMaxPool2D:
      case Op::kMaxPool1D:
        return skipped(call) ? std::nullopt : narrowed(call, args[0]);
      case Op::kCastHint:
        // Dropped where it would hint at nothing.
        if (skipped(call)) return Value::node(node_of(args[0]));
        return kind_of(args[0]) == AnnotateKind::kNone ? args[0] : narrowed(call, args[0]);
      case Op::kConcatenate:
        return skipped(call) ? std::nullopt : concatenate(call, args[0]);
      case Op::kGlobalAvgPool2D:
        return skipped(call) ? std::nullopt : global_average(call, args[0]);
      default:
        return std::nullopt;
    }
  }

  /// Counts the conv2d as it goes, so it is asked exactly once per call.
  bool skipped(NodeId call) {
    if (stopped_by_) {
      reason_ = fmt::format("it comes after {}, where TVM stops quantizing for good",
                            ir::describe(rewriter_.source(), *stopped_by_));
      return true;
    }
    const bool listed = !skipped_[call].empty();
    if (listed) reason_ = fmt::format("'{}' of SkipLayers", skipped_[call]);
    if (!options_.skip_conv_layers || rewriter_.source()[call].op != Op::kConv2D) return listed;
    const int number = conv2d_seen_++;
    const auto& skip = *options_.skip_conv_layers;
    if (std::find(skip.begin(), skip.end(), number) == skip.end()) return listed;
    reason_ = fmt::format("SkipConvLayers lists it: it is nn.conv2d number {}", number);
    return true;
  }

  Result weighted(NodeId call, std::span<const Value> args) {
    const NodeId data = as_input(args[0]);
    if (kind_of(args[1]) != AnnotateKind::kNone) {
      throw refusal::computed_weight(rewriter_.source(), call);
    }
    return activation(call, {data, attach(node_of(args[1]), AnnotateKind::kWeight)});
  }

  Result batch_matmul(NodeId call, std::span<const Value> args) {
    const auto side = [this](Value value) {
      const AnnotateKind kind = kind_of(value);
      const bool attaches = kind == AnnotateKind::kNone || kind == AnnotateKind::kActivation;
      return attaches ? attach_by_constness(node_of(value)) : node_of(value);
    };
    const NodeId left = side(args[0]);
    return activation(call, {left, side(args[1])});
  }

  Result multiply(NodeId call, Value left, Value right) {
    const bool l = kind_of(left) != AnnotateKind::kNone;
    const bool r = kind_of(right) != AnnotateKind::kNone;
    if (!l && !r) return std::nullopt;
    if (l && r) throw refusal::product_of_quantized(rewriter_.source(), call);
    if (l) {
      const NodeId data = as_input(left);
      return activation(call, {data, attach_by_constness(node_of(right))});
    }
    const NodeId data = as_input(right);
    return activation(call, {attach_by_constness(node_of(left)), data});
  }

  Result add(NodeId call, Value left, Value right) {
    const AnnotateKind l = kind_of(left);
    const AnnotateKind r = kind_of(right);
    if (l == AnnotateKind::kNone && r == AnnotateKind::kNone) return std::nullopt;
    NodeId left_node = node_of(left);
    NodeId right_node = node_of(right);
    if (l == AnnotateKind::kNone) {
      left_node = attach(left_node, AnnotateKind::kInput);  // a constant too
    } else if (r == AnnotateKind::kNone) {
      right_node = attach_by_constness(right_node);
    } else if (l == AnnotateKind::kActivation && r == AnnotateKind::kActivation) {
      right_node = attach(right_node, AnnotateKind::kInput);
    }
    return activation(call, {left_node, right_node});
  }

  Result same_kind(NodeId call, Value arg) {
    const AnnotateKind kind = kind_of(arg);
    if (kind == AnnotateKind::kNone) return std::nullopt;
    return annotated(rewriter_.forward(call, {node_of(arg)}), kind);
  }

  Result narrowed(NodeId call, Value arg) {
    if (kind_of(arg) == AnnotateKind::kNone) return std::nullopt;
    return annotated(rewriter_.forward(call, {as_input(arg)}), AnnotateKind::kInput);
  }

  Result concatenate(NodeId call, Value arg) {
    const auto fields = rewriter_.fields(arg);
    if (!fields) throw refusal::concatenate_of_computed_tuple(rewriter_.source(), call);
    const std::vector<Value> elements(fields->begin(), fields->end());
    const auto is_plain = [this](Value each) { return kind_of(each) == AnnotateKind::kNone; };
    if (std::all_of(elements.begin(), elements.end(), is_plain)) return std::nullopt;
    std::vector<NodeId> nodes;
    for (const Value each : elements) {
      const NodeId node = node_of(each);
      nodes.push_back(is_plain(each) ? attach(node, AnnotateKind::kActivation) : node);
    }
    return activation(call, {rewriter_.target().add_tuple(std::move(nodes))});
  }

  Result global_average(NodeId call, Value arg) {
    if (kind_of(arg) == AnnotateKind::kNone) return std::nullopt;
    stopped_by_ = call;
    return Value::node(rewriter_.forward(call, {node_of(arg)}));
  }

  /// Everything in the integer domain that has several users is brought to 8 bits first.
  Value when_shared(Value value) {
    return annotated(attach(node_of(value), AnnotateKind::kInput), AnnotateKind::kInput);
  }

  [[nodiscard]] AnnotateKind kind_of(Value value) const {
    const Annotated* annotated = rewriter_.temporary(value);
    return annotated == nullptr ? AnnotateKind::kNone : annotated->kind;
  }
  NodeId node_of(Value value) { return rewriter_.node_of(value); }
  NodeId as_input(Value value) {
    const NodeId node = node_of(value);
    return kind_of(value) == AnnotateKind::kInput ? node : attach(node, AnnotateKind::kInput);
  }
  Value annotated(NodeId node, AnnotateKind kind) { return rewriter_.make_temporary({node, kind}); }
  Result activation(NodeId call, std::vector<NodeId> operands) {
    return annotated(rewriter_.forward(call, std::move(operands)), AnnotateKind::kActivation);
  }

  NodeId attach_by_constness(NodeId data) {
    const bool constant = rewriter_.target()[data].is_constant();
    return attach(data, constant ? AnnotateKind::kWeight : AnnotateKind::kInput);
  }

  /// The simulated quantize of `data`, made once per kind.
  NodeId attach(NodeId data, AnnotateKind kind) {
    const auto number = static_cast<std::int64_t>(kind);
    const ir::Node& node = rewriter_.target()[data];
    if (node.is_call(Op::kSimulatedQuantize) &&
        node.attrs_as<ir::SimulatedQuantizeAttrs>().kind == number) {
      return data;
    }
    const auto [place, is_new] = attached_.try_emplace({data, kind});
    if (is_new) {
      place->second = rewriter_.target().add_call(Op::kSimulatedQuantize, {data},
                                                  ir::SimulatedQuantizeAttrs{.kind = number});
    }
    return place->second;
  }

  ForwardRewriter<Annotated> rewriter_;
  const TvmQuantizeOptions& options_;
  std::vector<std::string> names_;    ///< of layers
  std::vector<std::string> skipped_;  ///< the pattern that leaves a layer alone; empty: none
  std::map<std::pair<NodeId, AnnotateKind>, NodeId> attached_;
  int conv2d_seen_ = 0;
  std::optional<NodeId> stopped_by_;
  std::vector<QuantizationSummary::Layer> layers_;
  std::string reason_;  ///< why the rule that ran last declined
};

/// infer_types() that knows why a simulated quantize has no type.
void infer_annotated_types(ir::Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].is_call(Op::kSimulatedQuantize)) {
      const NodeId data = graph[id].inputs[0];
      const auto* type = std::get_if<ir::TensorType>(&graph[data].type);
      if (type != nullptr && type->shape.empty()) throw refusal::scalar_quantized(graph, data);
    }
    graph.set_type(id, ir::infer_type(graph, id));
  }
}

void check_weight(const ir::Graph& graph, NodeId quantize) {
  const auto kind = graph[quantize].attrs_as<ir::SimulatedQuantizeAttrs>().kind;
  if (kind != static_cast<std::int64_t>(AnnotateKind::kWeight)) return;
  const NodeId weight = graph[quantize].inputs[0];
  if (!graph[weight].is_constant()) throw refusal::weight_not_constant(graph, weight);
  if (graph[weight].value.size() == 0) throw refusal::empty_weight(graph, weight);
}

}  // namespace

AnnotatedGraph annotate(const ir::Graph& prepared, const TvmQuantizeOptions& options) {
  check_options(options);
  AnnotatedGraph result = Annotate(partition(prepared, options), options).run();
  infer_annotated_types(result.graph);
  for (const NodeId id : ir::post_order(result.graph, result.graph.output())) {
    if (!result.graph[id].is_call(Op::kSimulatedQuantize)) continue;
    check_weight(result.graph, id);
    result.quantizes.push_back(id);
  }
  return result;
}

}  // namespace tvmq::quant
