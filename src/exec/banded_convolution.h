// Integer convolutions of oneDNN's together with what follows them. Internal to exec.
#pragma once

#include "exec/convolution_problem.h"
#include "exec/fast_kernel.h"

namespace tvmq::exec {

/// A convolution of (u)int8 images by int8 and its epilogue, a band of rows at a time: the int32
/// sums of a band are still in the cache when the epilogue reads them, and are never written to
/// memory. Equal to the two steps one after the other to the bit. `step` has an epilogue and is the
/// convolution that `problem` describes; its inputs are banded_operands(). REQUIRES: images with
/// elements, not transposed.
FastKernelChoice make_banded_convolution(const ir::Graph& graph, const LiveValues& live,
                                         const ContractionStep& step,
                                         const ConvolutionProblem& problem);

}  // namespace tvmq::exec
