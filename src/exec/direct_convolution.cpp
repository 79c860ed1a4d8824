#include "exec/direct_convolution.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "exec/avx512_vnni.h"
#include "exec/direct_sums.h"
#include "exec/onednn.h"

namespace tvmq::exec {
namespace {

/// Weights beyond this are not in the second-level cache when the next pixels need them.
constexpr std::size_t kCachedWeights = std::size_t{1} << 20;
constexpr std::int64_t kPixelsPerUncachedWeights = 8;  ///< times as many

/// An image is [height][width][channels], and so is the result.
struct Geometry {
  std::int64_t groups = 1;
  std::int64_t channels = 1;  ///< of the data, all groups
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t result_height = 1;
  std::int64_t result_width = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride_y = 1;
  std::int64_t stride_x = 1;
  std::int64_t dilation_y = 1;
  std::int64_t dilation_x = 1;
  std::int64_t top = 0;  ///< padding
  std::int64_t left = 0;
  std::uint8_t pad_value = 0;
};

class DirectConvolution final : public PixelSums {
 public:
  /// `weights` by group: (channels of the result, kernel height, kernel width, channels).
  DirectConvolution(const Geometry& geometry, const DirectShape& shape, const ir::Tensor& weights)
      : geometry_(geometry),
        shape_(shape),
        vnni_(has_avx512_vnni() && shape.run_bytes >= 4),
        row_bytes_(geometry.width * geometry.channels) {
    padded_width_ = (geometry.result_width - 1) * geometry.stride_x +
                    (geometry.kernel_width - 1) * geometry.dilation_x + 1;
    const std::int64_t padded_height = padded_rows(geometry.result_height);
    is_padded_ = geometry.top > 0 || geometry.left > 0 ||
                 padded_width_ > geometry.width + geometry.left ||
                 padded_height > geometry.height + geometry.top;
    // Rows that follow each other without a gap are one.
    is_flat_ = !is_padded_ && shape.rows == 1 && geometry.kernel_width == 1 &&
               geometry.stride_y == 1 && geometry.stride_x == 1 &&
               geometry.result_width == geometry.width;
    shape_.row_step =
        geometry.dilation_y * (is_padded_ ? padded_width_ * geometry.channels : row_bytes_);
    const auto all = weights.data<std::int8_t>();
    const std::size_t each = all.size() / static_cast<std::size_t>(geometry.groups);
    for (std::int64_t g = 0; g < geometry.groups; ++g) {
      weights_.emplace_back(shape_, all.subspan(static_cast<std::size_t>(g) * each, each), vnni_);
    }
  }

  std::int64_t good_count(std::int64_t most) const override {
    if (constant_bytes() > kCachedWeights) most *= kPixelsPerUncachedWeights;
    most = std::max(most, kDirectPixels);
    if (is_flat_) return most / kDirectPixels * kDirectPixels;
    const std::int64_t width = geometry_.result_width;
    if (is_padded_ || most >= width) return std::max<std::int64_t>(most / width, 1) * width;
    return divide_up(width, divide_up(width, most));
  }

  std::size_t scratch_bytes(std::int64_t count) const override {
    if (!is_padded_) return 0;
    const std::int64_t rows =
        std::min(divide_up(count - 1, geometry_.result_width) + 1, geometry_.result_height);
    return static_cast<std::size_t>(padded_rows(rows) * padded_width_ * geometry_.channels);
  }
  std::size_t constant_bytes() const override {
    std::size_t bytes = 0;
    for (const DirectWeights& each : weights_) {
      bytes += each.order.byte_size() + each.start.byte_size() + each.offsets.byte_size();
    }
    return bytes;
  }
  std::string description() const override {
    return vnni_ ? "direct:avx512_vnni, channels last" : "direct:plain, channels last";
  }

  void run(const std::byte* image, std::int64_t first, std::int64_t count, std::int32_t* sums,
           const SumsReceiver* receiver, std::byte* scratch) const override {
    DirectTarget target{.sums = sums, .receiver = receiver, .pixel = first};
    const auto* data = reinterpret_cast<const std::uint8_t*>(image);
    if (is_flat_) return sum(data + first * shape_.pixel_step, {.columns = count}, target);
    const std::int64_t width = geometry_.result_width;
    const std::int64_t first_row = first / width;
    std::int64_t row_bytes = row_bytes_;
    const std::uint8_t* rows = data + first_row * geometry_.stride_y * row_bytes;
    if (is_padded_) {
      const std::int64_t last_row = (first + count - 1) / width;
      auto* padded = reinterpret_cast<std::uint8_t*>(scratch);
      copy_padded(data, first_row * geometry_.stride_y - geometry_.top,
                  padded_rows(last_row - first_row + 1), padded);
      rows = padded;
      row_bytes = padded_width_ * geometry_.channels;
    }
    // The rest of a row, whole rows, the beginning of a row.
    for (const std::int64_t end = first + count; first < end;) {
      const std::int64_t column = first % width;
      DirectPixels pixels{.rows = 1,
                          .columns = std::min(width - column, end - first),
                          .row_step = geometry_.stride_y * row_bytes};
      if (column == 0 && end - first >= width) pixels.rows = (end - first) / width;
      const std::int64_t row = first / width - first_row;
      sum(rows + row * pixels.row_step + column * shape_.pixel_step, pixels, target);
      if (target.sums != nullptr) target.sums += pixels.rows * pixels.columns * shape_.sums_step;
      target.pixel += pixels.rows * pixels.columns;
      first += pixels.rows * pixels.columns;
    }
  }

