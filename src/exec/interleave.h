// The input of most networks: an image of 3 (or 1, 2, 4) planes whose channels have to lie
// innermost.
#pragma once

#include "exec/fast_kernel.h"

namespace tvmq::exec {

/// From plain NCHW to channels last, for elements of 1 or 4 bytes and 2 to 4 channels.
FastKernelChoice make_interleave(const ir::TensorType& type, MemoryLayout from, MemoryLayout to);

}  // namespace tvmq::exec
