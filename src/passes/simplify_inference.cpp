// Normalisation and dropout as the arithmetic that they are at inference (relay_quantize.md 2.2).
//
//   batch_norm(x, gamma, beta, mean, var).0  ->  x * S + B
//     s = 1 / sqrt(var + eps) [* gamma],  S = expand_dims(s)
//     t = -mean * s [+ beta],             B = expand_dims(t)
//   dropout(x).0                             ->  x
//   layer_norm / instance_norm(x, g, b)      ->  (x - m) / sqrt(v + eps) [* G] [+ B]
//     m = mean(x), v = variance(x, m) over the axis / over all axes >= 1 except it
//   group_norm                               ->  the same between two reshapes, over the group's
//                                                channels and all axes behind the channel axis
//   l2_normalize(x)                          ->  x / sqrt(max(sum(x * x), eps))
//
// The order of the operations is the order of the roundings, so it is TVM's. Every constant (eps,
// the 1 of batch_norm) is a node of its own for every layer.
#include <algorithm>
#include <optional>

#include "passes/calls.h"
#include "passes/mutation.h"
#include "passes/passes.h"

namespace tvmq::passes {
namespace {

using namespace ir;

/// `value` rounded to float32 and then stored as `dtype`; nothing for other types than float32 and
/// float64, which TVM's expansion computes in.
std::optional<NodeId> scalar(Graph& graph, DType dtype, double value) {
  const auto rounded = static_cast<float>(value);
  switch (dtype) {
    case DType::kFloat32:
      return graph.add_constant(Tensor::scalar(rounded));
    case DType::kFloat64:
      return graph.add_constant(Tensor::scalar(static_cast<double>(rounded)));
    default:
      return std::nullopt;
  }
}

bool computable(const TensorType* type) {
  return type != nullptr && (type->dtype == DType::kFloat32 || type->dtype == DType::kFloat64);
}

std::int64_t rank_of(const TensorType& type) {
  return static_cast<std::int64_t>(type.shape.size());
}

std::int64_t wrap_axis(std::int64_t axis, const TensorType& type) {
  return axis < 0 ? axis + rank_of(type) : axis;
}

/// The operands of a normalisation call in the pool: data, gamma, beta, ...
struct Norm {
  Graph& graph;
  const TensorType& data_type;
  std::vector<NodeId> operands;
  const std::string& name;

