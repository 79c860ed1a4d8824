#include "exec/tile_loops.h"

#include "exec/avx512_vnni.h"

namespace tvmq::exec {
namespace {

constexpr std::int64_t kLanes = 16;
constexpr float kSwishBound = 87;

TVMQ_VNNI_INLINE __m512 number(float x) { return _mm512_set1_ps(x); }
/// As the instructions clip: a NaN becomes `high`.
TVMQ_VNNI_INLINE __m512 clip(__m512 x, __m512 low, __m512 high) {
  return _mm512_max_ps(_mm512_min_ps(x, high), low);
}

#define TVMQ_EACH _Pragma("GCC unroll 4") for (int i = 0; i < Count; ++i)

/// What all pixels of up to 16 channels have in common.
struct Channels {
  __mmask16 mask;
  __m512i bias;
  __m512 factor;
  __m512 shift;
  __m512 scale;
};

/// Each makes y of `Count` vectors x = float(sum + bias) * factor.
struct Plain {
  __m512 offset;
  explicit TVMQ_VNNI_INLINE Plain(const Instruction& in) : offset(number(in.offset)) {}
  template <int Count>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels& /*channels*/) const {
    TVMQ_EACH x[i] = _mm512_add_ps(x[i], offset);
  }
};

struct Floor {
  __m512 offset;
  explicit TVMQ_VNNI_INLINE Floor(const Instruction& in) : offset(number(in.offset)) {}
  template <int Count>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels& /*channels*/) const {
    TVMQ_EACH x[i] = _mm512_roundscale_ps(_mm512_add_ps(x[i], offset),
                                          _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  }
};

template <bool Shifts>
struct Clipped {
  __m512 low;
  __m512 high;
  __m512 offset;
  explicit TVMQ_VNNI_INLINE Clipped(const Instruction& in)
      : low(number(in.f2)), high(number(in.f3)), offset(number(in.offset)) {}
  template <int Count>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels& channels) const {
    if constexpr (Shifts) {
      TVMQ_EACH x[i] = _mm512_add_ps(x[i], channels.shift);
    }
    TVMQ_EACH x[i] = clip(x[i], low, high);
    TVMQ_EACH x[i] = _mm512_add_ps(_mm512_mul_ps(x[i], channels.scale), offset);
  }
};

/// The operations are those of fast_exp() (fast_exp.h) and 1 / (1 + that), in their order, but for
/// what makes no difference: x comes with its sign turned; it is bounded by 87, not 88.376, since
/// numbers too small to be normal are slow, and beyond either bound nothing of 1 / (1 + that) is
/// left in what is stored (kLargestSwish). They depend on each other from the first
/// to the last: several vectors at once keep the CPU busy. It has instructions for bounds with a
/// sign, for rounding down and for powers of 2 that compilers do not find.
struct Swish {
  static constexpr bool kTurnsSign = true;
  __m512 offset;
  explicit TVMQ_VNNI_INLINE Swish(const Instruction& in) : offset(number(in.offset)) {}
  template <int Count>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels& channels) const {
    __m512 f[Count];
    __m512 n[Count];
    __m512 p[Count];
    // The smaller magnitude, with the sign of x.
    TVMQ_EACH f[i] = _mm512_range_ps(x[i], number(kSwishBound), 0b0010);
    TVMQ_EACH n[i] = _mm512_mul_ps(f[i], number(1.44269504088896341F));
    TVMQ_EACH n[i] = _mm512_add_ps(n[i], number(0.5F));
    TVMQ_EACH n[i] = _mm512_roundscale_ps(n[i], _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    TVMQ_EACH f[i] = _mm512_sub_ps(f[i], _mm512_mul_ps(n[i], number(0.6931471805599453F)));
    TVMQ_EACH p[i] = _mm512_mul_ps(f[i], number(1.9875691500e-4F));
    TVMQ_EACH p[i] = _mm512_mul_ps(_mm512_add_ps(p[i], number(1.3981999507e-3F)), f[i]);
    TVMQ_EACH p[i] = _mm512_mul_ps(_mm512_add_ps(p[i], number(8.3334519073e-3F)), f[i]);
    TVMQ_EACH p[i] = _mm512_mul_ps(_mm512_add_ps(p[i], number(4.1665795894e-2F)), f[i]);
    TVMQ_EACH p[i] = _mm512_mul_ps(_mm512_add_ps(p[i], number(1.6666665459e-1F)), f[i]);
    TVMQ_EACH p[i] = _mm512_mul_ps(_mm512_add_ps(p[i], number(5.0000001201e-1F)), f[i]);
    TVMQ_EACH p[i] = _mm512_add_ps(_mm512_mul_ps(p[i], f[i]), f[i]);
    TVMQ_EACH p[i] = _mm512_add_ps(p[i], number(1.0F));
    TVMQ_EACH p[i] = _mm512_add_ps(_mm512_scalef_ps(p[i], n[i]), number(1.0F));
    TVMQ_EACH p[i] = _mm512_div_ps(number(1.0F), p[i]);
    TVMQ_EACH x[i] = _mm512_mul_ps(x[i], p[i]);
    const __m512 minus_scale = _mm512_xor_ps(channels.scale, number(-0.0F));
    TVMQ_EACH x[i] = _mm512_add_ps(_mm512_mul_ps(x[i], minus_scale), offset);
  }
};

