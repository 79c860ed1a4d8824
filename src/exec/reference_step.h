// An operator that runs on the reference kernels inside a program.
#pragma once

#include "exec/fast_kernel.h"
#include "exec/program_values.h"

namespace tvmq::exec {

/// Inputs: the operands of `call` that are not constant, all plain; outputs plain.
std::unique_ptr<const FastKernel> make_reference_step(const ir::Graph& graph,
                                                      const LiveValues& live, const Call& call);

}  // namespace tvmq::exec
