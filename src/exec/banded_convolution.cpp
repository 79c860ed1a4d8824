#include "exec/banded_convolution.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "exec/contraction_kernels.h"
#include "exec/convolution_problem.h"
#include "exec/elementwise.h"
#include "exec/elementwise_walk.h"

namespace tvmq::exec {
namespace {

constexpr std::size_t kAlignment = 64;
/// Sums of a band: 256 KB, which the second-level cache holds beside the weights. Starting one of
/// oneDNN's primitives takes about a microsecond, starting a depthwise convolution nothing.
constexpr std::int64_t kBandElements = 64 << 10;
constexpr std::int64_t kDepthwiseBandElements = 8 << 10;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Which rows of one image a band computes, and from which.
struct Band {
  std::int64_t first = 0;  ///< of the result
  std::int64_t rows = 0;
  std::int64_t data_first = 0;
  std::int64_t data_rows = 0;
  std::int64_t pad_before = 0;
  std::int64_t pad_after = 0;
};

std::int64_t row_axis(std::int64_t channel_axis) { return channel_axis == 1 ? 2 : 1; }

Band make_band(const ConvolutionProblem& problem, std::int64_t first, std::int64_t rows) {
  const std::int64_t height = problem.data.shape[row_axis(problem.data_channel_axis)];
  const std::int64_t reach = (problem.weights.shape()[3] - 1) * problem.dilation[0] + 1;
  const std::int64_t begin = first * problem.strides[0] - problem.pad_before[0];
  const std::int64_t end = (first + rows - 1) * problem.strides[0] - problem.pad_before[0] + reach;
  Band band{.first = first, .rows = rows};
  band.data_first = std::clamp<std::int64_t>(begin, 0, height);
  band.data_rows = std::clamp<std::int64_t>(end, 0, height) - band.data_first;
  band.pad_before = band.data_first - begin;
  band.pad_after = end - band.data_first - band.data_rows;
  return band;
}

/// An operand of the epilogue: one number, one per channel (and image), or one per element.
struct Operand {
  bool is_sums = false;
  std::size_t input = 0;  ///< of the step, if it is not the sums
  std::int64_t image_bytes = 0;
  std::int64_t row_bytes = 0;
};

class BandStates final : public KernelState {
 public:
  std::vector<std::unique_ptr<KernelState>> convolutions;
};

class BandedConvolution final : public FastKernel {
 public:
  struct BoundBand {
    Band band;
    std::size_t convolution = 0;
    std::size_t epilogue = 0;
  };
  std::vector<std::unique_ptr<const FastKernel>> convolutions;
  std::vector<std::unique_ptr<const FastKernel>> epilogues;
  std::vector<BoundBand> bands;
  std::vector<Operand> operands;
  std::int64_t images = 1;
  std::int64_t data_image_bytes = 0;
  std::int64_t data_row_bytes = 0;
  std::int64_t result_image_bytes = 0;
  std::int64_t result_row_bytes = 0;
  std::size_t sums_bytes = 0;

  std::unique_ptr<KernelState> new_state() const override {
    auto states = std::make_unique<BandStates>();
    for (const auto& each : convolutions) states->convolutions.push_back(each->new_state());
    return states;
  }

  std::size_t scratch_bytes() const override {
    std::size_t inner = 0;
    for (const auto& each : convolutions) inner = std::max(inner, each->scratch_bytes());
    for (const auto& each : epilogues) inner = std::max(inner, each->scratch_bytes());
    return aligned(sums_bytes) + inner;
  }
  std::size_t constant_bytes() const override {
    std::size_t bytes = 0;
    for (const auto& each : convolutions) bytes += each->constant_bytes();
    for (const auto& each : epilogues) bytes += each->constant_bytes();
    return bytes;
  }
  std::string description() const override {
    return convolutions[0]->description() + ", " + epilogues[0]->description() + ", " +
           std::to_string(bands.size()) + " bands";
  }

