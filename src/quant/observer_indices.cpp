#include "quant/observer_indices.h"

#include <array>
#include <bit>
#include <cmath>

#include "base/error.h"

#if defined(__x86_64__)
#ifndef __clang__
// GCC 12 takes the undefined lanes inside its own header for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#define TVMQ_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#endif

namespace tvmq::quant {
namespace {

constexpr std::uint32_t kMagnitudeBits = 0x7FFFFFFF;
constexpr std::size_t kLanes = 16;

/// Adding 1.5 * 2^23 to a float of magnitude < 2^22 rounds it to the nearest integer, which then is
/// in the low bits of the sum.
constexpr float kRounder = 12582912.0F;
constexpr std::int32_t kRounderBits = 0x4B400000;

constexpr std::int32_t kZero = -1;

/// The bins of elements, clamped; kZero for zeros.
///
/// A float32 estimate of the position, in bins, is off by less than 0.001, so that the integer
/// nearest to it names the only edge that can be in doubt; that edge is computed as numpy does and
/// compared.
__attribute__((target_clones("arch=x86-64-v3", "default"))) void find_bins(const float* elements,
                                                                           std::size_t count,
                                                                           BinScale scale,
                                                                           std::int32_t* bins) {
  const float centre = static_cast<float>(scale.bins) / 2.0F;
  for (std::size_t i = 0; i < count; ++i) {
    const float x = elements[i];
    const float position = x * scale.bins_per_unit + centre;
    const std::int32_t nearest = std::bit_cast<std::int32_t>(position + kRounder) - kRounderBits;
    const auto edge =
        static_cast<float>(static_cast<double>(nearest) * scale.bin_width - scale.last_edge);
    const std::int32_t bin = nearest - static_cast<std::int32_t>(x < edge);
    const std::int32_t above = bin < 0 ? 0 : bin;
    const std::int32_t clamped = above >= scale.bins - 1 ? scale.bins - 1 : above;
    bins[i] = x == 0.0F ? kZero : clamped;
  }
}

#if defined(__x86_64__)

bool has_avx512() {
  static const bool has =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return has;
}

/// `indices` of the lanes in `kept`, side by side; returns how many.
TVMQ_AVX512 inline std::size_t keep(__m512i indices, __mmask16 kept, std::uint16_t* to) {
  const __m256i packed = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(kept, indices));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), packed);
  return static_cast<std::size_t>(std::popcount(kept));
}

/// The left edges of bins, as numpy computes them.
TVMQ_AVX512 inline __m256 edges(__m256i bins, const BinScale& scale) {
  const __m512d width = _mm512_set1_pd(scale.bin_width);
  const __m512d last = _mm512_set1_pd(scale.last_edge);
  return _mm512_cvtpd_ps(_mm512_sub_pd(_mm512_mul_pd(_mm512_cvtepi32_pd(bins), width), last));
}

/// Lanes whose value is below the left edge of bin `nearest`.
TVMQ_AVX512 inline __mmask16 below_edge(__m512 x, __m512i nearest, const BinScale& scale) {
  const __m256 low = edges(_mm512_castsi512_si256(nearest), scale);
  const __m256 high = edges(_mm512_extracti64x4_epi64(nearest, 1), scale);
  return _mm512_cmp_ps_mask(x, _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1),
                            _CMP_LT_OQ);
}

