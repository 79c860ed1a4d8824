// Calls on constants become constants (relay_quantize.md 2.3).
//
//   conv2d(x, [w] * expand_dims([s]))  ->  conv2d(x, [w * s])
//   (a, b).1                           ->  b
//   shape_of(x: (1, 3, 8, 8))          ->  [1, 3, 8, 8]
//
// One call is evaluated at a time by a reference kernel, so that every operation rounds once, as in
// TVM. A call used twice is evaluated once and stays one node.
#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "exec/reference_kernels.h"
#include "passes/calls.h"
#include "passes/mutation.h"
#include "passes/passes.h"

namespace tvmq::passes {
namespace {

using namespace ir;

/// A few calls of `full` or `tile` in a small file can stand for any amount of memory: folding may
/// produce so many bytes per byte of constants in the graph, and so many in any case.
constexpr std::int64_t kGrowthPerByte = 8;
constexpr std::int64_t kFreeGrowth = std::int64_t{256} << 20;

std::int64_t constant_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const Node& node : graph.nodes()) {
    if (node.is_constant()) bytes += static_cast<std::int64_t>(node.value.byte_size());
  }
  return bytes;
}

std::optional<std::int64_t> byte_size(const TensorType& type) {
  const std::optional<std::int64_t> elements = element_count(type.shape);
  if (!elements || *elements > kFreeGrowth * kGrowthPerByte) return std::nullopt;
  return *elements * static_cast<std::int64_t>(dtype_size(type.dtype));
}

/// Nothing if the type is not known or has open dimensions.
std::optional<std::int64_t> byte_size(const Type& type) {
  if (const auto* tensor = std::get_if<TensorType>(&type)) return byte_size(*tensor);
  const auto* tuple = std::get_if<TupleType>(&type);
  if (tuple == nullptr) return std::nullopt;
  std::int64_t sum = 0;
  for (const TensorType& field : tuple->fields) {
    const std::optional<std::int64_t> size = byte_size(field);
    if (!size) return std::nullopt;
    sum += *size;
  }
  return sum;
}

/// Convolutions, products and pooling visit their operands many times; so many visits at most, by a
/// generous estimate, so that a small file cannot ask for hours.
constexpr double kMostVisits = 1e13;

bool takes_too_long(Op op, std::int64_t result_bytes,
                    const std::vector<std::vector<Tensor>>& operands) {
  if (op < Op::kConv1D || op > Op::kAdaptiveMaxPool3D) return false;
  double elements = 0;
  for (const std::vector<Tensor>& each : operands) {
    for (const Tensor& tensor : each) elements += static_cast<double>(tensor.size());
  }
  return elements * static_cast<double>(result_bytes) > kMostVisits;
}

/// Operators that TVM does not evaluate on constants, or cannot.
bool is_computational(Op op) {
  switch (op) {
    case Op::kDropout:
    case Op::kBatchNorm:
    case Op::kSimulatedQuantize:
      return false;
    default:
      return exec::has_reference_kernel(op) && !op_info(op).name.starts_with("qnn.");
  }
}

class ConstantFolder {
 public:
  explicit ConstantFolder(const Graph& source)
      : mutation_(source), bytes_left_(kFreeGrowth + kGrowthPerByte * constant_bytes(source)) {}

  void visit(NodeId id) {
    const Graph& source = mutation_.source();
    const Node& node = source[id];
    if (node.kind == NodeKind::kTupleGetItem) {
      const Node& tuple = mutation_.pool()[mutation_.input(id, 0)];
      if (tuple.kind == NodeKind::kTuple) {
        mutation_.replace(id, tuple.inputs.at(static_cast<std::size_t>(node.index)));
        return;
      }
    }
    const NodeId rebuilt = mutation_.rebuild(id);
    std::optional<NodeId> folded;
    if (node.kind == NodeKind::kCall) {
      folded = node.op == Op::kOpaque ? fold_shape(node) : fold_call(rebuilt);
    }
    mutation_.replace(id, folded.value_or(rebuilt));
  }

  Graph finish() && { return std::move(mutation_).finish(); }

