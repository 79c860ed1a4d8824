// Which operators the time of a run goes to.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace tvmq::analysis {

/// One kernel of the compiled network.
struct StepTime {
  std::string op;     ///< TVM's name of the operator that the kernel is for, e.g. "nn.conv2d"
  std::string layer;  ///< quant::layer_names() of it; empty for what is no layer
  std::string text;   ///< exec::StepInfo::text
  double median_us = 0;
};

struct OperatorTimeOptions {
  int threads = 1;         ///< inside operators
  std::int64_t runs = 20;  ///< beside one to warm up; at least 1
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

/// In order of execution. Throws what exec::Program throws.
std::vector<StepTime> measure_operators(const ir::Graph& graph, std::span<const ir::Tensor> inputs,
                                        const OperatorTimeOptions& options);

}  // namespace tvmq::analysis
