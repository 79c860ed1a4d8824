#include "exec/depthwise_rows.h"

#include <algorithm>
#include <array>

#include "exec/avx512_vnni.h"

namespace tvmq::exec {
namespace {

constexpr std::int64_t kBlock = 64;  ///< channels that are loaded at a time
constexpr std::int64_t kLanes = 16;  ///< channels whose sums are one register
constexpr std::int64_t kRows = 4;    ///< kernel rows that one instruction sums up
constexpr std::int64_t kParts = kBlock / kLanes;

std::int64_t round_up(std::int64_t value, std::int64_t to) { return (value + to - 1) / to * to; }
std::int64_t row_groups(const ImageWindow& shape) {
  return (shape.kernel_height + kRows - 1) / kRows;
}
/// Bytes of the weights of 16 channels.
std::int64_t packed_bytes(const ImageWindow& shape) {
  return row_groups(shape) * shape.kernel_width * kBlock;
}
/// Columns of data that a row of the result reads, padding included.
std::int64_t columns(const ImageWindow& shape) {
  return (shape.result_width - 1) * shape.stride_x + (shape.kernel_width - 1) * shape.dilation_x +
         1;
}

}  // namespace

std::int64_t rows_together(const ImageWindow& shape) {
  if (shape.stride_y != 1 || shape.dilation_y != 1) return 1;
  return row_groups(shape) * kRows - shape.kernel_height + 1;
}

DepthwiseWeights::DepthwiseWeights(const ImageWindow& shape, const std::int8_t* weights) {
  const std::int64_t padded = round_up(shape.channels, kBlock);
  const std::int64_t taps = shape.kernel_height * shape.kernel_width;
  const std::int64_t groups = row_groups(shape);
  const std::int64_t together = rows_together(shape);
  const std::int64_t row_bytes = padded / kLanes * packed_bytes(shape);
  plain.resize(static_cast<std::size_t>(taps * shape.channels));
  packed.resize(static_cast<std::size_t>(together * row_bytes));
  start.resize(static_cast<std::size_t>(padded));
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    std::int32_t sum = 0;
    for (std::int64_t ky = 0; ky < shape.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < shape.kernel_width; ++kx) {
        const std::int8_t weight =
            weights[(c * shape.kernel_height + ky) * shape.kernel_width + kx];
        // NOLINTNEXTLINE(bugprone-signed-char-misuse): a number, not a character
        plain[(ky * shape.kernel_width + kx) * shape.channels + c] = weight;
        for (std::int64_t row = 0; row < together; ++row) {
          const std::int64_t at = ky + row;
          const std::int64_t vector = (c / kLanes * shape.kernel_width + kx) * groups + at / kRows;
          packed[row * row_bytes + (vector * kLanes + c % kLanes) * kRows + at % kRows] = weight;
        }
        sum += weight;
      }
    }
    if (shape.is_signed) start[c] = -128 * sum;
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
depthwise_row_plain(const ImageWindow& shape, const DepthwiseWeights& weights,
                    const std::uint8_t* data, std::int64_t y, std::int32_t* sums) {
  const std::int64_t channels = shape.channels;
  // Signed bytes without a branch in the loop: flip the sign bit, subtract what that adds.
  const std::uint8_t flip = shape.is_signed ? 0x80 : 0;
  const std::int32_t shift = shape.is_signed ? 128 : 0;
  const std::vector<std::uint8_t> padding(static_cast<std::size_t>(channels), shape.pad_value);
  for (std::int64_t x = 0; x < shape.result_width; ++x) {
    std::int32_t* to = sums + x * channels;
    std::fill_n(to, channels, 0);
    for (std::int64_t ky = 0; ky < shape.kernel_height; ++ky) {
      const std::int64_t from_y = y * shape.stride_y - shape.top + ky * shape.dilation_y;
      for (std::int64_t kx = 0; kx < shape.kernel_width; ++kx) {
        const std::int64_t from_x = x * shape.stride_x - shape.left + kx * shape.dilation_x;
        const bool inside =
            from_y >= 0 && from_y < shape.data_height && from_x >= 0 && from_x < shape.data_width;
        if (!inside && shape.pad_value == 0) continue;
        const std::uint8_t* pixel =
            inside ? data + (from_y * shape.data_width + from_x) * channels : padding.data();
        const std::int16_t* tap = weights.plain.data() + (ky * shape.kernel_width + kx) * channels;
        for (std::int64_t c = 0; c < channels; ++c) {
          to[c] += (static_cast<std::int32_t>(pixel[c] ^ flip) - shift) * tap[c];
        }
      }
    }
  }
}

namespace {

/// For each of 64 channels the bytes of four rows side by side, 16 channels per register, in the
/// order of the channels.
struct Column {
  __m512i part[kParts];
};

/// Flipping the sign bit makes a byte of int8 one of uint8 that is 128 larger.
template <bool Signed>
TVMQ_VNNI_INLINE __m512i as_unsigned(__m512i bytes) {
  if constexpr (Signed) return _mm512_xor_si512(bytes, _mm512_set1_epi8(-128));
  return bytes;
}

template <bool Signed>
TVMQ_VNNI_INLINE __m512i load(const std::uint8_t* pixel, __mmask64 mask) {
  // For unpacking, lane i must hold every fourth group of four channels.
  return as_unsigned<Signed>(transpose_groups(_mm512_maskz_loadu_epi8(mask, pixel)));
}

/// The first `Parts` parts: 1, 2 or all.
template <int Parts>
TVMQ_VNNI_INLINE Column interleave(__m512i a, __m512i b, __m512i c, __m512i d) {
  Column column;
  const __m512i ab_low = _mm512_unpacklo_epi8(a, b);
  const __m512i cd_low = _mm512_unpacklo_epi8(c, d);
  column.part[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
  if constexpr (Parts > 1) column.part[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
  if constexpr (Parts > 2) {
    const __m512i ab_high = _mm512_unpackhi_epi8(a, b);
    const __m512i cd_high = _mm512_unpackhi_epi8(c, d);
    column.part[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
    column.part[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
  }
  return column;
}

/// Where the pixels of a row start, and how many bytes on the next one is: 0 in a row of padding.
struct Row {
  const std::uint8_t* pixels = nullptr;
  std::int64_t step = 0;
};

/// The columns of `Rows` rows of data, the others being zeros: to[part][x], 64 bytes each.
template <int Rows, int Parts, bool Signed>
TVMQ_VNNI void fill_columns(const ImageWindow& shape, const Row* rows, __mmask64 mask,
                            std::int64_t stride, std::byte* to) {
  const std::int64_t width = columns(shape);
  const std::int64_t begin = std::min(shape.left, width);
  const std::int64_t end = std::min(shape.left + shape.data_width, width);
  const __m512i padding = as_unsigned<Signed>(_mm512_set1_epi8(static_cast<char>(shape.pad_value)));
  for (std::int64_t p = 0; p < Parts; ++p) {
    std::byte* const part = to + p * stride;
    for (std::int64_t x = 0; x < begin; ++x) _mm512_store_si512(part + x * kBlock, padding);
    for (std::int64_t x = end; x < width; ++x) _mm512_store_si512(part + x * kBlock, padding);
  }
  const std::uint8_t* from[Rows];
  for (int r = 0; r < Rows; ++r) from[r] = rows[r].pixels;
  for (std::int64_t x = begin; x < end; ++x) {
    __m512i pixels[kRows] = {};
    for (int r = 0; r < Rows; ++r) {
      pixels[r] = load<Signed>(from[r], mask);
      from[r] += rows[r].step;
    }
    const Column column = interleave<Parts>(pixels[0], pixels[1], pixels[2], pixels[3]);
    for (std::int64_t p = 0; p < Parts; ++p) {
      _mm512_store_si512(to + p * stride + x * kBlock, column.part[p]);
    }
  }
}

/// For the channels that there are.
template <int Rows, bool Signed>
void fill_columns(const ImageWindow& shape, const Row* rows, std::int64_t channels,
                  std::int64_t stride, std::byte* to) {
  const __mmask64 mask = ~__mmask64{0} >> (kBlock - channels);
  if (channels <= kLanes) return fill_columns<Rows, 1, Signed>(shape, rows, mask, stride, to);
  if (channels <= 2 * kLanes) return fill_columns<Rows, 2, Signed>(shape, rows, mask, stride, to);
  fill_columns<Rows, kParts, Signed>(shape, rows, mask, stride, to);
}

template <bool Signed>
void fill_columns(const ImageWindow& shape, const Row* rows, std::int64_t count,
                  std::int64_t channels, std::int64_t stride, std::byte* to) {
  switch (count) {
    case 1:
      return fill_columns<1, Signed>(shape, rows, channels, stride, to);
    case 2:
      return fill_columns<2, Signed>(shape, rows, channels, stride, to);
    case 3:
      return fill_columns<3, Signed>(shape, rows, channels, stride, to);
    default:
      return fill_columns<4, Signed>(shape, rows, channels, stride, to);
  }
}

/// The columns of the `count` rows of data from `from_y` on, of the channels from `block` on.
void arrange(const ImageWindow& shape, const std::uint8_t* data, std::int64_t from_y,
             std::int64_t count, std::int64_t block, std::byte* to) {
  const std::int64_t stride = columns(shape) * kBlock;  // of a part
  const std::int64_t channels = std::min(shape.channels - block, kBlock);
  std::array<std::uint8_t, kBlock> padding;
  padding.fill(shape.pad_value);
  for (std::int64_t first = 0; first < count; first += kRows, to += kParts * stride) {
    Row rows[kRows];
    const std::int64_t in_group = std::min(count - first, kRows);
    for (std::int64_t r = 0; r < in_group; ++r) {
      const std::int64_t from = from_y + (first + r) * shape.dilation_y;
      const bool inside = from >= 0 && from < shape.data_height;
      rows[r] = inside
                    ? Row{data + from * shape.data_width * shape.channels + block, shape.channels}
                    : Row{padding.data(), 0};
    }
    if (shape.is_signed) {
      fill_columns<true>(shape, rows, in_group, channels, stride, to);
    } else {
      fill_columns<false>(shape, rows, in_group, channels, stride, to);
    }
  }
}

/// Sums of 16 channels along a row. `Taps` weights stay in registers.
template <int Taps>
TVMQ_VNNI void sum_row(const ImageWindow& shape, const std::byte* const* taps,
                       const std::int8_t* weights, __m512i start, __mmask16 mask,
                       std::int32_t* sums, std::int64_t sums_step) {
  __m512i weight[Taps];
  for (int t = 0; t < Taps; ++t) {
    weight[t] = _mm512_loadu_si512(weights + std::int64_t{t} * kBlock);
  }
  const std::byte* from[Taps];
  for (int t = 0; t < Taps; ++t) from[t] = taps[t];
  const std::int64_t step = shape.stride_x * kBlock;
  const std::int64_t end = shape.result_width * step;
  for (std::int64_t offset = 0; offset < end; offset += step, sums += sums_step) {
    __m512i sum = start;
#pragma GCC unroll 16
    for (int t = 0; t < Taps; ++t) {
      sum = _mm512_dpbusd_epi32(sum, _mm512_load_si512(from[t] + offset), weight[t]);
    }
    _mm512_mask_storeu_epi32(sums, mask, sum);
  }
}

TVMQ_VNNI void sum_row_of_any(std::int64_t count, const ImageWindow& shape,
                              const std::byte* const* taps, const std::int8_t* weights,
                              __m512i start, __mmask16 mask, std::int32_t* sums,
                              std::int64_t sums_step) {
  for (std::int64_t x = 0; x < shape.result_width; ++x) {
    const std::int64_t offset = x * shape.stride_x * kBlock;
    __m512i sum = start;
    for (std::int64_t t = 0; t < count; ++t) {
      sum = _mm512_dpbusd_epi32(sum, _mm512_load_si512(taps[t] + offset),
                                _mm512_loadu_si512(weights + t * kBlock));
    }
    _mm512_mask_storeu_epi32(sums + x * sums_step, mask, sum);
  }
}

/// Which weights a sum is made with: those of row `row` of the rows together, of 16 channels.
struct Part {
  std::int64_t row = 0;
  std::int64_t channel = 0;
};

/// The sums of 16 channels along a row, from the columns of their part. `taps`: room for the
/// columns that a pixel is made of.
TVMQ_VNNI void sum_part(const ImageWindow& shape, const DepthwiseWeights& weights, const Part& part,
                        const std::byte* columns_of_part, const std::byte** taps,
                        std::int32_t* sums, std::int64_t sums_step) {
  const std::int64_t groups = row_groups(shape);
  const std::int64_t count = shape.kernel_width * groups;
  const std::int64_t group_bytes = kParts * columns(shape) * kBlock;
  for (std::int64_t kx = 0; kx < shape.kernel_width; ++kx) {
    for (std::int64_t g = 0; g < groups; ++g) {
      taps[kx * groups + g] = columns_of_part + g * group_bytes + kx * shape.dilation_x * kBlock;
    }
  }
  const std::int64_t row_bytes = round_up(shape.channels, kBlock) / kLanes * packed_bytes(shape);
  const std::int8_t* packed =
      weights.packed.data() + part.row * row_bytes + part.channel / kLanes * packed_bytes(shape);
  const __m512i start = _mm512_loadu_si512(weights.start.data() + part.channel);
  const auto lanes = static_cast<int>(std::min(shape.channels - part.channel, kLanes));
  const auto mask = static_cast<__mmask16>((1U << lanes) - 1U);
  switch (count) {
    case 3:  // 3 x 3
      return sum_row<3>(shape, taps, packed, start, mask, sums, sums_step);
    case 10:  // 5 x 5
      return sum_row<10>(shape, taps, packed, start, mask, sums, sums_step);
    default:
      sum_row_of_any(count, shape, taps, packed, start, mask, sums, sums_step);
  }
}

}  // namespace

std::size_t depthwise_scratch_bytes(const ImageWindow& shape) {
  const std::int64_t taps = shape.kernel_width * row_groups(shape);
  return static_cast<std::size_t>(row_groups(shape) * kParts * columns(shape) * kBlock +
                                  round_up(taps * std::int64_t{sizeof(std::byte*)}, kBlock));
}

TVMQ_VNNI void depthwise_rows_vnni(const ImageWindow& shape, const DepthwiseWeights& weights,
                                   const std::uint8_t* data, std::int64_t y, std::int64_t rows,
                                   std::int32_t* sums, const SumsReceiver* receiver,
                                   std::byte* scratch) {
  const std::int64_t width = shape.result_width;
  const std::int64_t sums_step = receiver == nullptr ? shape.channels : kBlock;
  const std::int64_t groups = row_groups(shape);
  const std::int64_t stride = columns(shape) * kBlock;  // of a part
  auto* taps = reinterpret_cast<const std::byte**>(scratch + groups * kParts * stride);
  for (std::int64_t block = 0; block < shape.channels; block += kBlock) {
    const std::int64_t in_block = std::min(shape.channels - block, kBlock);
    arrange(shape, data, y * shape.stride_y - shape.top, shape.kernel_height + rows - 1, block,
            scratch);
    for (std::int64_t row = 0; row < rows; ++row) {
      std::int32_t* const to =
          receiver == nullptr ? sums + row * width * shape.channels + block : sums;
      for (std::int64_t part = 0; part * kLanes < in_block; ++part) {
        sum_part(shape, weights, {.row = row, .channel = block + part * kLanes},
                 scratch + part * stride, taps, to + part * kLanes, sums_step);
      }
      if (receiver != nullptr) {
        receiver->take(sums, kBlock, (y + row) * width, width, block, in_block);
      }
    }
  }
}

}  // namespace tvmq::exec
