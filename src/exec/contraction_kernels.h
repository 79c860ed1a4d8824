// From the graph's convolutions and dense layers to kernels: where oneDNN or loops of our own are
// chosen.
#pragma once

#include "exec/convolution_problem.h"
#include "exec/fast_kernel.h"
#include "exec/program_fuse.h"

namespace tvmq::exec {

/// Inputs: step.data, then the values that its post operations add.
FastKernelChoice make_contraction(const ir::Graph& graph, const LiveValues& live,
                                  const ContractionStep& step, bool may_accumulate);

/// `step` with its epilogue as one kernel. Inputs: banded_operands().
FastKernelChoice make_contraction_with_epilogue(const ir::Graph& graph, const LiveValues& live,
                                                const ContractionStep& step);

}  // namespace tvmq::exec
