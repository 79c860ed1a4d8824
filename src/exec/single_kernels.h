// Fast kernels of operators that are not fused with others.
#pragma once

#include "exec/fast_kernel.h"
#include "exec/program_values.h"

namespace tvmq::exec {

/// Inputs: the first operands of `call`, as many as the kernel's `inputs` says. `layout` is how the
/// largest operand lies.
FastKernelChoice make_single_kernel(const ir::Graph& graph, const LiveValues& live,
                                    const Call& call, MemoryLayout layout);

}  // namespace tvmq::exec
