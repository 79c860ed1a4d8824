#include "exec/contraction_kernels.h"

#include "exec/convolution_problem.h"
#include "exec/depthwise_convolution.h"
#include "exec/onednn.h"
#include "exec/shifted_convolution.h"

namespace tvmq::exec {
namespace {

ir::Tensor scaled_rows(const ir::Tensor& weights, const std::vector<float>& scale) {
  ir::Tensor result(weights.dtype(), weights.shape());
  const auto from = weights.data<float>();
  const auto to = result.mutable_data<float>();
  const std::size_t depth = scale.empty() ? 0 : from.size() / scale.size();
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i] * scale[i / depth];
  return result;
}

}  // namespace

FastKernelChoice make_integer_convolution(const ConvolutionProblem& problem) {
  FastKernelChoice choice = make_depthwise_convolution(problem);
  if (std::holds_alternative<SelectedKernel>(choice)) return choice;
  if (problem.pad_value != 0) return std::string("padding other than 0");
  choice = make_convolution(problem, {}, false);
  if (std::holds_alternative<SelectedKernel>(choice)) return choice;
  FastKernelChoice shifted = make_shifted_convolution(problem);
  return std::holds_alternative<SelectedKernel>(shifted) ? std::move(shifted) : std::move(choice);
}

FastKernelChoice make_contraction(const ir::Graph& graph, const LiveValues& live,
                                  const ContractionStep& step, bool may_accumulate) {
  const Call& call = live.calls[step.call];
  if (has_no_elements(live, call)) return std::string("values without elements");
  if (graph[call.node].op == ir::Op::kDense) {
    const ir::Tensor& weights = live[call.inputs[1]].constant;
    return make_dense({.data = live.type(step.data),
                       .result = live.type(step.output),
                       .weights = step.scale.empty() ? weights : scaled_rows(weights, step.scale),
                       .bias = step.bias},
                      step.post);
  }
  auto problem = describe_convolution(graph, live, step);
  if (auto* reason = std::get_if<std::string>(&problem)) return std::move(*reason);
  const auto& found = std::get<ConvolutionProblem>(problem);
  if (found.result.dtype == ir::DType::kInt32) return make_integer_convolution(found);
  return make_convolution(found, step.post, may_accumulate);
}

}  // namespace tvmq::exec
