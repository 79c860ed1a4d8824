#include "exec/band_epilogue.h"

#include <algorithm>
#include <utility>

namespace tvmq::exec {

std::vector<ValueId> banded_operands(const LiveValues& live, const ContractionStep& step) {
  std::vector<ValueId> operands = {step.data};
  for (const ValueId value : elementwise_operands(live, *step.epilogue)) {
    if (value != step.output) operands.push_back(value);
  }
  return operands;
}

std::optional<BandEpilogue> BandEpilogue::make(const ir::Graph& graph, const LiveValues& live,
                                               const ContractionStep& step,
                                               std::int64_t channel_axis,
                                               std::span<const std::int64_t> counts) {
  const ir::TensorType& result = live.type(step.epilogue->output);
  const std::int64_t channels = result.shape[channel_axis];
  const std::int64_t pixels =
      ir::element_count(result.shape).value_or(0) / (result.shape[0] * channels);
  BandEpilogue epilogue;
  epilogue.layout_ = normalized({.block = channels, .channel_axis = channel_axis}, result.shape);
  std::vector<bool> is_full;
  for (const std::int64_t count : counts) {
    auto made = make_elementwise_band(graph, live, *step.epilogue, epilogue.layout_,
                                      {.channel_axis = channel_axis, .pixels = count});
    if (!made) return std::nullopt;
    is_full = made->input_is_full;
    epilogue.kernels_.push_back(std::move(made->kernel));
  }
  const auto bytes_of = [](ir::DType dtype) {
    return static_cast<std::int64_t>(ir::dtype_size(dtype));
  };
  epilogue.pixel_bytes_ = channels * bytes_of(result.dtype);
  epilogue.image_bytes_ = pixels * epilogue.pixel_bytes_;
  std::size_t inputs = 1;  // the data
  const std::vector<ValueId> all = elementwise_operands(live, *step.epilogue);
  for (std::size_t i = 0; i < all.size(); ++i) {
    Operand operand{.is_sums = all[i] == step.output, .input = inputs};
    const ir::TensorType& type = live.type(all[i]);
    const std::int64_t size = bytes_of(type.dtype);
    if (is_full[i]) {
      operand.pixel_bytes = channels * size;
      operand.image_bytes = pixels * operand.pixel_bytes;
      operand.layout = epilogue.layout_;
    } else if (type.shape.size() == result.shape.size() && type.shape[0] != 1) {
      operand.image_bytes = size * (ir::element_count(type.shape).value_or(0) / type.shape[0]);
    }
    if (!operand.is_sums) ++inputs;
    epilogue.operands_.push_back(operand);
  }
  return epilogue;
}

void BandEpilogue::run(std::size_t which, std::int64_t image, std::int64_t first,
                       const std::int32_t* sums, std::span<const std::byte* const> inputs,
                       std::byte* output, std::byte* scratch) const {
  std::vector<const std::byte*> sources(operands_.size());
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    const Operand& operand = operands_[i];
    sources[i] = operand.is_sums ? reinterpret_cast<const std::byte*>(sums)
                                 : inputs[operand.input] + image * operand.image_bytes +
                                       first * operand.pixel_bytes;
  }
  std::byte* const result[] = {output + image * image_bytes_ + first * pixel_bytes_};
  kernels_[which]->run({sources, result, scratch}, nullptr);
}

void BandEpilogue::describe_operands(SelectedKernel& selected, MemoryLayout data) const {
  selected.inputs = {data};
  for (const Operand& each : operands_) {
    if (!each.is_sums) selected.inputs.push_back(each.layout);
  }
  selected.outputs = {layout_};
}

std::size_t BandEpilogue::scratch_bytes() const {
  std::size_t most = 0;
  for (const auto& each : kernels_) most = std::max(most, each->scratch_bytes());
  return most;
}

std::size_t BandEpilogue::constant_bytes() const {
  std::size_t bytes = 0;
  for (const auto& each : kernels_) bytes += each->constant_bytes();
  return bytes;
}

}  // namespace tvmq::exec
