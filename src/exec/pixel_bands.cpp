#include "exec/pixel_bands.h"

#include <omp.h>

#include <algorithm>
#include <utility>

#include "exec/parallel.h"

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
             PixelEpilogue epilogue, std::optional<BandElementwise> prologue)
      : shape_(shape),
        sums_(std::move(sums)),
        epilogue_(std::move(epilogue)),
        tiles_(std::get_if<TileEpilogue>(&epilogue_)),
        bandwise_(std::get_if<BandElementwise>(&epilogue_)),
        prologue_(std::move(prologue)),
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
    if (prologue_) bytes += prologue_->constant_bytes();
    return bytes;
  }
  std::string description() const override {
    std::string text = prologue_ ? prologue_->description() + ", " : "";
    text += sums_->description();
    if (tiles_ != nullptr) text += ", finished by tiles";
    if (bandwise_ != nullptr) text += ", " + bandwise_->description();
    return text + ", " + std::to_string(bands_) + " bands";
  }

  void run(const StepBuffers& buffers, KernelState* /*state*/) const override {
    const auto of_a_thread = static_cast<std::int64_t>(bytes_of_a_thread());
    share_units(threads_, shape_.images * bands_,
                [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
                  run_bands(buffers, buffers.scratch + thread * of_a_thread, begin, end);
                });
  }

 private:
  std::size_t bytes_of_data() const {
    return prologue_ ? aligned(static_cast<std::size_t>(count_ * prologue_->pixel_bytes())) : 0;
  }
  std::size_t bytes_of_sums() const {
    if (bandwise_ == nullptr) return 0;
    return aligned(static_cast<std::size_t>(count_ * shape_.channels) * sizeof(std::int32_t));
  }
  std::size_t bytes_of_a_thread() const {
    std::size_t inner = sums_->scratch_bytes(count_);
    if (bandwise_ != nullptr) inner = std::max(inner, bandwise_->scratch_bytes());
    if (prologue_) inner = std::max(inner, prologue_->scratch_bytes());
    return bytes_of_data() + bytes_of_sums() + aligned(inner);
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
    const std::size_t which = count < count_ ? 1 : 0;
    std::byte* const own_data = scratch;
    auto* const own_sums = reinterpret_cast<std::int32_t*>(scratch + bytes_of_data());
    scratch += bytes_of_data() + bytes_of_sums();
    const std::byte* data = buffers.inputs[0] + image * shape_.data_image_bytes;
    std::int64_t pixel = first;  // of `data`
    std::span<const std::byte* const> others = buffers.inputs.subspan(1);
    if (prologue_) {
      prologue_->run(which, image, first, nullptr, buffers.inputs, own_data, scratch);
      data = own_data;
      pixel = 0;
      others = buffers.inputs.subspan(prologue_->count_inputs());
    }
    const std::int64_t place = image * shape_.pixels + first;  // of the band, in pixels
    if (tiles_ != nullptr) {  // results are bytes, as are what is added to them
      const std::int64_t origin = (place - pixel) * shape_.channels;
      const TileFinisher finisher(*tiles_, tiles_->reads_bytes() ? others[0] + origin : nullptr,
                                  buffers.outputs[0] + origin);
      return sums_->run(data, pixel, count, nullptr, &finisher, scratch);
    }
    if (bandwise_ == nullptr) {
      auto* const result = reinterpret_cast<std::int32_t*>(buffers.outputs[0]);
      return sums_->run(data, pixel, count, result + place * shape_.channels, nullptr, scratch);
    }
    sums_->run(data, pixel, count, own_sums, nullptr, scratch);
    bandwise_->run(which, image, first, own_sums, others,
                   buffers.outputs[0] + place * bandwise_->pixel_bytes(), scratch);
  }

  PixelBandsShape shape_;
  std::unique_ptr<const PixelSums> sums_;
  PixelEpilogue epilogue_;
  const TileEpilogue* tiles_;        ///< one of the kinds of epilogue_, or null
  const BandElementwise* bandwise_;  ///< likewise
  std::optional<BandElementwise> prologue_;
  std::int64_t count_;  ///< pixels of a band
  std::int64_t bands_;  ///< of an image
  int threads_;
};

}  // namespace

std::vector<std::int64_t> band_counts(const PixelBandsShape& shape, const PixelSums& sums) {
  // Of what is made, half as many bytes: the weights need their place, too.
  const std::int64_t each = std::max(shape.channels, shape.made_bytes / 2);
  const std::int64_t most = std::max<std::int64_t>(kBandSums / each, 1);
  const std::int64_t count = std::min(sums.good_count(most), shape.pixels);
  std::vector<std::int64_t> counts = {count};
  if (shape.pixels % count != 0) counts.push_back(shape.pixels % count);
  return counts;
}

std::unique_ptr<const FastKernel> make_pixel_bands(const PixelBandsShape& shape,
                                                   std::unique_ptr<const PixelSums> sums,
                                                   PixelEpilogue epilogue,
                                                   std::optional<BandElementwise> prologue) {
  return std::make_unique<PixelBands>(shape, std::move(sums), std::move(epilogue),
                                      std::move(prologue));
}

}  // namespace tvmq::exec