  [[nodiscard]] NodeId constant(double value) const {
    return *scalar(graph, data_type.dtype, value);
  }
};

NodeId expand_batch_norm(const Norm& norm, const BatchNormAttrs& attrs) {
  Graph& g = norm.graph;
  const NodeId data = norm.operands[0];
  const NodeId gamma = norm.operands[1];
  const NodeId beta = norm.operands[2];
  const NodeId mean = norm.operands[3];
  const NodeId variance = norm.operands[4];

  const NodeId epsilon = norm.constant(attrs.epsilon);
  const NodeId deviation = unary(g, Op::kSqrt, binary(g, Op::kAdd, variance, epsilon));
  NodeId scale = binary(g, Op::kDivide, norm.constant(1), deviation);
  if (attrs.scale) scale = binary(g, Op::kMultiply, scale, gamma);
  NodeId shift = binary(g, Op::kMultiply, unary(g, Op::kNegative, mean), scale);
  if (attrs.center) shift = binary(g, Op::kAdd, shift, beta);

  const std::int64_t rank = rank_of(norm.data_type);
  const std::int64_t axis = wrap_axis(attrs.axis, norm.data_type);
  scale = expand_to_axis(g, scale, rank, axis);
  shift = expand_to_axis(g, shift, rank, axis);
  const NodeId scaled = binary(g, Op::kMultiply, data, scale, norm.name);
  return binary(g, Op::kAdd, scaled, shift, norm.name);
}

/// (data - mean) / sqrt(variance + epsilon), statistics over `axes`.
NodeId standardize(const Norm& norm, NodeId data, const IntList& axes, double epsilon) {
  Graph& g = norm.graph;
  const NodeId epsilon_node = norm.constant(epsilon);
  const NodeId mean = g.add_call(Op::kMean, {data}, ReduceAttrs{.axis = axes, .keepdims = true});
  const NodeId variance =
      g.add_call(Op::kVariance, {data, mean}, VarianceAttrs{.axis = axes, .keepdims = true});
  const NodeId deviation = unary(g, Op::kSqrt, binary(g, Op::kAdd, variance, epsilon_node));
  return binary(g, Op::kDivide, binary(g, Op::kSubtract, data, mean), deviation, norm.name);
}

/// value [* gamma] [+ beta] along `axis`.
NodeId scale_and_center(const Norm& norm, NodeId value, std::int64_t axis, bool scale,
                        bool center) {
  Graph& g = norm.graph;
  const std::int64_t rank = rank_of(norm.data_type);
  if (scale) {
    value =
        binary(g, Op::kMultiply, value, expand_to_axis(g, norm.operands[1], rank, axis), norm.name);
  }
  if (center) {
    value = binary(g, Op::kAdd, value, expand_to_axis(g, norm.operands[2], rank, axis), norm.name);
  }
  return value;
}

NodeId expand_layer_norm(const Norm& norm, const LayerNormAttrs& attrs) {
  const NodeId value = standardize(norm, norm.operands[0], {attrs.axis}, attrs.epsilon);
  return scale_and_center(norm, value, wrap_axis(attrs.axis, norm.data_type), attrs.scale,
                          attrs.center);
}

NodeId expand_instance_norm(const Norm& norm, const InstanceNormAttrs& attrs) {
  const std::int64_t axis = wrap_axis(attrs.axis, norm.data_type);
  IntList axes;
  for (std::int64_t i = 1; i < rank_of(norm.data_type); ++i) {
    if (i != axis) axes.push_back(i);
  }
  const NodeId value = standardize(norm, norm.operands[0], axes, attrs.epsilon);
  return scale_and_center(norm, value, axis, attrs.scale, attrs.center);
}

/// (N, C, H, W) is normalised as (N, groups, C / groups, H, W) over all axes behind the groups.
NodeId expand_group_norm(const Norm& norm, const GroupNormAttrs& attrs) {
  Graph& g = norm.graph;
  const Shape& shape = norm.data_type.shape;
  const std::int64_t axis = wrap_axis(attrs.axis, norm.data_type);
  IntList grouped;
  IntList axes;
  for (std::int64_t i = 0; i < rank_of(norm.data_type); ++i) {
    const std::int64_t extent = shape[static_cast<std::size_t>(i)];
    if (i >= axis) axes.push_back(i + 1);
    if (i == axis) {
      grouped.push_back(attrs.num_groups);
      grouped.push_back(extent / attrs.num_groups);
    } else {
      grouped.push_back(extent);
    }
  }
  const NodeId data =
      g.add_call(Op::kReshape, {norm.operands[0]}, ReshapeAttrs{.newshape = grouped});
  NodeId value = standardize(norm, data, axes, attrs.epsilon);
  value = g.add_call(Op::kReshape, {value}, ReshapeAttrs{.newshape = shape});
  return scale_and_center(norm, value, axis, attrs.scale, attrs.center);
}

/// The only one whose epsilon is float32 whatever the data is.
NodeId expand_l2_normalize(const Norm& norm, const L2NormalizeAttrs& attrs) {
  Graph& g = norm.graph;
  const NodeId data = norm.operands[0];
  const NodeId epsilon = *scalar(g, DType::kFloat32, attrs.eps);
  const NodeId square = binary(g, Op::kMultiply, data, data);
  const NodeId sum =
      g.add_call(Op::kSum, {square}, ReduceAttrs{.axis = attrs.axis, .keepdims = true});
  const NodeId length = unary(g, Op::kSqrt, binary(g, Op::kMaximum, sum, epsilon));
  return binary(g, Op::kDivide, data, length, norm.name);
}

/// Whether the dimensions can be written down as those of a reshape.
bool can_reshape(const Shape& shape) {
  return std::ranges::all_of(shape, [](std::int64_t extent) { return extent > 0; });
}

/// The expansion of a call that stands for its whole result; nothing if it is not one.
std::optional<NodeId> expand_call(const Norm& norm, const Node& node) {
  switch (node.op) {
    case Op::kLayerNorm:
      return expand_layer_norm(norm, node.attrs_as<LayerNormAttrs>());
    case Op::kInstanceNorm:
      return expand_instance_norm(norm, node.attrs_as<InstanceNormAttrs>());
    case Op::kGroupNorm:
      if (!can_reshape(norm.data_type.shape)) return std::nullopt;
      return expand_group_norm(norm, node.attrs_as<GroupNormAttrs>());
    case Op::kL2Normalize:
      if (norm.data_type.dtype != DType::kFloat32) return std::nullopt;
      return expand_l2_normalize(norm, node.attrs_as<L2NormalizeAttrs>());
    default:
      return std::nullopt;
  }
}

/// What field 0 of a batch_norm or dropout becomes; nothing for other tuples.
std::optional<NodeId> expand_field(Mutation& mutation, const Node& get_item) {
  const Graph& source = mutation.source();
  const NodeId tuple = get_item.inputs[0];
  if (get_item.index != 0) return std::nullopt;
  if (source[tuple].is_call(Op::kDropout)) return mutation.input(tuple, 0);
  if (!source[tuple].is_call(Op::kBatchNorm) || !is_known(source[tuple].type)) return std::nullopt;
  const TensorType* data = tensor_type_of(source, source[tuple].inputs[0]);
  if (!computable(data)) return std::nullopt;
  std::vector<NodeId> operands;
  for (std::size_t i = 0; i < 5; ++i) operands.push_back(mutation.input(tuple, i));
  const Norm norm{mutation.pool(), *data, std::move(operands), source[tuple].name};
  return expand_batch_norm(norm, source[tuple].attrs_as<BatchNormAttrs>());
}

std::optional<NodeId> expand(Mutation& mutation, NodeId id) {
  const Graph& source = mutation.source();
  const Node& node = source[id];
  if (node.kind == NodeKind::kTupleGetItem) return expand_field(mutation, node);
  if (node.kind != NodeKind::kCall || node.inputs.empty() || !is_known(node.type)) {
    return std::nullopt;  // no type rule has looked at its attributes
  }
  const TensorType* data = tensor_type_of(source, node.inputs[0]);
  if (!computable(data)) return std::nullopt;
  std::vector<NodeId> operands;
  for (const NodeId each : node.inputs) operands.push_back(mutation[each]);
  return expand_call(Norm{mutation.pool(), *data, std::move(operands), node.name}, node);
}

}  // namespace

Graph simplify_inference(const Graph& graph) {
  Mutation mutation(graph);
  for (const NodeId id : post_order(graph, graph.output())) {
    const std::optional<NodeId> expanded = expand(mutation, id);
    mutation.replace(id, expanded ? *expanded : mutation.rebuild(id));
  }
  return std::move(mutation).finish();
}

}  // namespace tvmq::passes
