// One operator on given tensors, for tables of known answers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "exec/reference_executor.h"
#include "exec/reference_kernels.h"
#include "ir/graph.h"
#include "ir/infer_types.h"

namespace tvmq::exec {

inline ir::Type type_of(const std::vector<ir::Tensor>& value) {
  ir::TupleType tuple;
  for (const ir::Tensor& tensor : value) tuple.fields.push_back({tensor.dtype(), tensor.shape()});
  if (tuple.fields.size() == 1) return tuple.fields.front();
  return tuple;
}

/// All results of `op` on operands that are tensors, or tuples of two or more.
inline std::vector<ir::Tensor> evaluate_op(ir::Op op,
                                           const std::vector<std::vector<ir::Tensor>>& operands,
                                           ir::Attrs attrs = {}) {
  ir::Graph graph;
  std::vector<ir::NodeId> inputs;
  for (const auto& operand : operands) inputs.push_back(graph.add_input("", type_of(operand)));
  const ir::NodeId id = graph.add_call(op, std::move(inputs), std::move(attrs), "layer");
  graph.set_output(id);
  ir::infer_types(graph);
  return evaluate(graph, id, operands);
}

/// The only result of `op` on tensors.
inline ir::Tensor run_op(ir::Op op, const std::vector<ir::Tensor>& operands, ir::Attrs attrs = {}) {
  std::vector<std::vector<ir::Tensor>> values;
  for (const ir::Tensor& operand : operands) values.push_back({operand});
  const auto results = evaluate_op(op, values, std::move(attrs));
  return results.size() == 1 ? results.front() : ir::Tensor();
}

/// The elements of a tensor of T.
template <class T>
std::vector<T> elements(const ir::Tensor& tensor) {
  if (tensor.dtype() != ir::DTypeOf<T>::kValue) {
    ADD_FAILURE() << "a tensor of " << ir::dtype_name(tensor.dtype());
    return {};
  }
  return {tensor.data<T>().begin(), tensor.data<T>().end()};
}

/// A tensor of `shape`, or a vector, with these elements.
template <class T>
ir::Tensor tensor_of(ir::Shape shape, const std::vector<T>& values) {
  ir::Tensor tensor(ir::DTypeOf<T>::kValue, std::move(shape));
  check(static_cast<std::size_t>(tensor.size()) == values.size(), "one value per element");
  std::copy(values.begin(), values.end(), tensor.mutable_data<T>().begin());
  return tensor;
}
template <class T>
ir::Tensor tensor_of(const std::vector<T>& values) {
  return tensor_of<T>({static_cast<std::int64_t>(values.size())}, values);
}

/// 0, 1, 2, ... times `step`, plus `first`, as a tensor of `shape`.
template <class T>
ir::Tensor ramp(ir::Shape shape, T first = 0, T step = 1) {
  ir::Tensor tensor(ir::DTypeOf<T>::kValue, std::move(shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.mutable_data<T>()[static_cast<std::size_t>(i)] =
        static_cast<T>(first + static_cast<T>(i) * step);
  }
  return tensor;
}

}  // namespace tvmq::exec