 private:
  static std::int64_t divide_up(std::int64_t value, std::int64_t by) {
    return (value + by - 1) / by;
  }
  /// Rows of the padded image that `rows` rows of the result read.
  std::int64_t padded_rows(std::int64_t rows) const {
    return (rows - 1) * geometry_.stride_y + (shape_.rows - 1) * geometry_.dilation_y + 1;
  }

  void copy_padded(const std::uint8_t* data, std::int64_t first, std::int64_t rows,
                   std::uint8_t* to) const {
    const std::int64_t bytes = padded_width_ * geometry_.channels;
    const std::int64_t before = std::min(geometry_.left * geometry_.channels, bytes);
    const std::int64_t inside = std::min(row_bytes_, bytes - before);
    const int padding = geometry_.pad_value;
    for (std::int64_t y = first; y < first + rows; ++y, to += bytes) {
      if (y < 0 || y >= geometry_.height) {
        std::memset(to, padding, bytes);
        continue;
      }
      std::memset(to, padding, before);
      std::memcpy(to + before, data + y * row_bytes_, inside);
      std::memset(to + before + inside, padding, bytes - before - inside);
    }
  }

  void sum(const std::uint8_t* data, const DirectPixels& pixels, DirectTarget target) const {
    const auto loop = vnni_ ? direct_sums_vnni : direct_sums_plain;
    for (const DirectWeights& each : weights_) {
      loop(shape_, each, data, pixels, target);
      data += geometry_.channels / geometry_.groups;
      if (target.sums != nullptr) target.sums += shape_.channels;
      target.channel += shape_.channels;
    }
  }

  Geometry geometry_;
  DirectShape shape_;
  bool vnni_;
  std::int64_t row_bytes_;
  std::int64_t padded_width_ = 0;
  bool is_padded_ = false;
  bool is_flat_ = false;
  std::vector<DirectWeights> weights_;  ///< by group
};

/// (..., channels, height, width) to (..., height, width, channels).
ir::Tensor channels_last(const ir::Tensor& weights) {
  const ir::Shape& shape = weights.shape();
  ir::Tensor result(ir::DType::kInt8, shape);
  const std::int64_t channels = shape[2];
  const std::int64_t taps = shape[3] * shape[4];
  const auto from = weights.data<std::int8_t>();
  const auto to = result.mutable_data<std::int8_t>();
  for (std::int64_t o = 0; o < shape[0] * shape[1]; ++o) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t t = 0; t < taps; ++t) {
        to[(o * taps + t) * channels + c] = from[(o * channels + c) * taps + t];
      }
    }
  }
  return result;
}

}  // namespace

bool runs_direct_convolutions(bool prefer_library) {
  const OneDnnBytes library = onednn_bytes();
  if (library == OneDnnBytes::kNot) return true;
  return !prefer_library && library == OneDnnBytes::kVectors && has_avx512_vnni();
}

PixelSumsChoice make_direct_convolution(const ConvolutionProblem& problem) {
  const ir::Shape& weights = problem.weights.shape();
  if (std::string reason = why_no_byte_sums(problem); !reason.empty()) return reason;
  const std::size_t data_y = problem.data_channel_axis == 1 ? 2 : 1;
  const std::size_t result_y = problem.result_channel_axis == 1 ? 2 : 1;
  const std::int64_t channels = problem.data.shape[problem.data_channel_axis];
  const Geometry geometry{.groups = problem.groups,
                          .channels = channels,
                          .height = problem.data.shape[data_y],
                          .width = problem.data.shape[data_y + 1],
                          .result_height = problem.result.shape[result_y],
                          .result_width = problem.result.shape[result_y + 1],
                          .kernel_width = weights[4],
                          .stride_y = problem.strides[0],
                          .stride_x = problem.strides[1],
                          .dilation_y = problem.dilation[0],
                          .dilation_x = problem.dilation[1],
                          .top = problem.pad_before[0],
                          .left = problem.pad_before[1],
                          .pad_value = static_cast<std::uint8_t>(problem.pad_value)};
  // Neighbouring columns are neighbouring bytes, unless others lie in between.
  const bool joined = problem.groups == 1 && problem.dilation[1] == 1;
  const DirectShape shape{.channels = weights[1],
                          .rows = weights[3],
                          .runs = joined ? 1 : weights[4],
                          .run_bytes = joined ? weights[4] * channels : weights[2],
                          .run_step = problem.dilation[1] * channels,
                          .pixel_step = problem.strides[1] * channels,
                          .sums_step = problem.groups * weights[1],
                          .is_signed = problem.data.dtype == ir::DType::kInt8};
  return std::make_unique<DirectConvolution>(geometry, shape, channels_last(problem.weights));
}

PixelSumsChoice make_direct_dense(const ir::TensorType& data, const ir::Tensor& weights) {
  if (!is_byte(data.dtype) || weights.dtype() != ir::DType::kInt8) {
    return std::string("not a dense layer of bytes");
  }
  const std::int64_t units = weights.shape()[0];
  const std::int64_t depth = weights.shape()[1];
  const std::int64_t elements = ir::element_count(data.shape).value_or(0);
  if (elements == 0 || weights.size() == 0) return std::string("an empty layer");
  if (!fits_int32(depth)) return std::string("sums beyond 32 bits");
  const Geometry geometry{
      .channels = depth, .width = elements / depth, .result_width = elements / depth};
  const DirectShape shape{.channels = units,
                          .run_bytes = depth,
                          .pixel_step = depth,
                          .sums_step = units,
                          .is_signed = data.dtype == ir::DType::kInt8};
  return std::make_unique<DirectConvolution>(geometry, shape, weights);
}

}  // namespace tvmq::exec