  void run(const StepBuffers& buffers, KernelState* state) const override {
    auto& states = static_cast<BandStates&>(*state);
    std::byte* const sums[] = {buffers.scratch};
    std::byte* const scratch = buffers.scratch + aligned(sums_bytes);
    std::vector<const std::byte*> inputs(operands.size());
    for (std::int64_t image = 0; image < images; ++image) {
      for (const BoundBand& each : bands) {
        const std::byte* const data[] = {buffers.inputs[0] + image * data_image_bytes +
                                         each.band.data_first * data_row_bytes};
        convolutions[each.convolution]->run({data, sums, scratch},
                                            states.convolutions[each.convolution].get());
        for (std::size_t i = 0; i < operands.size(); ++i) {
          const Operand& operand = operands[i];
          inputs[i] = operand.is_sums
                          ? sums[0]
                          : buffers.inputs[operand.input] + image * operand.image_bytes +
                                each.band.first * operand.row_bytes;
        }
        std::byte* const result[] = {buffers.outputs[0] + image * result_image_bytes +
                                     each.band.first * result_row_bytes};
        epilogues[each.epilogue]->run({inputs, result, scratch}, nullptr);
      }
    }
  }
};

class Maker {
 public:
  Maker(const ir::Graph& graph, const LiveValues& live, const ContractionStep& step,
        const ConvolutionProblem& problem)
      : graph_(graph), live_(live), step_(step), problem_(problem) {}

  FastKernelChoice run(std::int64_t rows_per_band) {
    const std::int64_t axis = problem_.result_channel_axis;
    const std::int64_t height = problem_.result.shape[row_axis(axis)];
    for (std::int64_t first = 0; first < height; first += rows_per_band) {
      const Band band = make_band(problem_, first, std::min(rows_per_band, height - first));
      const auto convolution = convolution_of(band);
      const auto epilogue = epilogue_of(band);
      if (!convolution || !epilogue) return reason_;
      kernel_->bands.push_back({band, *convolution, *epilogue});
    }
    const std::int64_t channels = problem_.result.shape[axis];
    const MemoryLayout layout = channels_last(problem_.result, axis);
    const std::int64_t row =
        ir::element_count(problem_.result.shape).value_or(0) / (problem_.result.shape[0] * height);
    const ir::TensorType& result = live_.type(step_.epilogue->output);
    kernel_->images = problem_.result.shape[0];
    kernel_->sums_bytes = static_cast<std::size_t>(rows_per_band * row) * sizeof(std::int32_t);
    kernel_->result_row_bytes = row * static_cast<std::int64_t>(ir::dtype_size(result.dtype));
    kernel_->result_image_bytes = height * kernel_->result_row_bytes;
    const std::int64_t data_height = problem_.data.shape[row_axis(problem_.data_channel_axis)];
    kernel_->data_image_bytes =
        ir::element_count(problem_.data.shape).value_or(0) / problem_.data.shape[0];
    kernel_->data_row_bytes = kernel_->data_image_bytes / data_height;
    SelectedKernel selected;
    selected.inputs = {channels_last(problem_.data, problem_.data_channel_axis)};
    const std::vector<ValueId> all = elementwise_operands(live_, *step_.epilogue);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool full = input_is_full_[i];
      Operand operand{.is_sums = all[i] == step_.output, .input = selected.inputs.size()};
      const ir::TensorType& type = live_.type(all[i]);
      const auto size = static_cast<std::int64_t>(ir::dtype_size(type.dtype));
      if (full) {
        operand.row_bytes = row * size;
        operand.image_bytes = height * operand.row_bytes;
      } else if (type.shape.size() == problem_.result.shape.size() && type.shape[0] != 1) {
        operand.image_bytes = size * (ir::element_count(type.shape).value_or(0) / type.shape[0]);
      }
      kernel_->operands.push_back(operand);
      if (!operand.is_sums) selected.inputs.push_back(full ? layout : MemoryLayout{});
    }
    check(channels > 0, "a result without channels has no bands");
    selected.outputs = {layout};
    selected.kernel = std::move(kernel_);
    return selected;
  }

