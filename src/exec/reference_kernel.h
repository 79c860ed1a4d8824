// What a reference kernel gets and gives, and the kernels there are. Internal to exec.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace tvmq::exec {

/// The results of one node: one tensor, or one per field of a tuple.
using Values = std::vector<ir::Tensor>;

/// One call to evaluate. `type` is completely known (no dynamic dimension, no opaque field).
struct KernelCall {
  const ir::Graph& graph;
  ir::NodeId id;
  const ir::Node& node;
  std::span<const Values> operands;
  const ir::Type& type;

  /// The tensor of operand `which`. REQUIRES: it is not a tuple.
  [[nodiscard]] const ir::Tensor& operand(std::size_t which) const;
  /// The result's type. REQUIRES: one result.
  [[nodiscard]] const ir::TensorType& result() const;
  /// A tensor of the result's type, elements not set.
  [[nodiscard]] ir::Tensor new_result() const { return {result().dtype, result().shape}; }

  template <class Attrs>
  [[nodiscard]] const Attrs& attrs() const {
    return node.attrs_as<Attrs>();
  }

  /// Whether operand `which` is a scalar constant of the graph: TVM writes those into the code, and
  /// divides by them with divide_by_known().
  [[nodiscard]] bool is_known_scalar(std::size_t which) const;

  /// InputError: "nn.conv2d 'stem': <why>".
  [[noreturn]] void refuse(std::string_view why) const;
};

using Kernel = Values (*)(const KernelCall&);

// reference_binary.cpp
Values arithmetic(const KernelCall& call);  ///< add ... minimum, shifts
Values comparison(const KernelCall& call);  ///< equal ... greater_equal
Values logical(const KernelCall& call);     ///< logical_and, logical_or
Values where(const KernelCall& call);
// reference_unary.cpp
Values unary(const KernelCall& call);  ///< abs ... trunc, nn.relu
Values logical_not(const KernelCall& call);
Values clip(const KernelCall& call);
Values leaky_relu(const KernelCall& call);
Values fixed_point_multiply(const KernelCall& call);
Values simulated_quantize(const KernelCall& call);
// reference_cast.cpp
Values cast(const KernelCall& call);
// reference_shape.cpp
Values same_elements(const KernelCall& call);  ///< reshape, squeeze, copy, annotations, ...
Values transpose(const KernelCall& call);
Values broadcast_to(const KernelCall& call);
Values concatenate(const KernelCall& call);
Values stack(const KernelCall& call);
Values split(const KernelCall& call);
Values strided_slice(const KernelCall& call);
Values reverse(const KernelCall& call);
Values repeat(const KernelCall& call);
Values tile(const KernelCall& call);
Values depth_to_space(const KernelCall& call);
Values space_to_depth(const KernelCall& call);
Values layout_transform(const KernelCall& call);
// reference_fill.cpp
Values fill(const KernelCall& call);  ///< zeros, ones, full and their _like forms
Values one_hot(const KernelCall& call);
Values pad(const KernelCall& call);
Values mirror_pad(const KernelCall& call);
// reference_index.cpp
Values take(const KernelCall& call);
Values gather(const KernelCall& call);
// reference_reduce.cpp
Values reduce(const KernelCall& call);      ///< sum, mean, max, min, prod
Values arg_reduce(const KernelCall& call);  ///< argmax, argmin
Values variance(const KernelCall& call);
// reference_conv.cpp
Values convolution(const KernelCall& call);             ///< nn.conv1d, 2d, 3d
Values transposed_convolution(const KernelCall& call);  ///< nn.conv1d_transpose, 2d, 3d
// reference_matmul.cpp
Values dense(const KernelCall& call);
Values matmul(const KernelCall& call);
Values batch_matmul(const KernelCall& call);
// reference_pool.cpp
Values pool(const KernelCall& call);           ///< nn.max_pool*, nn.avg_pool*
Values adaptive_pool(const KernelCall& call);  ///< nn.adaptive_*, nn.global_*
// reference_normalize.cpp
Values bias_add(const KernelCall& call);
Values prelu(const KernelCall& call);
Values dropout(const KernelCall& call);
Values softmax(const KernelCall& call);  ///< nn.softmax, nn.log_softmax
Values batch_norm(const KernelCall& call);
Values instance_norm(const KernelCall& call);
Values layer_norm(const KernelCall& call);
Values group_norm(const KernelCall& call);
Values l2_normalize(const KernelCall& call);
Values lrn(const KernelCall& call);
// reference_image.cpp
Values resize2d(const KernelCall& call);
Values upsampling(const KernelCall& call);
// reference_qnn.cpp
Values qnn_quantize(const KernelCall& call);
Values qnn_dequantize(const KernelCall& call);
Values qnn_requantize(const KernelCall& call);
Values qnn_conv2d(const KernelCall& call);
Values qnn_dense(const KernelCall& call);
Values qnn_add(const KernelCall& call);  ///< and qnn.subtract
Values qnn_mul(const KernelCall& call);
Values qnn_concatenate(const KernelCall& call);
Values qnn_avg_pool2d(const KernelCall& call);
Values qnn_leaky_relu(const KernelCall& call);
Values fixed_point_multiply_per_axis(const KernelCall& call);

}  // namespace tvmq::exec
