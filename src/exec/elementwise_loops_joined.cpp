#include <cmath>

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
            out_bytes[i] = low_byte(clip(sum(i) * c[i] + d[i], low, high));
          });
      break;
    case Code::kRequantizeFloor:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out_bytes[i] = low_byte(clip(std::floor(sum(i) * c[i] + d[i]), low, high));
          });
      break;
    case Code::kScaleStore:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out_bytes[i] = low_byte(clip(a[i] * b[i] + c[i], low, high));
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
            const float y = clip(sum(i) * c[i], inner_low, inner_high);
            out_bytes[i] = low_byte(clip(y * e[i] + d[i], low, high));
          });
      break;
    case Code::kRequantizeSwish:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const float x = sum(i) * c[i];
            out_bytes[i] = low_byte(clip(x * fast_sigmoid(x) * e[i] + d[i], low, high));
          });
      break;
    default:
      break;
  }
}

}  // namespace tvmq::exec::loops
