// Integer convolutions together with what follows them. Internal to exec.
#pragma once

#include <span>

#include "exec/fast_kernel.h"
#include "exec/program_fuse.h"

namespace tvmq::exec {

/// The values that the kernel below reads: the data, then the epilogue's other operands.
std::vector<ValueId> banded_operands(const LiveValues& live, const ContractionStep& step);

/// A convolution of (u)int8 by int8 and its epilogue, a band of rows at a time: the int32 sums of a
/// band are still in the cache when the epilogue reads them, and are never written to memory.
/// Equal to the two steps one after the other to the bit. `step` has an epilogue.
FastKernelChoice make_banded_convolution(const ir::Graph& graph, const LiveValues& live,
                                         const ContractionStep& step);

}  // namespace tvmq::exec
