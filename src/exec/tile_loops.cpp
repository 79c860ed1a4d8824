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

// `Count` vectors of results are computed at a time, to keep the CPU busy: of as many pixels and up
// to 16 channels each (Vectors = 1), or of half as many and 32 channels (Vectors = 2). Vector i is
// of pixel i / Vectors and of channels 16 * (i % Vectors) and on.

/// What all pixels of up to 16 channels have in common.
struct Channels {
  __mmask16 mask;
  __m512i bias;
  __m512 factor;
  __m512 shift;
  __m512 scale;
};

/// Each makes y of `Count` vectors x = float(sum + bias) * factor. `channels`: of Vectors vectors.
struct Plain {
  __m512 offset;
  explicit TVMQ_VNNI_INLINE Plain(const Instruction& in) : offset(number(in.offset)) {}
  template <int Count, int Vectors>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels* /*channels*/) const {
    TVMQ_EACH x[i] = _mm512_add_ps(x[i], offset);
  }
};

struct Floor {
  __m512 offset;
  explicit TVMQ_VNNI_INLINE Floor(const Instruction& in) : offset(number(in.offset)) {}
  template <int Count, int Vectors>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels* /*channels*/) const {
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
  template <int Count, int Vectors>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels* channels) const {
    if constexpr (Shifts) {
      TVMQ_EACH x[i] = _mm512_add_ps(x[i], channels[i % Vectors].shift);
    }
    TVMQ_EACH x[i] = clip(x[i], low, high);
    TVMQ_EACH x[i] = _mm512_add_ps(_mm512_mul_ps(x[i], channels[i % Vectors].scale), offset);
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
  template <int Count, int Vectors>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels* channels) const {
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
    TVMQ_EACH {
      const __m512 minus_scale = _mm512_xor_ps(channels[i % Vectors].scale, number(-0.0F));
      x[i] = _mm512_add_ps(_mm512_mul_ps(x[i], minus_scale), offset);
    }
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
  template <int Count, int Vectors>
  TVMQ_VNNI_INLINE void apply(__m512* x, const Channels* channels, const std::byte* bytes,
                              std::int64_t step) const {
    TVMQ_EACH {
      const std::byte* from = bytes + i / Vectors * step + i % Vectors * kLanes;
      const __m128i narrow = _mm_maskz_loadu_epi8(channels[i % Vectors].mask, from);
      const __m512i wide = Signed ? _mm512_cvtepi8_epi32(narrow) : _mm512_cvtepu8_epi32(narrow);
      const __m512 value = _mm512_mul_ps(_mm512_sub_ps(_mm512_cvtepi32_ps(wide), zero), unit);
      x[i] = _mm512_add_ps(x[i], value);
    }
    TVMQ_EACH x[i] = _mm512_add_ps(_mm512_mul_ps(x[i], scale), offset);
  }
};

/// Real results of `Count` vectors from `pixel` and `channel` on, within their bounds but for `low`
/// if that is not `kClipsLow`.
template <int Count, int Vectors, bool kClipsLow, class Function>
TVMQ_VNNI_INLINE void compute(const Function& function, const SumsTile& tile, std::int64_t pixel,
                              std::int64_t channel, const Channels* channels, __m512 low,
                              __m512 high, __m512i* results) {
  __m512 x[Count];
  const std::int32_t* sums = tile.sums + pixel * tile.sums_step + channel;
  TVMQ_EACH {
    const Channels& c = channels[i % Vectors];
    const std::int32_t* from = sums + i / Vectors * tile.sums_step + i % Vectors * kLanes;
    const __m512i sum =
        Vectors == 1 ? _mm512_maskz_loadu_epi32(c.mask, from) : _mm512_loadu_si512(from);
    x[i] = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(sum, c.bias)), c.factor);
  }
  if constexpr (requires { function.unit; }) {
    const std::byte* bytes = tile.bytes + pixel * tile.results_step + channel;
    function.template apply<Count, Vectors>(x, channels, bytes, tile.results_step);
  } else {
    function.template apply<Count, Vectors>(x, channels);
  }
  TVMQ_EACH {
    x[i] = kClipsLow ? clip(x[i], low, high) : _mm512_min_ps(x[i], high);
    results[i] = _mm512_cvttps_epi32(x[i]);
  }
}

/// `Count` pixels of up to 16 channels.
template <int Count, class Function>
TVMQ_VNNI_INLINE void finish(const Function& function, const SumsTile& tile, std::int64_t pixel,
                             std::int64_t channel, const Channels& channels, __m512 low,
                             __m512 high) {
  __m512i values[Count];
  compute<Count, 1, true>(function, tile, pixel, channel, &channels, low, high, values);
  std::byte* results = tile.results + pixel * tile.results_step + channel;
  TVMQ_EACH {
    _mm512_mask_cvtepi32_storeu_epi8(results + i * tile.results_step, channels.mask, values[i]);
  }
}

