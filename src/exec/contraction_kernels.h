// From the graph's convolutions and dense layers to the problems that oneDNN solves.
#pragma once

#include "exec/fast_kernel.h"
#include "exec/program_fuse.h"

namespace tvmq::exec {

/// Inputs: step.data, then the values that its post operations add.
FastKernelChoice make_contraction(const ir::Graph& graph, const LiveValues& live,
                                  const ContractionStep& step, bool may_accumulate);

}  // namespace tvmq::exec
