// Bytes made of bytes: dequantized, shifted or gated by channel, and requantized. By hand because
// compilers widen 64 bytes in steps that keep the unit for permutations busy.
#include "exec/avx512_vnni.h"
#include "exec/elementwise_loops.h"

namespace tvmq::exec::loops {
namespace {

constexpr int64_t kLanes = 16;

template <bool Signed, bool Gates, int Vectors>
TVMQ_VNNI_INLINE void run(const Instruction& in, const std::byte* bytes, const float* by,
                          std::byte* out, __mmask16 mask) {
  __m512 y[Vectors];
#define TVMQ_EACH _Pragma("GCC unroll 4") for (int64_t v = 0; v < Vectors; ++v)
  TVMQ_EACH {
    const __m128i narrow = _mm_maskz_loadu_epi8(mask, bytes + v * kLanes);
    y[v] = _mm512_cvtepi32_ps(Signed ? _mm512_cvtepi8_epi32(narrow) : _mm512_cvtepu8_epi32(narrow));
  }
  TVMQ_EACH y[v] = _mm512_sub_ps(y[v], _mm512_set1_ps(in.zero));
  TVMQ_EACH y[v] = _mm512_mul_ps(y[v], _mm512_set1_ps(in.unit));
  TVMQ_EACH {
    const __m512 other = _mm512_maskz_loadu_ps(mask, by + v * kLanes);
    y[v] = Gates ? _mm512_mul_ps(y[v], other) : _mm512_add_ps(y[v], other);
  }
  TVMQ_EACH y[v] = _mm512_mul_ps(y[v], _mm512_set1_ps(in.scale));
  TVMQ_EACH y[v] = _mm512_add_ps(y[v], _mm512_set1_ps(in.offset));
  // A NaN becomes the upper bound.
  TVMQ_EACH y[v] = _mm512_max_ps(_mm512_min_ps(y[v], _mm512_set1_ps(in.f1)), _mm512_set1_ps(in.f0));
  TVMQ_EACH _mm512_mask_cvtepi32_storeu_epi8(out + v * kLanes, mask, _mm512_cvttps_epi32(y[v]));
#undef TVMQ_EACH
}

template <bool Signed, bool Gates>
TVMQ_VNNI void run_all(const Instruction& in, std::byte* const* at, int64_t n) {
  constexpr __mmask16 kAll = 0xFFFF;
  const std::byte* bytes = at[in.a];
  const auto* by = reinterpret_cast<const float*>(at[in.b]);
  std::byte* out = at[in.out];
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    run<Signed, Gates, 4>(in, bytes + i, by + i, out + i, kAll);
  }
  for (; i < n; i += kLanes) {
    const int64_t lanes = n - i < kLanes ? n - i : kLanes;
    run<Signed, Gates, 1>(in, bytes + i, by + i, out + i,
                          static_cast<__mmask16>((1U << lanes) - 1U));
  }
}

}  // namespace

void run_bytes_avx512(const Instruction& in, std::byte* const* at, int64_t n) {
  const bool gates = in.code == Code::kGateBytes;
  if (in.i0 == 1) return gates ? run_all<false, true>(in, at, n) : run_all<false, false>(in, at, n);
  return gates ? run_all<true, true>(in, at, n) : run_all<true, false>(in, at, n);
}

}  // namespace tvmq::exec::loops
