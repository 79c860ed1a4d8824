// Convolutions of int8 data whose sums may exceed 2^24: oneDNN's kernels for signed data pass sums
// through float there, those for unsigned data do not. So the data is shifted by 128 and padded
// with 128 first, and 128 times the sum of its weights is taken off every result:
//
//   sum w * x  =  sum w * (x + 128)  -  128 * sum w
#pragma once

#include "exec/onednn.h"

namespace tvmq::exec {

/// For images (conv2d) of int8 with int8 weights; channels last.
FastKernelChoice make_shifted_convolution(const ConvolutionProblem& problem);

}  // namespace tvmq::exec
