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

class DirectConvolution final : public PixelSums {
 public:
  /// `weights` by group: (channels of the result, kernel height, kernel width, channels).
  DirectConvolution(const ImageWindow& window, std::int64_t groups, const DirectShape& shape,
                    const ir::Tensor& weights)
      : window_(window),
        groups_(groups),
        shape_(shape),
        vnni_(has_avx512_vnni() && shape.run_bytes >= 4),
        row_bytes_(window.data_width * window.channels) {
    padded_width_ = (window.result_width - 1) * window.stride_x +
                    (window.kernel_width - 1) * window.dilation_x + 1;
    const std::int64_t padded_height = padded_rows(window.result_height);
    is_padded_ = window.top > 0 || window.left > 0 ||
                 padded_width_ > window.data_width + window.left ||
                 padded_height > window.data_height + window.top;
    // Rows that follow each other without a gap are one.
    is_flat_ = !is_padded_ && shape.rows == 1 && window.kernel_width == 1 && window.stride_y == 1 &&
               window.stride_x == 1 && window.result_width == window.data_width;
    shape_.row_step =
        window.dilation_y * (is_padded_ ? padded_width_ * window.channels : row_bytes_);
    const auto all = weights.data<std::int8_t>();
    const std::size_t each = all.size() / static_cast<std::size_t>(groups);
    for (std::int64_t g = 0; g < groups; ++g) {
      weights_.emplace_back(shape_, all.subspan(static_cast<std::size_t>(g) * each, each), vnni_);
    }
  }

  std::int64_t good_count(std::int64_t most) const override {
    if (constant_bytes() > kCachedWeights) most *= kPixelsPerUncachedWeights;
    most = std::max(most, kDirectPixels);
    if (is_flat_) return most / kDirectPixels * kDirectPixels;
    const std::int64_t width = window_.result_width;
    if (is_padded_ || most >= width) return std::max<std::int64_t>(most / width, 1) * width;
    return divide_up(width, divide_up(width, most));
  }

  std::size_t scratch_bytes(std::int64_t count) const override {
    if (!is_padded_) return 0;
    const std::int64_t rows =
        std::min(divide_up(count - 1, window_.result_width) + 1, window_.result_height);
    return static_cast<std::size_t>(padded_rows(rows) * padded_width_ * window_.channels);
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
    const std::int64_t width = window_.result_width;
    const std::int64_t first_row = first / width;
    std::int64_t row_bytes = row_bytes_;
    const std::uint8_t* rows = data + first_row * window_.stride_y * row_bytes;
    if (is_padded_) {
      const std::int64_t last_row = (first + count - 1) / width;
      auto* padded = reinterpret_cast<std::uint8_t*>(scratch);
      copy_padded(data, first_row * window_.stride_y - window_.top,
                  padded_rows(last_row - first_row + 1), padded);
      rows = padded;
      row_bytes = padded_width_ * window_.channels;
    }
    // The rest of a row, whole rows, the beginning of a row.
    for (const std::int64_t end = first + count; first < end;) {
      const std::int64_t column = first % width;
      DirectPixels pixels{.rows = 1,
                          .columns = std::min(width - column, end - first),
                          .row_step = window_.stride_y * row_bytes};
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
    return (rows - 1) * window_.stride_y + (shape_.rows - 1) * window_.dilation_y + 1;
  }

  void copy_padded(const std::uint8_t* data, std::int64_t first, std::int64_t rows,
                   std::uint8_t* to) const {
    const std::int64_t bytes = padded_width_ * window_.channels;
    const std::int64_t before = std::min(window_.left * window_.channels, bytes);
    const std::int64_t inside = std::min(row_bytes_, bytes - before);
    const int padding = window_.pad_value;
    for (std::int64_t y = first; y < first + rows; ++y, to += bytes) {
      if (y < 0 || y >= window_.data_height) {
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
      data += window_.channels / groups_;
      if (target.sums != nullptr) target.sums += shape_.channels;
      target.channel += shape_.channels;
    }
  }

  ImageWindow window_;
  std::int64_t groups_;
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
  const ImageWindow window = window_of(problem);
  // Neighbouring columns are neighbouring bytes, unless others lie in between.
  const bool joined = problem.groups == 1 && problem.dilation[1] == 1;
  const DirectShape shape{.channels = weights[1],
                          .rows = weights[3],
                          .runs = joined ? 1 : weights[4],
                          .run_bytes = joined ? weights[4] * window.channels : weights[2],
                          .run_step = window.dilation_x * window.channels,
                          .pixel_step = window.stride_x * window.channels,
                          .sums_step = problem.groups * weights[1],
                          .is_signed = window.is_signed};
  return std::make_unique<DirectConvolution>(window, problem.groups, shape,
                                             channels_last(problem.weights));
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
  const ImageWindow window{
      .channels = depth, .data_width = elements / depth, .result_width = elements / depth};
  const DirectShape shape{.channels = units,
                          .run_bytes = depth,
                          .pixel_step = depth,
                          .sums_step = units,
                          .is_signed = data.dtype == ir::DType::kInt8};
  return std::make_unique<DirectConvolution>(window, 1, shape, weights);
}

}  // namespace tvmq::exec
