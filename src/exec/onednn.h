// The kernels that oneDNN provides. Nothing of oneDNN's is visible here.
//
// Every function returns the reason instead of a kernel where oneDNN has no implementation, or none
// that is exact for integers on the CPU at hand.
#pragma once

#include "exec/convolution_problem.h"
#include "exec/fast_kernel.h"

namespace tvmq::exec {

/// Inputs: the data, then the value of every kAddValue in `post`. Float, or int8/uint8 data with
/// int8 weights and an int32 result (without bias and post operations).
/// `may_accumulate`: the buffer of the only kAddValue's value may be overwritten.
FastKernelChoice make_convolution(const ConvolutionProblem& problem, std::span<const PostOp> post,
                                  bool may_accumulate);

/// data (rows, depth) x weights (units, depth) + bias. Types and post operations as above.
struct DenseProblem {
  ir::TensorType data;
  ir::TensorType result;
  ir::Tensor weights{};
  std::vector<float> bias{};
};
FastKernelChoice make_dense(const DenseProblem& problem, std::span<const PostOp> post);

/// result[b] = x[b] y[b], each possibly transposed; a batch of 1 serves all. Inputs: x, y; plain.
struct BatchMatmulProblem {
  ir::TensorType x;
  ir::TensorType y;
  ir::TensorType result;
  bool transpose_x = false;
  bool transpose_y = false;
};
FastKernelChoice make_batch_matmul(const BatchMatmulProblem& problem);

/// How oneDNN multiplies bytes on this CPU.
enum class OneDnnBytes : std::uint8_t {
  kNot,       ///< its sums saturate
  kVectors,   ///< VNNI
  kMatrices,  ///< AMX
};
OneDnnBytes onednn_bytes();

enum class PoolKind : std::uint8_t { kMaximum, kAverage, kAverageWithPadding, kSum };
struct PoolProblem {
  ir::TensorType data;
  ir::TensorType result;
  std::int64_t channel_axis = 1;
  PoolKind kind = PoolKind::kMaximum;
  std::vector<std::int64_t> window{};
  std::vector<std::int64_t> strides{};
  std::vector<std::int64_t> dilation{};
  std::vector<std::int64_t> pad_before{};
  std::vector<std::int64_t> pad_after{};
};
FastKernelChoice make_pool(const PoolProblem& problem, MemoryLayout data_layout);

FastKernelChoice make_softmax(const ir::TensorType& type, std::int64_t axis, bool logarithm);

/// Over the last dimension; `scale` and `shift` are vectors along it.
FastKernelChoice make_layer_norm(const ir::TensorType& type, float epsilon, const ir::Tensor& scale,
                                 const ir::Tensor& shift);

/// Across channels; `axis` is where they are.
struct LrnProblem {
  ir::TensorType type;
  std::int64_t axis = 1;
  std::int64_t size = 5;
  float alpha = 0;
  float beta = 0;
  float bias = 0;
};
FastKernelChoice make_lrn(const LrnProblem& problem, MemoryLayout layout);

/// Copies a value from one layout to another.
FastKernelChoice make_reorder(const ir::TensorType& type, MemoryLayout from, MemoryLayout to);

}  // namespace tvmq::exec
