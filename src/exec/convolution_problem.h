// A convolution in the terms that a library of kernels understands: canonical axis order, weights
// as groups x output channels x input channels x kernel.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "exec/image_window.h"
#include "exec/program_fuse.h"

namespace tvmq::exec {

struct ConvolutionProblem {
  ir::TensorType data;    ///< as in the graph
  ir::TensorType result;  ///< as in the graph
  std::int64_t data_channel_axis = 1;
  std::int64_t result_channel_axis = 1;
  bool transposed = false;
  std::int64_t groups = 1;
  // One per spatial dimension, outermost first:
  std::vector<std::int64_t> strides{};
  std::vector<std::int64_t> dilation{};
  std::vector<std::int64_t> pad_before{};
  std::vector<std::int64_t> pad_after{};
  std::int64_t pad_value = 0;
  /// (groups, output channels / groups, input channels / groups, kernel...); the scale is applied.
  ir::Tensor weights{};
  std::vector<float> bias{};
};

/// Whether sums of `count` products of bytes fit into 32 bits, whatever the bytes are.
bool fits_int32(std::int64_t count);
bool is_byte(ir::DType dtype);

/// Why the problem is not one of 8-bit images whose int32 sums we compute ourselves; empty if it
/// is.
std::string why_no_byte_sums(const ConvolutionProblem& problem);

/// REQUIRES: why_no_byte_sums() has no objection.
ImageWindow window_of(const ConvolutionProblem& problem);

/// The problem of an nn.conv1d, conv2d, conv3d or conv2d_transpose; the reason if it cannot be put
/// in these terms (a blocked layout, another output layout).
std::variant<ConvolutionProblem, std::string> describe_convolution(const ir::Graph& graph,
                                                                   const LiveValues& live,
                                                                   const ContractionStep& step);

}  // namespace tvmq::exec
