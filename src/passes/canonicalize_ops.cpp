// bias_add(x, b, axis)  ->  add(x, expand_dims(b, 1, rank(x) - axis - 1))
//
// One spelling for "plus a bias": the quantizer has a rule for add and none for bias_add
// (relay_quantize.md 2.5).
#include "passes/calls.h"
#include "passes/mutation.h"
#include "passes/passes.h"

namespace tvmq::passes {

using namespace ir;

Graph canonicalize_ops(const Graph& graph) {
  Mutation mutation(graph);
  for (const NodeId id : post_order(graph, graph.output())) {
    const Node& node = graph[id];
    const TensorType* data = node.is_call(Op::kBiasAdd) && is_known(node.type)
                                 ? tensor_type_of(graph, node.inputs[0])
                                 : nullptr;
    if (data == nullptr) {
      mutation.replace(id, mutation.rebuild(id));
      continue;
    }
    const auto rank = static_cast<std::int64_t>(data->shape.size());
    std::int64_t axis = node.attrs_as<BiasAddAttrs>().axis;
    if (axis < 0) axis += rank;
    const NodeId bias = expand_to_axis(mutation.pool(), mutation.input(id, 1), rank, axis);
    mutation.replace(id, binary(mutation.pool(), Op::kAdd, mutation.input(id, 0), bias, node.name));
  }
  return std::move(mutation).finish();
}

}  // namespace tvmq::passes
