// Pooling of integers, equal to the reference kernels: sums wrap in the element type, averages
// truncate.
#pragma once

#include "exec/onednn.h"

namespace tvmq::exec {

/// For int8, uint8, int16 and int32 data in any layout.
FastKernelChoice make_integer_pool(const PoolProblem& problem, MemoryLayout layout);

}  // namespace tvmq::exec
