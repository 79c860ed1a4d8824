#include "exec/tile_epilogue.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "exec/elementwise.h"
#include "exec/elementwise_compile.h"

namespace tvmq::exec {
namespace {

/// A constant that broadcasts to a result of `shape` by channel, as one number per channel.
template <class T>
std::optional<ir::Tensor> by_channel(const ir::Tensor& constant, const ir::Shape& shape,
                                     std::int64_t axis) {
  if (constant.empty() || constant.dtype() != ir::DTypeOf<T>::kValue) return std::nullopt;
  const auto from = constant.data<T>();
  const auto offset = static_cast<std::int64_t>(shape.size()) - constant.rank();
  for (std::int64_t d = 0; d < constant.rank(); ++d) {
    if (constant.shape()[d] != 1 && d + offset != axis) return std::nullopt;
  }
  const std::int64_t channels = shape[axis];
  if (constant.size() != 1 && constant.size() != channels) return std::nullopt;
  ir::Tensor result(constant.dtype(), {channels});
  const auto to = result.mutable_data<T>();
  for (std::int64_t c = 0; c < channels; ++c) to[c] = from[constant.size() == 1 ? 0 : c];
  return result;
}

/// What run_tile() requires of kRequantizeSwish, for the largest of sums. Not of a NaN.
bool swish_is_bounded(const ir::Tensor& factors, const ir::Tensor& scales) {
  constexpr float kLargestSum = 2147483648.0F;
  const auto factor = factors.data<float>();
  const auto scale = scales.data<float>();
  for (std::size_t c = 0; c < factor.size(); ++c) {
    const float largest = std::abs(factor[c]) * kLargestSum;
    if (!(largest < kLargestSwish && largest * std::abs(scale[c]) < kLargestSwish)) return false;
  }
  return true;
}

}  // namespace

std::optional<TileEpilogue> TileEpilogue::make(const ir::Graph& graph, const LiveValues& live,
                                               const ContractionStep& step,
                                               std::int64_t channel_axis) {
  const ElementwiseCode code = compile_elementwise(graph, live, *step.epilogue);
  if (code.instructions.size() != 1 || !has_tile_loop(code.instructions[0])) return std::nullopt;
  const Instruction& instruction = code.instructions[0];
  const ir::TensorType& result = live.type(step.epilogue->output);
  const auto constant = [&](std::uint16_t slot) -> const ir::Tensor& {
    const ElementwiseCode::Operand& operand = code.operands[slot];
    return operand.value == kNoValue ? operand.constant : live[operand.value].constant;
  };
  const bool is_sums = code.operands[instruction.a].value == step.output;
  const auto bias = by_channel<std::int32_t>(constant(instruction.b), result.shape, channel_axis);
  const auto factors = by_channel<float>(constant(instruction.c), result.shape, channel_axis);
  if (!is_sums || !bias || !factors) return std::nullopt;
  TileEpilogue epilogue;
  if (instruction.code == Code::kRequantizeSum) {
    const ValueId bytes = code.operands[instruction.d].value;
    if (bytes == kNoValue || live[bytes].is_constant() || live.type(bytes).shape != result.shape) {
      return std::nullopt;
    }
  }
  epilogue.instruction_ = instruction;
  epilogue.channels_ = result.shape[channel_axis];
  epilogue.layout_ =
      normalized({.block = epilogue.channels_, .channel_axis = channel_axis}, result.shape);
  epilogue.bias_ = *bias;
  epilogue.factors_ = *factors;
  const bool clips = instruction.code == Code::kRequantizeClipped;
  if (clips) {
    const auto shifts = by_channel<float>(constant(instruction.d), result.shape, channel_axis);
    if (!shifts) return std::nullopt;
    const auto differs = [](float each) { return each != 0; };
    if (std::ranges::any_of(shifts->data<float>(), differs)) epilogue.shifts_ = *shifts;
  }
  if (clips || instruction.code == Code::kRequantizeSwish) {
    const auto scales = by_channel<float>(constant(instruction.e), result.shape, channel_axis);
    if (!scales || (!clips && !swish_is_bounded(*factors, *scales))) return std::nullopt;
    epilogue.scales_ = *scales;
  }
  return epilogue;
}

void TileEpilogue::run(const std::int32_t* sums, std::int64_t step, std::int64_t pixel,
                       std::int64_t pixels, std::int64_t channel, std::int64_t channels,
                       const std::byte* bytes, std::byte* results) const {
  const std::int64_t place = pixel * channels_ + channel;
  const auto from = [channel](const ir::Tensor& numbers) {
    return numbers.empty() ? nullptr : numbers.data<float>().data() + channel;
  };
  run_tile(instruction_, {.sums = sums,
                          .sums_step = step,
                          .pixels = pixels,
                          .channels = channels,
                          .bias = bias_.data<std::int32_t>().data() + channel,
                          .factors = from(factors_),
                          .shifts = from(shifts_),
                          .scales = from(scales_),
                          .bytes = bytes == nullptr ? nullptr : bytes + place,
                          .results = results + place,
                          .results_step = channels_});
}

}  // namespace tvmq::exec
