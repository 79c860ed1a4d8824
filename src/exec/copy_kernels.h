// Operators that only move elements: concatenate, split, strided_slice, transpose, nn.pad, nearest
// upsampling, and copies between layouts. They work on every dtype, and on split layouts as long as
// channels are moved in whole blocks.
#pragma once

#include "exec/fast_kernel.h"
#include "exec/program_values.h"

namespace tvmq::exec {

/// The kernel of `call`, in `preferred` layout if that is possible, else plain; the reason if it is
/// no such operator or an unusual form of it.
FastKernelChoice make_copy_kernel(const ir::Graph& graph, const LiveValues& live, const Call& call,
                                  MemoryLayout preferred);

/// From one layout to another, for dtypes that oneDNN does not know.
FastKernelChoice make_layout_copy(const ir::TensorType& type, MemoryLayout from, MemoryLayout to);

}  // namespace tvmq::exec