/// The bytes of a residual sum, dequantized.
template <bool Signed>
struct Residual {
  __m512 zero;
  __m512 unit;
  __m512 scale;
  __m512 offset;
  explicit TVMQ_VNNI_INLINE Residual(const Instruction& in)
      : zero(number(in.zero)),
        unit(number(in.unit)),
        scale(number(in.scale)),
        offset(number(in.offset)) {}
  template <int Count>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels& channels, const std::byte* bytes,
                              std::int64_t step) const {
    TVMQ_EACH {
      const __m128i narrow = _mm_maskz_loadu_epi8(channels.mask, bytes + i * step);
      const __m512i wide = Signed ? _mm512_cvtepi8_epi32(narrow) : _mm512_cvtepu8_epi32(narrow);
      const __m512 value = _mm512_mul_ps(_mm512_sub_ps(_mm512_cvtepi32_ps(wide), zero), unit);
      x[i] = _mm512_add_ps(x[i], value);
    }
    TVMQ_EACH x[i] = _mm512_add_ps(_mm512_mul_ps(x[i], scale), offset);
  }
};

/// `Count` pixels.
template <int Count, class Function>
TVMQ_VNNI_INLINE void finish(const Function& function, const SumsTile& tile, std::int64_t pixel,
                             std::int64_t channel, const Channels& channels, __m512 low,
                             __m512 high) {
  __m512 x[Count];
  const std::int32_t* sums = tile.sums + pixel * tile.sums_step + channel;
  TVMQ_EACH {
    const __m512i sum = _mm512_maskz_loadu_epi32(channels.mask, sums + i * tile.sums_step);
    x[i] = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(sum, channels.bias)), channels.factor);
  }
  const std::int64_t place = pixel * tile.results_step + channel;
  if constexpr (requires { function.unit; }) {
    function.template apply<Count>(x, channels, tile.bytes + place, tile.results_step);
  } else {
    function.template apply<Count>(x, channels);
  }
  std::byte* results = tile.results + place;
  TVMQ_EACH {
    _mm512_mask_cvtepi32_storeu_epi8(results + i * tile.results_step, channels.mask,
                                     _mm512_cvttps_epi32(clip(x[i], low, high)));
  }
}
#undef TVMQ_EACH

/// 0 where there are no such numbers.
TVMQ_VNNI_INLINE __m512 load(__mmask16 mask, const float* numbers, std::int64_t at) {
  return numbers == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, numbers + at);
}

template <class Function>
TVMQ_VNNI void run(const Instruction& in, const SumsTile& tile) {
  constexpr std::int64_t kAtOnce = 4;
  const Function function(in);
  const __m512 low = number(in.f0);
  const __m512 high = number(in.f1);
  for (std::int64_t channel = 0; channel < tile.channels; channel += kLanes) {
    const std::int64_t lanes = tile.channels - channel < kLanes ? tile.channels - channel : kLanes;
    const auto mask = static_cast<__mmask16>((1U << lanes) - 1U);
    __m512 factor = load(mask, tile.factors, channel);
    if constexpr (requires { Function::kTurnsSign; }) {
      factor = _mm512_xor_ps(factor, number(-0.0F));
    }
    const Channels channels{.mask = mask,
                            .bias = _mm512_maskz_loadu_epi32(mask, tile.bias + channel),
                            .factor = factor,
                            .shift = load(mask, tile.shifts, channel),
                            .scale = load(mask, tile.scales, channel)};
    std::int64_t pixel = 0;
    for (; pixel + kAtOnce <= tile.pixels; pixel += kAtOnce) {
      finish<kAtOnce>(function, tile, pixel, channel, channels, low, high);
    }
    for (; pixel + 2 <= tile.pixels; pixel += 2) {
      finish<2>(function, tile, pixel, channel, channels, low, high);
    }
    for (; pixel < tile.pixels; ++pixel) {
      finish<1>(function, tile, pixel, channel, channels, low, high);
    }
  }
}

}  // namespace

bool has_tile_loop(const Instruction& instruction) {
  if (!has_avx512_vnni()) return false;
  switch (instruction.code) {
    case Code::kRequantize:
    case Code::kRequantizeFloor:
    case Code::kRequantizeClipped:
    case Code::kRequantizeSwish:
      return true;
    case Code::kRequantizeSum:
      return instruction.i0 != 0;
    default:
      return false;
  }
}

void run_tile(const Instruction& instruction, const SumsTile& tile) {
  switch (instruction.code) {
    case Code::kRequantize:
      return run<Plain>(instruction, tile);
    case Code::kRequantizeFloor:
      return run<Floor>(instruction, tile);
    case Code::kRequantizeClipped:
      return tile.shifts == nullptr ? run<Clipped<false>>(instruction, tile)
                                    : run<Clipped<true>>(instruction, tile);
    case Code::kRequantizeSwish:
      return run<Swish>(instruction, tile);
    case Code::kRequantizeSum:
      return instruction.i0 == 1 ? run<Residual<false>>(instruction, tile)
                                 : run<Residual<true>>(instruction, tile);
    default:
      return;
  }
}

}  // namespace tvmq::exec
