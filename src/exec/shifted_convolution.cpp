#include "exec/shifted_convolution.h"

#include <array>
#include <cstring>
#include <utility>

namespace tvmq::exec {
namespace {

constexpr std::size_t kAlignment = 64;

struct Image {
  std::int64_t batch = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t channels = 1;
  [[nodiscard]] std::int64_t size() const { return batch * height * width * channels; }
};

Image image_of(const ir::Shape& shape, std::int64_t channel_axis) {
  if (channel_axis == 1) return {shape[0], shape[2], shape[3], shape[1]};
  return {shape[0], shape[1], shape[2], shape[3]};
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void shift_row(
    const std::byte* from, std::byte* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i] ^ std::byte{0x80};
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void subtract_rows(
    std::int32_t* pixels, const std::int32_t* row, std::int64_t count, std::int64_t channels) {
  for (std::int64_t p = 0; p < count; ++p, pixels += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      pixels[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(pixels[c]) -
                                            static_cast<std::uint32_t>(row[c]));
    }
  }
}

class ShiftedConvolution final : public FastKernel {
 public:
  ShiftedConvolution(const ConvolutionProblem& problem, const Image& padded,
                     std::unique_ptr<const FastKernel> inner)
      : inner_(std::move(inner)),
        data_(image_of(problem.data.shape, problem.data_channel_axis)),
        padded_(padded),
        result_(image_of(problem.result.shape, problem.result_channel_axis)),
        top_(problem.pad_before[0]),
        left_(problem.pad_before[1]) {
    const auto weights = problem.weights.data<std::int8_t>();
    const auto channels = static_cast<std::size_t>(result_.channels);
    const std::size_t each = channels == 0 ? 0 : weights.size() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < each; ++i) sum += weights[c * each + i];
      corrections_.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) * 128U));
    }
  }

  std::unique_ptr<KernelState> new_state() const override { return inner_->new_state(); }
  std::size_t scratch_bytes() const override { return padded_bytes() + inner_->scratch_bytes(); }
  std::size_t constant_bytes() const override { return inner_->constant_bytes(); }
  std::string description() const override { return inner_->description() + ", data shifted"; }

  void run(const StepBuffers& buffers, KernelState* state) const override {
    std::byte* padded = buffers.scratch;
    std::memset(padded, 0x80, static_cast<std::size_t>(padded_.size()));
    const std::int64_t row = data_.width * data_.channels;
    for (std::int64_t n = 0; n < data_.batch; ++n) {
      for (std::int64_t y = 0; y < data_.height; ++y) {
        const std::int64_t target = (n * padded_.height + y + top_) * padded_.width + left_;
        shift_row(buffers.inputs[0] + (n * data_.height + y) * row,
                  padded + target * padded_.channels, row);
      }
    }
    const std::array<const std::byte*, 1> inputs = {padded};
    inner_->run({inputs, buffers.outputs, buffers.scratch + padded_bytes()}, state);
    subtract_rows(reinterpret_cast<std::int32_t*>(buffers.outputs[0]), corrections_.data(),
                  result_.batch * result_.height * result_.width, result_.channels);
  }

 private:
  std::size_t padded_bytes() const {
    return (static_cast<std::size_t>(padded_.size()) + kAlignment - 1) / kAlignment * kAlignment;
  }

  std::unique_ptr<const FastKernel> inner_;
  Image data_;
  Image padded_;
  Image result_;
  std::int64_t top_;
  std::int64_t left_;
  std::vector<std::int32_t> corrections_;
};

bool is_channels_last(MemoryLayout layout, const ir::Shape& shape, std::int64_t channel_axis) {
  return layout == normalized({.block = shape[channel_axis], .channel_axis = channel_axis}, shape);
}

}  // namespace

FastKernelChoice make_shifted_convolution(const ConvolutionProblem& problem) {
  if (problem.data.shape.size() != 4 || problem.transposed ||
      problem.data.dtype != ir::DType::kInt8 || problem.weights.dtype() != ir::DType::kInt8) {
    return std::string("not a convolution of int8 images");
  }
  Image padded = image_of(problem.data.shape, problem.data_channel_axis);
  padded.height += problem.pad_before[0] + problem.pad_after[0];
  padded.width += problem.pad_before[1] + problem.pad_after[1];
  ConvolutionProblem inner = problem;
  inner.data.dtype = ir::DType::kUInt8;
  const bool first = problem.data_channel_axis == 1;
  inner.data.shape = first ? ir::Shape{padded.batch, padded.channels, padded.height, padded.width}
                           : ir::Shape{padded.batch, padded.height, padded.width, padded.channels};
  inner.pad_before = {0, 0};
  inner.pad_after = {0, 0};
  FastKernelChoice choice = make_convolution(inner, {}, false);
  auto* selected = std::get_if<SelectedKernel>(&choice);
  if (selected == nullptr) return choice;
  if (!is_channels_last(selected->inputs[0], inner.data.shape, inner.data_channel_axis) ||
      !is_channels_last(selected->outputs[0], inner.result.shape, inner.result_channel_axis)) {
    return std::string("shifted data must have its channels last");
  }
  selected->inputs[0] = normalized(
      {.block = padded.channels, .channel_axis = problem.data_channel_axis}, problem.data.shape);
  selected->kernel =
      std::make_unique<ShiftedConvolution>(problem, padded, std::move(selected->kernel));
  return choice;
}

}  // namespace tvmq::exec
