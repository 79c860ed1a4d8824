#include "exec/depthwise_convolution.h"

#include <algorithm>

#include "exec/avx512_vnni.h"
#include "exec/depthwise_rows.h"

namespace tvmq::exec {
namespace {

class DepthwiseConvolution final : public PixelSums {
 public:
  DepthwiseConvolution(const ImageWindow& shape, const std::int8_t* weights)
      : shape_(shape),
        weights_(shape, weights),
        vnni_(has_avx512_vnni()),
        together_(vnni_ ? rows_together(shape) : 1) {}

  /// Whole rows, as many as are computed together.
  std::int64_t good_count(std::int64_t most) const override {
    const std::int64_t rows = shape_.result_width * together_;
    return std::max<std::int64_t>(most / rows, 1) * rows;
  }
  std::size_t scratch_bytes(std::int64_t /*count*/) const override {
    return row_bytes() + (vnni_ ? depthwise_scratch_bytes(shape_) : 0);
  }
  std::size_t constant_bytes() const override {
    return weights_.plain.size() * sizeof(std::int16_t) + weights_.packed.size() +
           weights_.start.size() * sizeof(std::int32_t);
  }
  std::string description() const override {
    return vnni_ ? "depthwise:avx512_vnni, channels last" : "depthwise:plain, channels last";
  }

  void run(const std::byte* image, std::int64_t first, std::int64_t count, std::int32_t* sums,
           const SumsReceiver* receiver, std::byte* scratch) const override {
    const auto* data = reinterpret_cast<const std::uint8_t*>(image);
    const std::int64_t width = shape_.result_width;
    const std::int64_t channels = shape_.channels;
    if (receiver != nullptr) sums = reinterpret_cast<std::int32_t*>(scratch);
    scratch += row_bytes();
    const std::int64_t end = (first + count) / width;
    for (std::int64_t y = first / width, rows = 0; y < end; y += rows) {
      rows = std::min(together_, end - y);
      if (vnni_) {
        depthwise_rows_vnni(shape_, weights_, data, y, rows, sums, receiver, scratch);
      } else {
        depthwise_row_plain(shape_, weights_, data, y, sums);
        if (receiver != nullptr) receiver->take(sums, channels, y * width, width, 0, channels);
      }
      if (receiver == nullptr) sums += rows * width * channels;
    }
  }

 private:
  /// Of the sums of a row that a receiver is given, 64 channels at a time or all.
  std::size_t row_bytes() const {
    constexpr std::int64_t kAtATime = 64;
    const std::int64_t channels = (shape_.channels + kAtATime - 1) / kAtATime * kAtATime;
    return static_cast<std::size_t>(shape_.result_width * channels) * sizeof(std::int32_t);
  }

  ImageWindow shape_;
  DepthwiseWeights weights_;
  bool vnni_;
  std::int64_t together_;  ///< rows of the result
};

}  // namespace

PixelSumsChoice make_depthwise_convolution(const ConvolutionProblem& problem) {
  const ir::Shape& weights = problem.weights.shape();
  if (std::string reason = why_no_byte_sums(problem); !reason.empty()) return reason;
  if (problem.groups < 2 || weights[1] != 1 || weights[2] != 1) {
    return std::string("not one channel per group");
  }
  return std::make_unique<DepthwiseConvolution>(window_of(problem),
                                                problem.weights.data<std::int8_t>().data());
}

}  // namespace tvmq::exec
