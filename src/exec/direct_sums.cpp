#include "exec/direct_sums.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "exec/avx512_vnni.h"

namespace tvmq::exec {
namespace {

constexpr std::int64_t kLanes = 16;   ///< channels whose sums are one register
constexpr std::int64_t kBytes = 4;    ///< that one instruction sums up
constexpr std::int64_t kVectors = 2;  ///< registers of channels: with 14 pixels 28 of 32 registers
constexpr std::int64_t kWeightsAhead =
    4096;  ///< bytes, so that they come from the third-level cache in time
constexpr std::int64_t kVectorBytes = kLanes * kBytes;

std::int64_t divide_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

/// (channels, bytes) to (bytes, channels).
ir::Tensor transposed(std::span<const std::int8_t> weights, std::int64_t channels) {
  const std::int64_t depth = static_cast<std::int64_t>(weights.size()) / channels;
  ir::Tensor result(ir::DType::kInt8, {depth, channels});
  const auto to = result.mutable_data<std::int8_t>();
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t k = 0; k < depth; ++k) to[k * channels + c] = weights[c * depth + k];
  }
  return result;
}

/// Where in an image each four bytes begin.
ir::Tensor offsets_of(const DirectShape& shape) {
  const std::int64_t groups = divide_up(shape.run_bytes, kBytes);
  ir::Tensor result(ir::DType::kInt64, {shape.rows, shape.runs, groups});
  const auto to = result.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < result.size(); ++i) {
    to[i] = i / groups / shape.runs * shape.row_step + i / groups % shape.runs * shape.run_step +
            std::min(i % groups * kBytes, shape.run_bytes - kBytes);
  }
  return result;
}

ir::Tensor packed(const DirectShape& shape, std::span<const std::int8_t> weights) {
  const std::int64_t vectors = divide_up(shape.channels, kLanes);
  const std::int64_t groups = divide_up(shape.run_bytes, kBytes);
  const std::int64_t runs = shape.rows * shape.runs;
  ir::Tensor result = ir::Tensor::zeros(ir::DType::kInt8, {vectors, runs, groups, kLanes, kBytes});
  const auto to = result.mutable_data<std::int8_t>();
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    const std::int64_t block = c / kLanes / kVectors * kVectors;
    const std::int64_t in_block = std::min(kVectors, vectors - block);
    for (std::int64_t k = 0; k < runs * shape.run_bytes; ++k) {
      const std::int64_t run = k / shape.run_bytes;
      const std::int64_t in_run = k % shape.run_bytes;
      const std::int64_t group = in_run / kBytes;
      const std::int64_t begin = std::min(group * kBytes, shape.run_bytes - kBytes);
      const std::int64_t vector =
          block * runs * groups + (run * groups + group) * in_block + c / kLanes - block;
      to[(vector * kLanes + c % kLanes) * kBytes + in_run - begin] =
          weights[c * runs * shape.run_bytes + k];
    }
  }
  return result;
}

}  // namespace

