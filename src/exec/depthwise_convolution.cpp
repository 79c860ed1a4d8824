#include "exec/depthwise_convolution.h"

#include <omp.h>

#include <utility>

#include "exec/depthwise_rows.h"

namespace tvmq::exec {
namespace {

/// Below this, starting threads costs more than they save.
constexpr std::int64_t kParallelElements = 1 << 16;

class DepthwiseConvolution final : public FastKernel {
 public:
  DepthwiseConvolution(const DepthwiseShape& shape, const std::int8_t* weights, std::int64_t images,
                       std::int64_t rows)
      : shape_(shape),
        weights_(shape, weights),
        images_(images),
        rows_(rows),
        vnni_(has_depthwise_vnni()),
        threads_(images * rows * shape.result_width * shape.channels < kParallelElements
                     ? 1
                     : omp_get_max_threads()) {}

  std::size_t scratch_bytes() const override {
    return vnni_ ? static_cast<std::size_t>(threads_) * depthwise_scratch_bytes(shape_) : 0;
  }
  std::size_t constant_bytes() const override {
    return weights_.plain.size() * sizeof(std::int16_t) + weights_.packed.size() +
           weights_.start.size() * sizeof(std::int32_t);
  }
  std::string description() const override {
    return vnni_ ? "depthwise:avx512_vnni, channels last" : "depthwise:plain, channels last";
  }

  void run(const StepBuffers& buffers, KernelState* /*state*/) const override {
    if (threads_ == 1) return run_rows(buffers, buffers.scratch, 0, images_ * rows_);
#pragma omp parallel num_threads(threads_)
    {
      const std::int64_t mine = omp_get_thread_num();
      const std::int64_t count = omp_get_num_threads();
      run_rows(buffers,
               buffers.scratch + static_cast<std::size_t>(mine) * depthwise_scratch_bytes(shape_),
               images_ * rows_ * mine / count, images_ * rows_ * (mine + 1) / count);
    }
  }

 private:
  void run_rows(const StepBuffers& buffers, std::byte* scratch, std::int64_t begin,
                std::int64_t end) const {
    const auto* data = reinterpret_cast<const std::uint8_t*>(buffers.inputs[0]);
    auto* sums = reinterpret_cast<std::int32_t*>(buffers.outputs[0]);
    const std::int64_t image = shape_.data_height * shape_.data_width * shape_.channels;
    for (std::int64_t row = begin; row < end; ++row) {
      const std::uint8_t* from = data + row / rows_ * image;
      std::int32_t* to = sums + row * shape_.result_width * shape_.channels;
      if (vnni_) {
        depthwise_row_vnni(shape_, weights_, from, row % rows_, to, scratch);
      } else {
        depthwise_row_plain(shape_, weights_, from, row % rows_, to);
      }
    }
  }

  DepthwiseShape shape_;
  DepthwiseWeights weights_;
  std::int64_t images_;
  std::int64_t rows_;  ///< of an image of the result
  bool vnni_;
  int threads_;
};

/// The largest absolute value of a sum of `taps` products fits into 32 bits.
bool fits_int32(std::int64_t taps) { return taps <= (std::int64_t{1} << 31) / (255 * 128); }

}  // namespace

FastKernelChoice make_depthwise_convolution(const ConvolutionProblem& problem) {
  const ir::Shape& weights = problem.weights.shape();
  const bool bytes =
      problem.data.dtype == ir::DType::kInt8 || problem.data.dtype == ir::DType::kUInt8;
  if (problem.data.shape.size() != 4 || problem.transposed || !bytes ||
      problem.weights.dtype() != ir::DType::kInt8 || problem.result.dtype != ir::DType::kInt32) {
    return std::string("not a convolution of 8-bit images");
  }
  if (problem.groups < 2 || weights[1] != 1 || weights[2] != 1 ||
      !fits_int32(weights[3] * weights[4])) {
    return std::string("not one channel per group");
  }
  if (ir::element_count(problem.result.shape).value_or(0) == 0 ||
      ir::element_count(problem.data.shape).value_or(0) == 0) {
    return std::string("an empty image");
  }
  for (std::size_t d = 0; d < 2; ++d) {
    if (problem.pad_before[d] < 0 || problem.pad_after[d] < 0)
      return std::string("negative padding");
  }
  const bool data_first = problem.data_channel_axis == 1;
  const bool result_first = problem.result_channel_axis == 1;
  const std::size_t data_y = data_first ? 2 : 1;
  const std::size_t result_y = result_first ? 2 : 1;
  const DepthwiseShape shape{.channels = problem.groups,
                             .data_height = problem.data.shape[data_y],
                             .data_width = problem.data.shape[data_y + 1],
                             .result_width = problem.result.shape[result_y + 1],
                             .kernel_height = weights[3],
                             .kernel_width = weights[4],
                             .stride_y = problem.strides[0],
                             .stride_x = problem.strides[1],
                             .dilation_y = problem.dilation[0],
                             .dilation_x = problem.dilation[1],
                             .top = problem.pad_before[0],
                             .left = problem.pad_before[1],
                             .pad_value = static_cast<std::uint8_t>(problem.pad_value),
                             .is_signed = problem.data.dtype == ir::DType::kInt8};
  SelectedKernel selected;
  selected.inputs = {normalized(
      {.block = problem.groups, .channel_axis = problem.data_channel_axis}, problem.data.shape)};
  selected.outputs = {
      normalized({.block = problem.groups, .channel_axis = problem.result_channel_axis},
                 problem.result.shape)};
  selected.kernel = std::make_unique<DepthwiseConvolution>(
      shape, problem.weights.data<std::int8_t>().data(), problem.result.shape[0],
      problem.result.shape[result_y]);
  return selected;
}

}  // namespace tvmq::exec
