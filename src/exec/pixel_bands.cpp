#include "exec/pixel_bands.h"

#include <omp.h>

#include <algorithm>
#include <utility>

namespace tvmq::exec {
namespace {

constexpr std::size_t kAlignment = 64;
/// Sums of a band: 32 KB of the first-level cache.
constexpr std::int64_t kBandSums = 8 << 10;
/// Below this, starting threads costs more than they save.
constexpr std::int64_t kParallelSums = 1 << 14;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Finishes tiles of one image.
class TileFinisher final : public SumsReceiver {
 public:
  TileFinisher(const TileEpilogue& epilogue, const std::byte* bytes, std::byte* results)
      : epilogue_(epilogue), bytes_(bytes), results_(results) {}
  void take(const std::int32_t* sums, std::int64_t step, std::int64_t pixel, std::int64_t pixels,
            std::int64_t channel, std::int64_t channels) const override {
    epilogue_.run(sums, step, pixel, pixels, channel, channels, bytes_, results_);
  }

 private:
  const TileEpilogue& epilogue_;
  const std::byte* bytes_;
  std::byte* results_;
};

class PixelBands final : public FastKernel {
 public:
  PixelBands(const PixelBandsShape& shape, std::unique_ptr<const PixelSums> sums,
             PixelEpilogue epilogue)
      : shape_(shape),
        sums_(std::move(sums)),
        epilogue_(std::move(epilogue)),
        tiles_(std::get_if<TileEpilogue>(&epilogue_)),
        bandwise_(std::get_if<BandEpilogue>(&epilogue_)),
        count_(band_counts(shape, *sums_)[0]),
        bands_((shape.pixels + count_ - 1) / count_),
        threads_(shape.images * shape.pixels * shape.channels < kParallelSums
                     ? 1
                     : omp_get_max_threads()) {}

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(threads_) * bytes_of_a_thread();
  }
  std::size_t constant_bytes() const override {
    std::size_t bytes = sums_->constant_bytes();
    if (tiles_ != nullptr) bytes += tiles_->constant_bytes();
    if (bandwise_ != nullptr) bytes += bandwise_->constant_bytes();
    return bytes;
  }
  std::string description() const override {
    std::string text = sums_->description();
    if (tiles_ != nullptr) text += ", finished by tiles";
    if (bandwise_ != nullptr) text += ", " + bandwise_->description();
    return text + ", " + std::to_string(bands_) + " bands";
  }

  void run(const StepBuffers& buffers, KernelState* /*state*/) const override {
    const std::int64_t units = shape_.images * bands_;
    if (threads_ == 1) return run_bands(buffers, buffers.scratch, 0, units);
#pragma omp parallel num_threads(threads_)
    {
      const std::int64_t mine = omp_get_thread_num();
      const std::int64_t count = omp_get_num_threads();
      run_bands(buffers, buffers.scratch + static_cast<std::size_t>(mine) * bytes_of_a_thread(),
                units * mine / count, units * (mine + 1) / count);
    }
  }

 private:
  std::size_t bytes_of_sums() const {
    if (bandwise_ == nullptr) return 0;
    return aligned(static_cast<std::size_t>(count_ * shape_.channels) * sizeof(std::int32_t));
  }
  std::size_t bytes_of_a_thread() const {
    const std::size_t inner = bandwise_ != nullptr ? bandwise_->scratch_bytes() : 0;
    return bytes_of_sums() + aligned(std::max(sums_->scratch_bytes(count_), inner));
  }

  void run_bands(const StepBuffers& buffers, std::byte* scratch, std::int64_t begin,
                 std::int64_t end) const {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      run_band(buffers, scratch, unit / bands_, unit % bands_ * count_);
    }
  }

  void run_band(const StepBuffers& buffers, std::byte* scratch, std::int64_t image,
                std::int64_t first) const {
    const std::int64_t count = std::min(count_, shape_.pixels - first);
    const std::int64_t image_sums = shape_.pixels * shape_.channels;
    const std::byte* data = buffers.inputs[0] + image * shape_.data_image_bytes;
    if (tiles_ != nullptr) {  // results are bytes, as are what is added to them
      const std::byte* bytes =
          tiles_->reads_bytes() ? buffers.inputs[1] + image * image_sums : nullptr;
      const TileFinisher finisher(*tiles_, bytes, buffers.outputs[0] + image * image_sums);
      return sums_->run(data, first, count, nullptr, &finisher, scratch);
    }
    if (bandwise_ == nullptr) {
      auto* all = reinterpret_cast<std::int32_t*>(buffers.outputs[0]) + image * image_sums;
      return sums_->run(data, first, count, all + first * shape_.channels, nullptr, scratch);
    }
    auto* const sums = reinterpret_cast<std::int32_t*>(scratch);
    scratch += bytes_of_sums();
    sums_->run(data, first, count, sums, nullptr, scratch);
    bandwise_->run(count < count_ ? 1 : 0, image, first, sums, buffers.inputs, buffers.outputs[0],
                   scratch);
  }

  PixelBandsShape shape_;
  std::unique_ptr<const PixelSums> sums_;
  PixelEpilogue epilogue_;
  const TileEpilogue* tiles_;     ///< one of the kinds of epilogue_, or null
  const BandEpilogue* bandwise_;  ///< likewise
  std::int64_t count_;            ///< pixels of a band
  std::int64_t bands_;            ///< of an image
  int threads_;
};

}  // namespace

std::vector<std::int64_t> band_counts(const PixelBandsShape& shape, const PixelSums& sums) {
  const std::int64_t most = std::max<std::int64_t>(kBandSums / shape.channels, 1);
  const std::int64_t count = std::min(sums.good_count(most), shape.pixels);
  std::vector<std::int64_t> counts = {count};
  if (shape.pixels % count != 0) counts.push_back(shape.pixels % count);
  return counts;
}

std::unique_ptr<const FastKernel> make_pixel_bands(const PixelBandsShape& shape,
                                                   std::unique_ptr<const PixelSums> sums,
                                                   PixelEpilogue epilogue) {
  return std::make_unique<PixelBands>(shape, std::move(sums), std::move(epilogue));
}

}  // namespace tvmq::exec