DirectWeights::DirectWeights(const DirectShape& shape, std::span<const std::int8_t> weights,
                             bool for_vnni)
    : order(for_vnni ? packed(shape, weights) : transposed(weights, shape.channels)),
      start(ir::Tensor::zeros(ir::DType::kInt32, {divide_up(shape.channels, kLanes) * kLanes})) {
  if (for_vnni) offsets = offsets_of(shape);
  if (!shape.is_signed) return;
  const auto depth = static_cast<std::int64_t>(weights.size()) / shape.channels;
  const auto to = start.mutable_data<std::int32_t>();
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    for (std::int64_t k = 0; k < depth; ++k) to[c] -= 128 * weights[c * depth + k];
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
direct_sums_plain(const DirectShape& shape, const DirectWeights& weights, const std::uint8_t* data,
                  const DirectPixels& pixels, const DirectTarget& target) {
  const std::uint8_t flip = shape.is_signed ? 0x80 : 0;
  const std::int64_t channels = shape.channels;
  const auto* start = weights.start.data<std::int32_t>().data();
  std::vector<std::int32_t> own(static_cast<std::size_t>(channels));
  for (std::int64_t p = 0; p < pixels.rows * pixels.columns; ++p) {
    std::int32_t* to = target.receiver != nullptr ? own.data() : target.sums + p * shape.sums_step;
    const std::uint8_t* pixel =
        data + p / pixels.columns * pixels.row_step + p % pixels.columns * shape.pixel_step;
    std::copy_n(start, channels, to);
    const auto* weight = weights.order.data<std::int8_t>().data();
    for (std::int64_t row = 0; row < shape.rows; ++row) {
      for (std::int64_t run = 0; run < shape.runs; ++run) {
        const std::uint8_t* from = pixel + row * shape.row_step + run * shape.run_step;
        for (std::int64_t i = 0; i < shape.run_bytes; ++i, weight += channels) {
          const std::int32_t byte = from[i] ^ flip;
          for (std::int64_t c = 0; c < channels; ++c) to[c] += byte * weight[c];
        }
      }
    }
    if (target.receiver != nullptr) {
      target.receiver->take(to, channels, target.pixel + p, 1, target.channel, channels);
    }
  }
}

namespace {

/// Some pixels of one or two registers of channels: neighbours, the second half of them perhaps in
/// another row than the first.
struct Tile {
  const std::uint8_t* data = nullptr;
  std::int64_t pixel_step = 0;
  std::int64_t half_step = 0;  ///< bytes from what the first pixel reads to the second half's first
  std::int64_t ahead_step = 0;  ///< bytes of the next pixels to ask for with every four bytes
  std::span<const std::int64_t> offsets;
  const std::int8_t* weights = nullptr;
  const std::int32_t* start = nullptr;
  std::int32_t* sums = nullptr;
  std::int64_t sums_step = 0;
};

template <int Pixels, int Vectors, bool Signed>
TVMQ_VNNI void sum_tile(const Tile& tile) {
  constexpr int kHalf = Pixels / 2;
  __m512i sums[Pixels][Vectors];
#pragma GCC unroll 32
  for (int p = 0; p < Pixels; ++p) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) sums[p][v] = _mm512_load_si512(tile.start + v * kLanes);
  }
  const std::int8_t* weights = tile.weights;
  const std::int64_t step = tile.pixel_step;
  // One loop, and whole registers behind it: else GCC 12 keeps the sums in memory all the time.
  const std::uint8_t* ahead = tile.data + Pixels * step;
  for (const std::int64_t offset : tile.offsets) {
    const std::uint8_t* bytes = tile.data + offset;
    const std::uint8_t* second = bytes + tile.half_step;
    _mm_prefetch(ahead, _MM_HINT_T0);  // what the next pixels read, while these are computed
    ahead += tile.ahead_step;
    __m512i weight[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) weight[v] = _mm512_load_si512(weights + v * kVectorBytes);
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      _mm_prefetch(weights + kWeightsAhead + v * kVectorBytes, _MM_HINT_T0);
    }
    weights += Vectors * kVectorBytes;
#pragma GCC unroll 32
    for (int p = 0; p < Pixels; ++p) {
      std::int32_t four = 0;
      std::memcpy(&four, p < kHalf ? bytes + p * step : second + (p - kHalf) * step, kBytes);
      __m512i repeated = _mm512_set1_epi32(four);
      if constexpr (Signed) repeated = _mm512_xor_si512(repeated, _mm512_set1_epi8(-128));
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) {
        sums[p][v] = _mm512_dpbusd_epi32(sums[p][v], repeated, weight[v]);
      }
    }
  }
#pragma GCC unroll 32
  for (int p = 0; p < Pixels; ++p) {
    std::int32_t* to = tile.sums + p * tile.sums_step;
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) _mm512_storeu_si512(to + v * kLanes, sums[p][v]);
  }
}

