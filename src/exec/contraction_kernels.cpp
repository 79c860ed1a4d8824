#include "exec/contraction_kernels.h"

#include <utility>

#include "exec/banded_convolution.h"
#include "exec/convolution_problem.h"
#include "exec/depthwise_convolution.h"
#include "exec/direct_convolution.h"
#include "exec/onednn.h"
#include "exec/pixel_bands.h"

namespace tvmq::exec {
namespace {

ir::Tensor scaled_rows(const ir::Tensor& weights, const std::vector<float>& scale) {
  ir::Tensor result(weights.dtype(), weights.shape());
  const auto from = weights.data<float>();
  const auto to = result.mutable_data<float>();
  const std::size_t depth = scale.empty() ? 0 : from.size() / scale.size();
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i] * scale[i / depth];
  return result;
}

/// The loops of our own that fit.
PixelSumsChoice make_pixel_sums(const ConvolutionProblem& problem) {
  PixelSumsChoice choice = make_depthwise_convolution(problem);
  return std::holds_alternative<std::string>(choice) ? make_direct_convolution(problem)
                                                     : std::move(choice);
}

PixelBandsShape bands_shape(const ConvolutionProblem& problem) {
  const ir::Shape& result = problem.result.shape;
  const std::int64_t images = result[0];
  const std::int64_t channels = result[problem.result_channel_axis];
  return {.images = images,
          .pixels = ir::element_count(result).value_or(0) / (images * channels),
          .channels = channels,
          .data_image_bytes = ir::element_count(problem.data.shape).value_or(0) / images};
}

MemoryLayout channels_last(const ir::TensorType& type, std::int64_t axis) {
  return normalized({.block = type.shape[axis], .channel_axis = axis}, type.shape);
}

FastKernelChoice make_own_convolution(const ConvolutionProblem& problem) {
  PixelSumsChoice sums = make_pixel_sums(problem);
  if (auto* reason = std::get_if<std::string>(&sums)) return std::move(*reason);
  SelectedKernel selected;
  selected.inputs = {channels_last(problem.data, problem.data_channel_axis)};
  selected.outputs = {channels_last(problem.result, problem.result_channel_axis)};
  selected.kernel = make_pixel_bands(bands_shape(problem), std::get<0>(std::move(sums)), {});
  return selected;
}

FastKernelChoice make_own_convolution(const ir::Graph& graph, const LiveValues& live,
                                      const ContractionStep& step,
                                      const ConvolutionProblem& problem) {
  PixelSumsChoice choice = make_pixel_sums(problem);
  if (auto* reason = std::get_if<std::string>(&choice)) return std::move(*reason);
  auto& sums = std::get<0>(choice);
  PixelBandsShape shape = bands_shape(problem);
  if (step.prologue) shape.made_bytes = problem.data.shape[problem.data_channel_axis];
  const std::int64_t axis = problem.result_channel_axis;
  const std::vector<std::int64_t> counts = band_counts(shape, *sums);
  SelectedKernel selected;
  std::optional<BandElementwise> prologue;
  if (step.prologue) {
    prologue = BandElementwise::make(graph, live, *step.prologue, kNoValue,
                                     problem.data_channel_axis, counts);
    if (!prologue) return std::string("an operand of the prologue varies by pixel");
    prologue->describe_inputs(selected);
  } else {
    selected.inputs = {channels_last(problem.data, problem.data_channel_axis)};
  }
  PixelEpilogue epilogue;
  if (auto tiles = TileEpilogue::make(graph, live, step, axis)) {
    if (tiles->reads_bytes()) selected.inputs.push_back(tiles->layout());
    selected.outputs = {tiles->layout()};
    epilogue = std::move(*tiles);
  } else {
    auto bandwise = BandElementwise::make(graph, live, *step.epilogue, step.output, axis, counts);
    if (!bandwise) return std::string("an operand of the epilogue varies by pixel");
    bandwise->describe_inputs(selected);
    selected.outputs = {bandwise->layout()};
    epilogue = std::move(*bandwise);
  }
  selected.kernel =
      make_pixel_bands(shape, std::move(sums), std::move(epilogue), std::move(prologue));
  return selected;
}

FastKernelChoice make_own_dense(const ir::TensorType& data, const ir::Tensor& weights) {
  PixelSumsChoice sums = make_direct_dense(data, weights);
  if (auto* reason = std::get_if<std::string>(&sums)) return std::move(*reason);
  const std::int64_t depth = weights.shape()[1];
  const std::int64_t elements = ir::element_count(data.shape).value_or(0);
  SelectedKernel selected;
  selected.inputs.resize(1);
  selected.outputs.resize(1);
  selected.kernel = make_pixel_bands(
      {.pixels = elements / depth, .channels = weights.shape()[0], .data_image_bytes = elements},
      std::get<0>(std::move(sums)), {});
  return selected;
}

/// Ours or oneDNN's kernel: the first choice that there is. The reason is oneDNN's.
template <class Own, class Library>
FastKernelChoice first_of(bool own_first, const Own& own, const Library& library) {
  if (own_first) {
    FastKernelChoice choice = own();
    if (std::holds_alternative<SelectedKernel>(choice)) return choice;
  }
  FastKernelChoice choice = library();
  if (own_first || std::holds_alternative<SelectedKernel>(choice)) return choice;
  FastKernelChoice last = own();
  return std::holds_alternative<SelectedKernel>(last) ? std::move(last) : std::move(choice);
}

}  // namespace

FastKernelChoice make_contraction(const ir::Graph& graph, const LiveValues& live,
                                  const ContractionStep& step, bool may_accumulate) {
  const Call& call = live.calls[step.call];
  if (has_no_elements(live, call)) return std::string("values without elements");
  const bool is_integer = live.type(step.output).dtype == ir::DType::kInt32;
  if (graph[call.node].op == ir::Op::kDense) {
    const ir::Tensor& weights = live[call.inputs[1]].constant;
    const auto library = [&] {
      return make_dense({.data = live.type(step.data),
                         .result = live.type(step.output),
                         .weights = step.scale.empty() ? weights : scaled_rows(weights, step.scale),
                         .bias = step.bias},
                        step.post);
    };
    if (!is_integer) return library();
    return first_of(
        step.direct, [&] { return make_own_dense(live.type(step.data), weights); }, library);
  }
  auto found = describe_convolution(graph, live, step);
  if (auto* reason = std::get_if<std::string>(&found)) return std::move(*reason);
  const auto& problem = std::get<ConvolutionProblem>(found);
  const auto library = [&]() -> FastKernelChoice {
    if (problem.pad_value != 0) return std::string("padding other than 0");
    return make_convolution(problem, step.post, may_accumulate);
  };
  if (!is_integer) return library();
  return first_of(
      step.direct, [&] { return make_own_convolution(problem); }, library);
}

FastKernelChoice make_contraction_with_epilogue(const ir::Graph& graph, const LiveValues& live,
                                                const ContractionStep& step) {
  const Call& call = live.calls[step.call];
  if (has_no_elements(live, call)) return std::string("values without elements");
  if (graph[call.node].op == ir::Op::kDense) return std::string("a dense layer");
  auto found = describe_convolution(graph, live, step);
  if (auto* reason = std::get_if<std::string>(&found)) return std::move(*reason);
  const auto& problem = std::get<ConvolutionProblem>(found);
  if (problem.result.shape.size() != 4 || problem.transposed) {
    return std::string("not a convolution of images");
  }
  if (step.direct) return make_own_convolution(graph, live, step, problem);
  return make_banded_convolution(graph, live, step, problem);
}

}  // namespace tvmq::exec
