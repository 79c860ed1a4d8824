#include "analysis/operator_times.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "exec/program.h"
#include "quant/layers.h"

namespace tvmq::analysis {
namespace {

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::vector<StepTime> measure_operators(const ir::Graph& graph, std::span<const ir::Tensor> inputs,
                                        const OperatorTimeOptions& options) {
  const auto program = std::make_shared<const exec::Program>(
      graph, exec::ProgramOptions{.targets = {}, .taps = {}, .threads = options.threads});
  exec::Session session(program);
  session.run(inputs);
  const std::vector<exec::StepInfo> steps = program->steps();
  std::vector<std::vector<double>> times(steps.size());
  for (std::int64_t run = 0; run < options.runs; ++run) {
    session.run(inputs, {}, [&](std::size_t step, std::chrono::nanoseconds time) {
      times[step].push_back(std::chrono::duration<double, std::micro>(time).count());
    });
    if (options.progress) options.progress(run + 1, options.runs);
  }
  const std::vector<std::string> names = quant::layer_names(graph);
  std::vector<StepTime> result;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const ir::Node& node = graph[steps[i].node];
    result.push_back({.op = node.kind == ir::NodeKind::kCall ? std::string(node.op_name()) : "copy",
                      .layer = names[steps[i].node],
                      .text = steps[i].text,
                      .median_us = times[i].empty() ? 0 : median(times[i])});
  }
  return result;
}

}  // namespace tvmq::analysis