using SumTile = void (*)(const Tile&);
template <int Vectors, bool Signed, int... PixelsLessOne>
constexpr auto tiles_of(std::integer_sequence<int, PixelsLessOne...> /*all*/) {
  return std::array<SumTile, sizeof...(PixelsLessOne)>{
      sum_tile<PixelsLessOne + 1, Vectors, Signed>...};
}
/// As many sums as there are registers for.
constexpr std::int64_t most_pixels(std::int64_t vectors) {
  return kDirectPixels * kVectors / vectors;
}
template <int Vectors, bool Signed>
constexpr auto kTiles =
    tiles_of<Vectors, Signed>(std::make_integer_sequence<int, most_pixels(Vectors)>{});

/// By pixels - 1.
std::span<const SumTile> tiles_for(std::int64_t vectors, bool is_signed) {
  if (vectors == 1) return is_signed ? std::span<const SumTile>(kTiles<1, true>) : kTiles<1, false>;
  return is_signed ? std::span<const SumTile>(kTiles<2, true>) : kTiles<2, false>;
}

}  // namespace

void direct_sums_vnni(const DirectShape& shape, const DirectWeights& weights,
                      const std::uint8_t* data, const DirectPixels& pixels,
                      const DirectTarget& target) {
  constexpr std::int64_t kTileChannels = kVectors * kLanes;
  alignas(64) std::array<std::int32_t, kDirectPixels * kTileChannels> aside;
  const std::int64_t vectors = divide_up(shape.channels, kLanes);
  const auto* start = weights.start.data<std::int32_t>().data();
  Tile tile{.pixel_step = shape.pixel_step, .offsets = weights.offsets.data<std::int64_t>()};
  const std::int64_t vector_bytes = weights.offsets.size() * kVectorBytes;
  for (std::int64_t vector = 0; vector < vectors; vector += kVectors) {
    const std::int64_t width = std::min(kVectors, vectors - vector);
    const std::int64_t channels = std::min(shape.channels - vector * kLanes, kTileChannels);
    const std::span<const SumTile> tiles = tiles_for(width, shape.is_signed);
    // Tiles of about the same number of pixels: the more, the better for all of them.
    const std::int64_t most = most_pixels(width);
    const std::int64_t count = divide_up(pixels.columns, most);
    const std::int64_t least = pixels.columns / count;
    tile.ahead_step = divide_up((least + 1) * shape.pixel_step, weights.offsets.size());
    const std::int64_t with_one_more = pixels.columns % count;
    const std::int64_t joined = 2 * pixels.columns <= most ? 2 : 1;  // rows in a tile
    tile.weights = weights.order.data<std::int8_t>().data() + vector * vector_bytes;
    tile.start = start + vector * kLanes;
    // Sums go to memory at once if they are whole registers and nobody takes them.
    const bool is_aside = target.receiver != nullptr || channels != width * kLanes;
    tile.sums_step = is_aside ? width * kLanes : shape.sums_step;
    std::int64_t pixel = 0;
    for (std::int64_t row = 0; row < pixels.rows; row += joined) {
      tile.data = data + row * pixels.row_step;
      const std::int64_t rows = std::min(joined, pixels.rows - row);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t in_tile = rows * (least + (i < with_one_more ? 1 : 0));
        tile.half_step = rows == 2 ? pixels.row_step : in_tile / 2 * shape.pixel_step;
        // Who has a receiver has no sums.
        std::int32_t* const to = target.receiver != nullptr
                                     ? nullptr
                                     : target.sums + pixel * shape.sums_step + vector * kLanes;
        tile.sums = is_aside ? aside.data() : to;
        tiles[in_tile - 1](tile);
        if (target.receiver != nullptr) {
          target.receiver->take(aside.data(), tile.sums_step, target.pixel + pixel, in_tile,
                                target.channel + vector * kLanes, channels);
        } else if (is_aside) {
          for (std::int64_t p = 0; p < in_tile; ++p) {
            std::copy_n(aside.data() + p * tile.sums_step, channels, to + p * shape.sums_step);
          }
        }
        tile.data += in_tile * shape.pixel_step;
        pixel += in_tile;
      }
    }
  }
}

}  // namespace tvmq::exec
