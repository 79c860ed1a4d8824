#include "exec/banded_convolution.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "exec/band_elementwise.h"
#include "exec/onednn.h"

namespace tvmq::exec {
namespace {

constexpr std::size_t kAlignment = 64;
/// Sums of a band: 256 KB, which the second-level cache holds beside the weights. Starting one of
/// oneDNN's primitives takes about a microsecond: smaller bands cost more than they save.
constexpr std::int64_t kBandElements = 64 << 10;

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

class BandStates final : public KernelState {
 public:
  std::vector<std::unique_ptr<KernelState>> convolutions;
};

class BandedConvolution final : public FastKernel {
 public:
  struct BoundBand {
    Band band;
    std::size_t convolution = 0;
    bool is_last = false;
  };
  std::vector<std::unique_ptr<const FastKernel>> convolutions;
  std::optional<BandElementwise> epilogue;
  std::vector<BoundBand> bands;
  std::int64_t images = 1;
  std::int64_t data_image_bytes = 0;
  std::int64_t data_row_bytes = 0;
  std::int64_t row_pixels = 1;    ///< of the result
  std::int64_t image_pixels = 1;  ///< of the result
  std::size_t sums_bytes = 0;

  std::unique_ptr<KernelState> new_state() const override {
    auto states = std::make_unique<BandStates>();
    for (const auto& each : convolutions) states->convolutions.push_back(each->new_state());
    return states;
  }

  std::size_t scratch_bytes() const override {
    std::size_t inner = epilogue->scratch_bytes();
    for (const auto& each : convolutions) inner = std::max(inner, each->scratch_bytes());
    return aligned(sums_bytes) + inner;
  }
  std::size_t constant_bytes() const override {
    std::size_t bytes = epilogue->constant_bytes();
    for (const auto& each : convolutions) bytes += each->constant_bytes();
    return bytes;
  }
  std::string description() const override {
    return convolutions[0]->description() + ", " + epilogue->description() + ", " +
           std::to_string(bands.size()) + " bands";
  }

  void run(const StepBuffers& buffers, KernelState* state) const override {
    auto& states = static_cast<BandStates&>(*state);
    std::byte* const sums[] = {buffers.scratch};
    std::byte* const scratch = buffers.scratch + aligned(sums_bytes);
    for (std::int64_t image = 0; image < images; ++image) {
      for (const BoundBand& each : bands) {
        const std::byte* const data[] = {buffers.inputs[0] + image * data_image_bytes +
                                         each.band.data_first * data_row_bytes};
        convolutions[each.convolution]->run({data, sums, scratch},
                                            states.convolutions[each.convolution].get());
        const std::int64_t first = each.band.first * row_pixels;
        epilogue->run(each.is_last ? 1 : 0, image, first,
                      reinterpret_cast<const std::int32_t*>(sums[0]), buffers.inputs.subspan(1),
                      buffers.outputs[0] + (image * image_pixels + first) * epilogue->pixel_bytes(),
                      scratch);
      }
    }
  }
};

MemoryLayout channels_last(const ir::TensorType& type, std::int64_t axis) {
  return normalized({.block = type.shape[axis], .channel_axis = axis}, type.shape);
}

class Maker {
 public:
  explicit Maker(const ConvolutionProblem& problem) : problem_(problem) {}

  FastKernelChoice run(const ir::Graph& graph, const LiveValues& live, const ContractionStep& step,
                       std::int64_t rows_per_band) {
    const std::int64_t axis = problem_.result_channel_axis;
    const std::int64_t height = problem_.result.shape[row_axis(axis)];
    const std::int64_t width = problem_.result.shape[row_axis(axis) + 1];
    for (std::int64_t first = 0; first < height; first += rows_per_band) {
      const Band band = make_band(problem_, first, std::min(rows_per_band, height - first));
      const auto convolution = convolution_of(band);
      if (!convolution) return reason_;
      kernel_->bands.push_back({band, *convolution, band.rows < rows_per_band});
    }
    const std::int64_t counts[] = {rows_per_band * width, kernel_->bands.back().band.rows * width};
    kernel_->epilogue =
        BandElementwise::make(graph, live, *step.epilogue, step.output, axis, counts);
    if (!kernel_->epilogue) return std::string("an operand of the epilogue varies by pixel");
    kernel_->images = problem_.result.shape[0];
    kernel_->row_pixels = width;
    kernel_->image_pixels = height * width;
    kernel_->sums_bytes =
        static_cast<std::size_t>(counts[0] * problem_.result.shape[axis]) * sizeof(std::int32_t);
    const std::int64_t data_height = problem_.data.shape[row_axis(problem_.data_channel_axis)];
    kernel_->data_image_bytes =
        ir::element_count(problem_.data.shape).value_or(0) / problem_.data.shape[0];
    kernel_->data_row_bytes = kernel_->data_image_bytes / data_height;
    SelectedKernel selected;
    selected.inputs = {channels_last(problem_.data, problem_.data_channel_axis)};
    kernel_->epilogue->describe_inputs(selected);
    selected.outputs = {kernel_->epilogue->layout()};
    selected.kernel = std::move(kernel_);
    return selected;
  }

 private:
  static ir::Shape rows_of_an_image(ir::Shape shape, std::int64_t channel_axis, std::int64_t rows) {
    shape[0] = 1;
    shape[row_axis(channel_axis)] = rows;
    return shape;
  }

  std::optional<std::size_t> convolution_of(const Band& band) {
    const std::tuple key(band.data_rows, band.rows, band.pad_before, band.pad_after);
    const auto found = by_rows_.find(key);
    if (found != by_rows_.end()) return found->second;
    ConvolutionProblem part = problem_;
    part.data.shape = rows_of_an_image(part.data.shape, part.data_channel_axis, band.data_rows);
    part.result.shape = rows_of_an_image(part.result.shape, part.result_channel_axis, band.rows);
    part.pad_before[0] = band.pad_before;
    part.pad_after[0] = band.pad_after;
    FastKernelChoice choice = make_convolution(part, {}, false);
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

  const ConvolutionProblem& problem_;
  std::unique_ptr<BandedConvolution> kernel_ = std::make_unique<BandedConvolution>();
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>, std::size_t>
      by_rows_;
  std::string reason_;
};

}  // namespace

FastKernelChoice make_banded_convolution(const ir::Graph& graph, const LiveValues& live,
                                         const ContractionStep& step,
                                         const ConvolutionProblem& problem) {
  const ir::Shape& shape = problem.result.shape;
  const std::int64_t height = shape[row_axis(problem.result_channel_axis)];
  const std::int64_t row = ir::element_count(shape).value_or(0) / (shape[0] * height);
  const std::int64_t rows = std::max<std::int64_t>(kBandElements / row, 1);
  if (rows >= height) return std::string("a result that fits the cache whole");
  return Maker(problem).run(graph, live, step, rows);
}

}  // namespace tvmq::exec
