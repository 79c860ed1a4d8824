#include "exec/elementwise_loops.h"

namespace tvmq::exec::loops {
namespace {

[[gnu::always_inline]] inline int32_t left_shift(int32_t a, int32_t by, int64_t bits) {
  const bool inside = static_cast<uint32_t>(by) < static_cast<uint32_t>(bits);
  return inside ? wrap32(static_cast<uint32_t>(a) << (static_cast<uint32_t>(by) & 31U)) : 0;
}
[[gnu::always_inline]] inline int32_t right_shift(int32_t a, int32_t by, int64_t bits) {
  const bool inside = static_cast<uint32_t>(by) < static_cast<uint32_t>(bits);
  return a >> (inside ? by : 31);
}

}  // namespace

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_int(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<int32_t>();
  const auto* b = slots.b<int32_t>();
  auto* out = slots.out<int32_t>();
  const int64_t i0 = in.i0;
  const auto low = static_cast<int32_t>(in.i0);
  const auto high = static_cast<int32_t>(in.i1);
  const int64_t i1 = in.i1;
  const int64_t i2 = in.i2;
  switch (in.code) {
    case Code::kAddInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap32(static_cast<uint32_t>(a[i]) + static_cast<uint32_t>(b[i]));
          });
      break;
    case Code::kSubtractInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap32(static_cast<uint32_t>(a[i]) - static_cast<uint32_t>(b[i]));
          });
      break;
    case Code::kMultiplyInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap32(static_cast<uint32_t>(a[i]) * static_cast<uint32_t>(b[i]));
          });
      break;
    case Code::kMaximumInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] > b[i] ? a[i] : b[i]; });
      break;
    case Code::kMinimumInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] < b[i] ? a[i] : b[i]; });
      break;
    case Code::kLeftShiftInt:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = left_shift(a[i], b[i], i0); });
      break;
    case Code::kRightShiftInt:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = right_shift(a[i], b[i], i0); });
      break;
    case Code::kClipInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const int32_t bounded = a[i] < high ? a[i] : high;
            out[i] = bounded > low ? bounded : low;
          });
      break;
    case Code::kWrapInt8:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = wrap8(a[i]); });
      break;
    case Code::kWrapUInt8:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] & 0xFF; });
      break;
    case Code::kWrapInt16:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = static_cast<std::int16_t>(a[i]); });
      break;
    case Code::kWrapUInt16:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] & 0xFFFF; });
      break;
    case Code::kIntToBool:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] != 0 ? 1 : 0; });
      break;
    case Code::kRoundShiftInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const uint32_t half = uint32_t{1} << i0 >> 1;
            out[i] = wrap32(static_cast<uint32_t>(a[i]) + half) >> i0;
          });
      break;
    case Code::kRoundShiftWide:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] =
                static_cast<int32_t>((static_cast<int64_t>(a[i]) + (int64_t{1} << i0 >> 1)) >> i0);
          });
      break;
    case Code::kFixedPointInt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const uint64_t product = static_cast<uint64_t>(static_cast<int64_t>(a[i])) << i0;
            const uint64_t sum = product * static_cast<uint64_t>(i1) + (uint64_t{1} << i2 >> 1);
            out[i] = static_cast<int32_t>(wrap64(sum) >> i2);
          });
      break;
    default:
      break;
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_long(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<int64_t>();
  const auto* b = slots.b<int64_t>();
  auto* out = slots.out<int64_t>();
  const int64_t i0 = in.i0;
  const int64_t i1 = in.i1;
  const int64_t i2 = in.i2;
  switch (in.code) {
    case Code::kAddLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap64(static_cast<uint64_t>(a[i]) + static_cast<uint64_t>(b[i]));
          });
      break;
    case Code::kSubtractLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap64(static_cast<uint64_t>(a[i]) - static_cast<uint64_t>(b[i]));
          });
      break;
    case Code::kMultiplyLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            out[i] = wrap64(static_cast<uint64_t>(a[i]) * static_cast<uint64_t>(b[i]));
          });
      break;
    case Code::kMaximumLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] > b[i] ? a[i] : b[i]; });
      break;
    case Code::kMinimumLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] < b[i] ? a[i] : b[i]; });
      break;
    case Code::kLeftShiftLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const auto by = static_cast<uint64_t>(b[i]);
            out[i] = by < 64 ? wrap64(static_cast<uint64_t>(a[i]) << (by & 63U)) : 0;
          });
      break;
    case Code::kRightShiftLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const auto by = static_cast<uint64_t>(b[i]);
            out[i] = a[i] >> (by < 64 ? by : 63U);
          });
      break;
    case Code::kClipLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const int64_t bounded = a[i] < i1 ? a[i] : i1;
            out[i] = bounded > i0 ? bounded : i0;
          });
      break;
    case Code::kRoundShiftLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const uint64_t half = uint64_t{1} << i0 >> 1;
            out[i] = wrap64(static_cast<uint64_t>(a[i]) + half) >> i0;
          });
      break;
    case Code::kFixedPointLong:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const uint64_t product = static_cast<uint64_t>(a[i]) << i0;
            const uint64_t sum = product * static_cast<uint64_t>(i1) + (uint64_t{1} << i2 >> 1);
            out[i] = static_cast<int32_t>(wrap64(sum) >> i2);
          });
      break;
    default:
      break;
  }
}

}  // namespace tvmq::exec::loops
