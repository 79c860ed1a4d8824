#include "exec/band_elementwise.h"

#include <algorithm>
#include <utility>

namespace tvmq::exec {

std::vector<ValueId> banded_operands(const LiveValues& live, const ContractionStep& step) {
  std::vector<ValueId> operands = {step.data};
  if (step.prologue) operands = elementwise_operands(live, *step.prologue);
  for (const ValueId value : elementwise_operands(live, *step.epilogue)) {
    if (value != step.output) operands.push_back(value);
  }
  return operands;
}

std::optional<BandElementwise> BandElementwise::make(const ir::Graph& graph, const LiveValues& live,
                                                     const ElementwiseStep& step, ValueId sums,
                                                     std::int64_t channel_axis,
                                                     std::span<const std::int64_t> counts) {
  const ir::TensorType& result = live.type(step.output);
  const std::int64_t channels = result.shape[channel_axis];
  const std::int64_t pixels =
      ir::element_count(result.shape).value_or(0) / (result.shape[0] * channels);
  BandElementwise made;
  made.layout_ = normalized({.block = channels, .channel_axis = channel_axis}, result.shape);
  std::vector<bool> is_full;
  for (const std::int64_t count : counts) {
    auto band = make_elementwise_band(graph, live, step, made.layout_,
                                      {.channel_axis = channel_axis, .pixels = count});
    if (!band) return std::nullopt;
    is_full = band->input_is_full;
    made.kernels_.push_back(std::move(band->kernel));
  }
  const auto bytes_of = [](ir::DType dtype) {
    return static_cast<std::int64_t>(ir::dtype_size(dtype));
  };
  made.pixel_bytes_ = channels * bytes_of(result.dtype);
  const std::vector<ValueId> all = elementwise_operands(live, step);
  for (std::size_t i = 0; i < all.size(); ++i) {
    Operand operand{.is_sums = all[i] == sums};
    const ir::TensorType& type = live.type(all[i]);
    const std::int64_t size = bytes_of(type.dtype);
    if (is_full[i]) {
      operand.pixel_bytes = channels * size;
      operand.image_bytes = pixels * operand.pixel_bytes;
      operand.layout = made.layout_;
    } else if (type.shape.size() == result.shape.size() && type.shape[0] != 1) {
      operand.image_bytes = size * (ir::element_count(type.shape).value_or(0) / type.shape[0]);
    }
    made.operands_.push_back(operand);
  }
  return made;
}

void BandElementwise::run(std::size_t which, std::int64_t image, std::int64_t first,
                          const std::int32_t* sums, std::span<const std::byte* const> inputs,
                          std::byte* result, std::byte* scratch) const {
  std::vector<const std::byte*> sources;
  sources.reserve(operands_.size());
  std::size_t input = 0;
  for (const Operand& operand : operands_) {
    if (operand.is_sums) {
      sources.push_back(reinterpret_cast<const std::byte*>(sums));
    } else {
      sources.push_back(inputs[input++] + image * operand.image_bytes +
                        first * operand.pixel_bytes);
    }
  }
  std::byte* const results[] = {result};
  kernels_[which]->run({sources, results, scratch}, nullptr);
}

void BandElementwise::describe_inputs(SelectedKernel& selected) const {
  for (const Operand& each : operands_) {
    if (!each.is_sums) selected.inputs.push_back(each.layout);
  }
}

std::size_t BandElementwise::count_inputs() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(operands_, [](const Operand& each) { return !each.is_sums; }));
}

std::size_t BandElementwise::scratch_bytes() const {
  std::size_t most = 0;
  for (const auto& each : kernels_) most = std::max(most, each->scratch_bytes());
  return most;
}

std::size_t BandElementwise::constant_bytes() const {
  std::size_t bytes = 0;
  for (const auto& each : kernels_) bytes += each->constant_bytes();
  return bytes;
}

}  // namespace tvmq::exec