/// How results become bytes: by instructions that saturate, which saves a bound at 0.
enum class Bytes : std::uint8_t { kSigned, kUnsigned, kUnsignedFromZero };

/// Two pixels (Count = 4) or one (Count = 2) of 32 channels: packing four vectors takes half as
/// many instructions as four conversions.
template <int Count, Bytes Kind, class Function>
TVMQ_VNNI_INLINE void finish_wide(const Function& function, const SumsTile& tile,
                                  std::int64_t pixel, std::int64_t channel,
                                  const Channels* channels, __m512 low, __m512 high) {
  __m512i values[Count];
  compute<Count, 2, Kind != Bytes::kUnsignedFromZero>(function, tile, pixel, channel, channels, low,
                                                      high, values);
  const __m512i first = _mm512_packs_epi32(values[0], values[1]);
  const __m512i second =
      Count == 4 ? _mm512_packs_epi32(values[Count - 2], values[Count - 1]) : first;
  const __m512i packed = Kind == Bytes::kSigned ? _mm512_packs_epi16(first, second)
                                                : _mm512_packus_epi16(first, second);
  const __m512i bytes = transpose_groups(packed);  // to the places of their channels
  std::byte* to = tile.results + pixel * tile.results_step + channel;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(bytes));
  if constexpr (Count == 4) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + tile.results_step),
                        _mm512_extracti64x4_epi64(bytes, 1));
  }
}
#undef TVMQ_EACH

/// 0 where there are no such numbers.
TVMQ_VNNI_INLINE __m512 load(__mmask16 mask, const float* numbers, std::int64_t at) {
  return numbers == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, numbers + at);
}

template <class Function>
TVMQ_VNNI_INLINE Channels channels_at(const SumsTile& tile, std::int64_t channel,
                                      std::int64_t lanes) {
  const auto mask = static_cast<__mmask16>((1U << lanes) - 1U);
  __m512 factor = load(mask, tile.factors, channel);
  if constexpr (requires { Function::kTurnsSign; }) {
    factor = _mm512_xor_ps(factor, number(-0.0F));
  }
  return {.mask = mask,
          .bias = _mm512_maskz_loadu_epi32(mask, tile.bias + channel),
          .factor = factor,
          .shift = load(mask, tile.shifts, channel),
          .scale = load(mask, tile.scales, channel)};
}

/// As many whole groups of 32 channels as there are; returns the first channel behind them.
template <Bytes Kind, class Function>
TVMQ_VNNI std::int64_t run_wide(const Instruction& in, const SumsTile& tile) {
  const Function function(in);
  const __m512 low = number(in.f0);
  const __m512 high = number(in.f1);
  std::int64_t channel = 0;
  for (; channel + 2 * kLanes <= tile.channels; channel += 2 * kLanes) {
    const Channels channels[] = {channels_at<Function>(tile, channel, kLanes),
                                 channels_at<Function>(tile, channel + kLanes, kLanes)};
    std::int64_t pixel = 0;
    for (; pixel + 2 <= tile.pixels; pixel += 2) {
      finish_wide<4, Kind>(function, tile, pixel, channel, channels, low, high);
    }
    if (pixel < tile.pixels) {
      finish_wide<2, Kind>(function, tile, pixel, channel, channels, low, high);
    }
  }
  return channel;
}

template <class Function>
TVMQ_VNNI void run(const Instruction& in, const SumsTile& tile) {
  constexpr std::int64_t kAtOnce = 4;
  const Function function(in);
  const __m512 low = number(in.f0);
  const __m512 high = number(in.f1);
  std::int64_t channel = 0;
  if (in.f0 == 0 && in.f1 <= 255) {
    channel = run_wide<Bytes::kUnsignedFromZero, Function>(in, tile);
  } else if (in.f0 >= 0 && in.f1 <= 255) {
    channel = run_wide<Bytes::kUnsigned, Function>(in, tile);
  } else if (in.f0 >= -128 && in.f1 <= 127) {
    channel = run_wide<Bytes::kSigned, Function>(in, tile);
  }
  for (; channel < tile.channels; channel += kLanes) {
    const std::int64_t lanes = tile.channels - channel < kLanes ? tile.channels - channel : kLanes;
    const Channels channels = channels_at<Function>(tile, channel, lanes);
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
