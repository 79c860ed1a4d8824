#include <cmath>

#include "exec/avx512_vnni.h"
#include "exec/elementwise_loops.h"
#include "exec/fast_exp.h"

namespace tvmq::exec::loops {
namespace {

[[gnu::always_inline]] inline float clip(float x, float low, float high) {
  const float bounded = x < high ? x : high;
  return bounded > low ? bounded : low;
}
[[gnu::always_inline]] inline std::int8_t low_byte(float x) {
  return static_cast<std::int8_t>(static_cast<int32_t>(x));
}
[[gnu::always_inline]] inline float fast_sigmoid(float x) { return 1.0F / (fast_exp(-x) + 1.0F); }

/// The instructions that dequantize bytes on the way.
template <class Byte>
[[gnu::always_inline]] inline void run_bytes(const Instruction& in, std::byte* const* at,
                                             int64_t n) {
  const Slots slots{in, at};
  const auto* sums = slots.a<int32_t>();
  const auto* bias = slots.b<int32_t>();
  const auto* b = slots.b<float>();
  const auto* c = reinterpret_cast<const float*>(at[in.c]);
  const bool adds = in.code == Code::kRequantizeSum;
  const auto* bytes = reinterpret_cast<const Byte*>(at[adds ? in.d : in.a]);
  auto* out = slots.out<std::int8_t>();
  const float low = in.f0;
  const float high = in.f1;
  const float scale = in.scale;
  const float offset = in.offset;
  const float unit = in.unit;
  const float zero = in.zero;
  const auto value = [=](int64_t i) __attribute__((always_inline)) {
    return (static_cast<float>(bytes[i]) - zero) * unit;
  };
  if (adds) {
    each(
        n, [=](int64_t i) __attribute__((always_inline)) {
          const auto sum = static_cast<float>(
              wrap32(static_cast<uint32_t>(sums[i]) + static_cast<uint32_t>(bias[i])));
          out[i] = low_byte(clip((sum * c[i] + value(i)) * scale + offset, low, high));
        });
  } else if (in.code == Code::kShiftBytes) {
    each(
        n, [=](int64_t i) __attribute__((always_inline)) {
          out[i] = low_byte(clip((value(i) + b[i]) * scale + offset, low, high));
        });
  } else {
    each(
        n, [=](int64_t i) __attribute__((always_inline)) {
          out[i] = low_byte(clip(value(i) * b[i] * scale + offset, low, high));
        });
  }
}

}  // namespace

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_joined(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<float>();
  const auto* b = slots.b<float>();
  const auto* c = reinterpret_cast<const float*>(at[in.c]);
  const auto* d = reinterpret_cast<const float*>(at[in.d]);
  const auto* int_a = slots.a<int32_t>();
  const auto* int_b = slots.b<int32_t>();
  const auto* int_d = reinterpret_cast<const int32_t*>(at[in.d]);
  const auto* e = reinterpret_cast<const float*>(at[in.e]);
  auto* out = slots.out<float>();
  auto* out_bytes = slots.out<std::int8_t>();
  const float low = in.f0;
  const float high = in.f1;
  const float inner_low = in.f2;
  const float inner_high = in.f3;
  const float offset = in.offset;
  const auto sum = [=](int64_t i) __attribute__((always_inline)) {
    return static_cast<float>(
        wrap32(static_cast<uint32_t>(int_a[i]) + static_cast<uint32_t>(int_b[i])));
  };
  switch (in.code) {
    case Code::kAddIntToFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = sum(i); });
      break;
    case Code::kMultiplyAdd:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] * b[i] + c[i]; });
      break;
    case Code::kMultiplyClip:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = clip(a[i] * b[i], low, high); });
      break;
    case Code::kMultiplyAddClip:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = clip(a[i] * b[i] + c[i], low, high); });
      break;
    case Code::kStoreFloatInt8:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out_bytes[i] = low_byte(a[i]); });
      break;
    case Code::kRequantize:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out_bytes[i] = low_byte(clip(sum(i) * c[i] + offset, low, high));
          });
      break;
    case Code::kRequantizeFloor:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out_bytes[i] = low_byte(clip(std::floor(sum(i) * c[i] + offset), low, high));
          });
      break;
    case Code::kScaleStore:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out_bytes[i] = low_byte(clip(a[i] * b[i] + offset, low, high));
          });
      break;
    case Code::kFastSigmoid:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = fast_sigmoid(a[i]); });
      break;
    case Code::kDequantize:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = (static_cast<float>(int_a[i]) - b[i]) * c[i];
          });
      break;
    case Code::kDequantizeAdd:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = (static_cast<float>(int_a[i]) - b[i]) * c[i] + d[i];
          });
      break;
    case Code::kAddScaledInts:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = sum(i) * c[i] + static_cast<float>(int_d[i]) * e[i];
          });
      break;
    case Code::kRequantizeClipped:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const float y = clip(sum(i) * c[i] + d[i], inner_low, inner_high);
            out_bytes[i] = low_byte(clip(y * e[i] + offset, low, high));
          });
      break;
    case Code::kRequantizeSwish:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const float x = sum(i) * c[i];
            out_bytes[i] = low_byte(clip(x * fast_sigmoid(x) * e[i] + offset, low, high));
          });
      break;
    case Code::kShiftBytes:
    case Code::kGateBytes:
      if (in.i0 != 0 && has_avx512_vnni()) return run_bytes_avx512(in, at, n);
      [[fallthrough]];
    case Code::kRequantizeSum:
      if (in.i0 == 0) run_bytes<int32_t>(in, at, n);
      if (in.i0 == 1) run_bytes<std::uint8_t>(in, at, n);
      if (in.i0 == 2) run_bytes<std::int8_t>(in, at, n);
      break;
    default:
      break;
  }
}

}  // namespace tvmq::exec::loops
