// Convolutions and dense layers of bytes without a library. Internal to exec.
#pragma once

#include "exec/convolution_problem.h"
#include "exec/pixel_sums.h"

namespace tvmq::exec {

/// (u)int8 images by int8 to int32, padded with any byte, channels innermost. Exact on every CPU.
/// Says why not if the problem is another one.
PixelSumsChoice make_direct_convolution(const ConvolutionProblem& problem);

/// data (rows, depth) by weights (units, depth): each row is a pixel.
PixelSumsChoice make_direct_dense(const ir::TensorType& data, const ir::Tensor& weights);

/// Whether integer convolutions and dense layers run on these loops: where oneDNN has no exact
/// kernels, and, unless `prefer_library`, where these are the fastest. They are with AVX-512 VNNI,
/// but for the matrix instructions (AMX) that oneDNN makes use of.
bool runs_direct_convolutions(bool prefer_library);

}  // namespace tvmq::exec