  static MemoryLayout channels_last(const ir::TensorType& type, std::int64_t axis) {
    return normalized({.block = type.shape[axis], .channel_axis = axis}, type.shape);
  }

 private:
  std::optional<std::size_t> convolution_of(const Band& band) {
    const std::tuple key(band.data_rows, band.rows, band.pad_before, band.pad_after);
    const auto found = by_rows_.find(key);
    if (found != by_rows_.end()) return found->second;
    ConvolutionProblem part = problem_;
    part.data.shape = band_shape(part.data.shape, {part.data_channel_axis, band.data_rows});
    part.result.shape = band_shape(part.result.shape, {part.result_channel_axis, band.rows});
    part.pad_before[0] = band.pad_before;
    part.pad_after[0] = band.pad_after;
    FastKernelChoice choice = make_integer_convolution(part);
    auto* selected = std::get_if<SelectedKernel>(&choice);
    if (selected == nullptr) {
      reason_ = std::get<std::string>(choice);
      return std::nullopt;
    }
    if (selected->inputs[0] != channels_last(part.data, part.data_channel_axis) ||
        selected->outputs[0] != channels_last(part.result, part.result_channel_axis)) {
      reason_ = "bands of rows must have their channels last";
      return std::nullopt;
    }
    kernel_->convolutions.push_back(std::move(selected->kernel));
    return by_rows_[key] = kernel_->convolutions.size() - 1;
  }

  std::optional<std::size_t> epilogue_of(const Band& band) {
    const auto found = epilogue_by_rows_.find(band.rows);
    if (found != epilogue_by_rows_.end()) return found->second;
    const std::int64_t axis = problem_.result_channel_axis;
    auto made = make_elementwise_band(graph_, live_, *step_.epilogue,
                                      channels_last(problem_.result, axis), {axis, band.rows});
    if (!made) {
      reason_ = "an operand of the epilogue varies from row to row";
      return std::nullopt;
    }
    input_is_full_ = made->input_is_full;
    kernel_->epilogues.push_back(std::move(made->kernel));
    return epilogue_by_rows_[band.rows] = kernel_->epilogues.size() - 1;
  }

  const ir::Graph& graph_;
  const LiveValues& live_;
  const ContractionStep& step_;
  const ConvolutionProblem& problem_;
  std::unique_ptr<BandedConvolution> kernel_ = std::make_unique<BandedConvolution>();
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>, std::size_t>
      by_rows_;
  std::map<std::int64_t, std::size_t> epilogue_by_rows_;
  std::vector<bool> input_is_full_;
  std::string reason_;
};

}  // namespace

std::vector<ValueId> banded_operands(const LiveValues& live, const ContractionStep& step) {
  std::vector<ValueId> operands = {step.data};
  for (const ValueId value : elementwise_operands(live, *step.epilogue)) {
    if (value != step.output) operands.push_back(value);
  }
  return operands;
}

FastKernelChoice make_banded_convolution(const ir::Graph& graph, const LiveValues& live,
                                         const ContractionStep& step) {
  if (graph[live.calls[step.call].node].op == ir::Op::kDense) return std::string("a dense layer");
  auto found = describe_convolution(graph, live, step);
  if (auto* reason = std::get_if<std::string>(&found)) return std::move(*reason);
  const auto& problem = std::get<ConvolutionProblem>(found);
  const ir::Shape& shape = problem.result.shape;
  if (shape.size() != 4 || problem.transposed || ir::element_count(shape).value_or(0) == 0) {
    return std::string("not a convolution of images");
  }
  const std::int64_t height = shape[row_axis(problem.result_channel_axis)];
  const std::int64_t row = ir::element_count(shape).value_or(0) / (shape[0] * height);
  const bool depthwise = problem.groups == shape[problem.result_channel_axis];
  const std::int64_t elements = depthwise ? kDepthwiseBandElements : kBandElements;
  const std::int64_t rows = std::max<std::int64_t>(elements / row, 1);
  if (rows >= height) return std::string("a result that fits the cache whole");
  return Maker(graph, live, step, problem).run(rows);
}

}  // namespace tvmq::exec
