// Integer convolutions and dense layers by loops of our own. Internal to exec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace tvmq::exec {

/// Takes sums as they are computed.
class SumsReceiver {
 public:
  SumsReceiver() = default;
  SumsReceiver(const SumsReceiver&) = delete;
  SumsReceiver& operator=(const SumsReceiver&) = delete;
  virtual ~SumsReceiver() = default;

  /// sums[i * step + c]: pixels `pixel` + i, i < `pixels`, of the result, row by row, and channels
  /// `channel` + c, c < `channels`. They are valid during the call only.
  virtual void take(const std::int32_t* sums, std::int64_t step, std::int64_t pixel,
                    std::int64_t pixels, std::int64_t channel, std::int64_t channels) const = 0;
};

/// The int32 sums of a convolution of 8-bit images, channels innermost, for some pixels of the
/// result at a time. Immutable; run() is called from several threads at once.
class PixelSums {
 public:
  PixelSums() = default;
  PixelSums(const PixelSums&) = delete;
  PixelSums& operator=(const PixelSums&) = delete;
  virtual ~PixelSums() = default;

  /// sums[pixel][channel] of `count` pixels from `first` on, row by row, of the result that belongs
  /// to `image`. Both are multiples of good_count() of some number, or `count` reaches the end.
  /// With a receiver it is given the sums, and `sums` may be null. `scratch`: scratch_bytes(count)
  /// bytes, aligned to 64.
  virtual void run(const std::byte* image, std::int64_t first, std::int64_t count,
                   std::int32_t* sums, const SumsReceiver* receiver, std::byte* scratch) const = 0;

  /// How many pixels to compute at a time, about `most`.
  [[nodiscard]] virtual std::int64_t good_count(std::int64_t most) const = 0;
  [[nodiscard]] virtual std::size_t scratch_bytes(std::int64_t count) const = 0;
  /// Packed weights.
  [[nodiscard]] virtual std::size_t constant_bytes() const = 0;
  /// For logs: "direct:avx512_vnni".
  [[nodiscard]] virtual std::string description() const = 0;
};

/// Or the reason why there is none.
using PixelSumsChoice = std::variant<std::unique_ptr<const PixelSums>, std::string>;

}  // namespace tvmq::exec
