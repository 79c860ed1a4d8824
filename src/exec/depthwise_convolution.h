// Depthwise convolutions of 8-bit images. Internal to exec.
#pragma once

#include "exec/convolution_problem.h"
#include "exec/pixel_sums.h"

namespace tvmq::exec {

/// (u)int8 by int8 to int32, one output channel per input channel, padded with any byte, channels
/// innermost. Exact on every CPU. Says why not if the problem is another one.
PixelSumsChoice make_depthwise_convolution(const ConvolutionProblem& problem);

}  // namespace tvmq::exec