 private:
  std::optional<NodeId> fold_call(NodeId id) {
    Graph& pool = mutation_.pool();
    const Node& call = pool[id];
    if (call.inputs.empty() || !is_computational(call.op)) return std::nullopt;
    std::vector<std::vector<Tensor>> operands;
    for (const NodeId each : call.inputs) {
      std::optional<std::vector<Tensor>> values = constants(each);
      if (!values) return std::nullopt;
      operands.push_back(std::move(*values));
    }
    const std::optional<std::int64_t> bytes = byte_size(call.type);
    if (!bytes || *bytes > bytes_left_ || takes_too_long(call.op, *bytes, operands)) {
      return std::nullopt;
    }
    bytes_left_ -= *bytes;

    std::vector<Tensor> results;
    try {
      results = evaluate_alone(call, operands);
    } catch (const InputError&) {
      return std::nullopt;  // there is no such value; it is not ours to judge whether it is needed
    }
    const bool is_tuple = std::holds_alternative<TupleType>(call.type);
    const std::string name = pool[call.inputs[0]].name;
    std::vector<NodeId> fields;
    fields.reserve(results.size());
    for (Tensor& each : results) fields.push_back(pool.add_constant(std::move(each), name));
    return is_tuple ? pool.add_tuple(std::move(fields)) : fields.at(0);
  }

  /// The call's result on operands that are not known when it is compiled: TVM compiles x / 3 into
  /// a product where 3 stands in the code, but not when it folds constants.
  std::vector<Tensor> evaluate_alone(const Node& call,
                                     const std::vector<std::vector<Tensor>>& operands) {
    Graph alone;
    std::vector<NodeId> inputs;
    for (const NodeId each : call.inputs) {
      inputs.push_back(alone.add_input({}, mutation_.pool()[each].type));
    }
    const NodeId id = alone.add_copy(call, std::move(inputs));
    return exec::evaluate(alone, id, operands);
  }

  /// The values of a constant or of a tuple of constants.
  std::optional<std::vector<Tensor>> constants(NodeId id) {
    const Graph& pool = mutation_.pool();
    if (pool[id].is_constant()) return std::vector<Tensor>{pool[id].value};
    if (pool[id].kind != NodeKind::kTuple || pool[id].inputs.empty()) return std::nullopt;
    std::vector<Tensor> values;
    for (const NodeId field : pool[id].inputs) {
      if (!pool[field].is_constant()) return std::nullopt;
      values.push_back(pool[field].value);
    }
    return values;
  }

  /// shape_of and ndarray_size need their operand's type only. TVM says that a scalar has 0
  /// elements; so do we.
  std::optional<NodeId> fold_shape(const Node& call) {
    const bool is_shape = call.callee == "shape_of" || call.callee == "vm.shape_of";
    if ((!is_shape && call.callee != "ndarray_size") || call.inputs.size() != 1)
      return std::nullopt;
    const TensorType* type = tensor_type_of(mutation_.source(), call.inputs[0]);
    const std::optional<DType> dtype = dtype_attribute(call);
    if (type == nullptr || !dtype) return std::nullopt;
    const std::optional<std::int64_t> elements = element_count(type->shape);
    if (!elements || type->shape.empty()) return std::nullopt;
    const std::vector<std::int64_t> values = is_shape ? type->shape : IntList{*elements};
    Shape shape;
    if (is_shape) shape.push_back(static_cast<std::int64_t>(values.size()));
    if (*dtype == DType::kInt64) {
      return mutation_.pool().add_constant(
          Tensor::from<std::int64_t>(shape, std::span(values.data(), values.size())));
    }
    if (*dtype != DType::kInt32) return std::nullopt;
    Tensor narrow(DType::kInt32, shape);
    std::transform(values.begin(), values.end(), narrow.mutable_data<std::int32_t>().begin(),
                   [](std::int64_t each) { return static_cast<std::int32_t>(each); });
    return mutation_.pool().add_constant(std::move(narrow));
  }

  static std::optional<DType> dtype_attribute(const Node& call) {
    const auto* attrs = std::get_if<OpaqueAttrs>(&*call.attrs);
    if (attrs == nullptr) return std::nullopt;
    for (const auto& [name, field] : attrs->fields) {
      const auto* dtype = std::get_if<DType>(&field.value);
      if (name == "dtype" && dtype != nullptr) return *dtype;
    }
    return std::nullopt;
  }

  Mutation mutation_;
  std::int64_t bytes_left_;
};

}  // namespace

Graph fold_constant(const Graph& graph) {
  ConstantFolder folder(graph);
  for (const NodeId id : post_order(graph, graph.output())) folder.visit(id);
  return std::move(folder).finish();
}

}  // namespace tvmq::passes