/// find_bins() and the compaction in one, the edges only where the estimate leaves a doubt.
TVMQ_AVX512 IndexedBlock index_bins_avx512(std::span<const float> elements, const BinScale& scale,
                                           std::uint16_t* indices) {
  constexpr float kDoubt = 0.002F;  // twice the error of the estimate
  const __m512 per_unit = _mm512_set1_ps(scale.bins_per_unit);
  const __m512 centre = _mm512_set1_ps(static_cast<float>(scale.bins) / 2.0F);
  const __m512i last_bin = _mm512_set1_epi32(scale.bins - 1);
  IndexedBlock result;
  for (std::size_t first = 0; first < elements.size(); first += kLanes) {
    const std::size_t rest = elements.size() - first;
    const auto present = static_cast<__mmask16>(rest < kLanes ? (1U << rest) - 1 : 0xFFFF);
    const __m512 x = _mm512_maskz_loadu_ps(present, elements.data() + first);
    const __mmask16 nonzero = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    const __m512 position = _mm512_add_ps(_mm512_mul_ps(x, per_unit), centre);
    const __m512i nearest = _mm512_cvtps_epi32(position);
    const __m512 offset = _mm512_sub_ps(position, _mm512_cvtepi32_ps(nearest));
    __mmask16 below = _mm512_movepi32_mask(_mm512_castps_si512(offset));
    // The upper limit of a clip is often met, but from there on all is one bin.
    const __mmask16 matters = _mm512_mask_cmple_epi32_mask(nonzero, nearest, last_bin);
    const __mmask16 in_doubt = _mm512_mask_cmp_ps_mask(matters, _mm512_abs_ps(offset),
                                                       _mm512_set1_ps(kDoubt), _CMP_NGT_UQ);
    if (in_doubt != 0) below = below_edge(x, nearest, scale);
    const __m512i bin = _mm512_mask_sub_epi32(nearest, below, nearest, _mm512_set1_epi32(1));
    // Unsigned: what is below the first bin counts as one of the last, too.
    const __mmask16 inner = _mm512_cmplt_epu32_mask(bin, last_bin);
    const auto kept = static_cast<__mmask16>(nonzero & inner);
    result.last +=
        static_cast<std::size_t>(std::popcount(static_cast<__mmask16>(nonzero & ~inner)));
    result.indices += keep(bin, kept, indices + result.indices);
  }
  result.zeros = elements.size() - result.indices - result.last;
  return result;
}

TVMQ_AVX512 IndexedBlock index_upper_bits_avx512(std::span<const float> elements,
                                                 std::uint16_t* indices) {
  IndexedBlock result;
  for (std::size_t first = 0; first < elements.size(); first += kLanes) {
    const std::size_t rest = elements.size() - first;
    const auto present = static_cast<__mmask16>(rest < kLanes ? (1U << rest) - 1 : 0xFFFF);
    const __m512i bits = _mm512_maskz_loadu_epi32(present, elements.data() + first);
    const __m512i magnitude = _mm512_and_si512(bits, _mm512_set1_epi32(0x7FFFFFFF));
    const __mmask16 nonzero = _mm512_test_epi32_mask(magnitude, magnitude);
    result.indices += keep(_mm512_srli_epi32(magnitude, 16), nonzero, indices + result.indices);
  }
  result.zeros = elements.size() - result.indices;
  return result;
}

#endif

}  // namespace

IndexedBlock index_bins_plain(std::span<const float> elements, const BinScale& scale,
                              std::uint16_t* indices) {
  std::array<std::int32_t, kIndexBlock> bins;
  find_bins(elements.data(), elements.size(), scale, bins.data());
  IndexedBlock result;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    indices[result.indices] = static_cast<std::uint16_t>(bins[i]);
    result.indices += static_cast<std::size_t>(bins[i] != kZero && bins[i] != scale.bins - 1);
    result.zeros += static_cast<std::size_t>(bins[i] == kZero);
  }
  result.last = elements.size() - result.indices - result.zeros;
  return result;
}

IndexedBlock index_upper_bits_plain(std::span<const float> elements, std::uint16_t* indices) {
  IndexedBlock result;
  for (const float x : elements) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(x) & kMagnitudeBits;
    indices[result.indices] = static_cast<std::uint16_t>(magnitude >> 16);
    result.indices += static_cast<std::size_t>(magnitude != 0);
  }
  result.zeros = elements.size() - result.indices;
  return result;
}

IndexedBlock index_bins(std::span<const float> elements, const BinScale& scale,
                        std::uint16_t* indices) {
  check(elements.size() <= kIndexBlock, "at most one block");
#if defined(__x86_64__)
  if (has_avx512()) return index_bins_avx512(elements, scale, indices);
#endif
  return index_bins_plain(elements, scale, indices);
}

IndexedBlock index_upper_bits(std::span<const float> elements, std::uint16_t* indices) {
  check(elements.size() <= kIndexBlock, "at most one block");
#if defined(__x86_64__)
  if (has_avx512()) return index_upper_bits_avx512(elements, indices);
#endif
  return index_upper_bits_plain(elements, indices);
}

}  // namespace tvmq::quant
