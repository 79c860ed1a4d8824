// From the graph's convolutions and dense layers to the problems that oneDNN solves.
#pragma once

#include "exec/convolution_problem.h"
#include "exec/fast_kernel.h"
#include "exec/program_fuse.h"

namespace tvmq::exec {

/// Inputs: step.data, then the values that its post operations add.
FastKernelChoice make_contraction(const ir::Graph& graph, const LiveValues& live,
                                  const ContractionStep& step, bool may_accumulate);

/// A convolution whose result is int32 sums, without anything behind it.
FastKernelChoice make_integer_convolution(const ConvolutionProblem& problem);

}  // namespace tvmq::exec
