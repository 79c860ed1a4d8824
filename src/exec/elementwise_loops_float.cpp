#include <bit>
#include <cmath>
#include <limits>

#include "exec/elementwise_loops.h"
#include "exec/fast_exp.h"

namespace tvmq::exec::loops {
namespace {

/// 2^(x log2 e): 2^n by the exponent bits, the rest by a polynomial of degree 6 (relative error
/// below 1e-7).
[[gnu::always_inline]] inline float exp_float(float x) {
  const float bounded = x > 88.7F ? 88.7F : (x > -87.3F ? x : -87.3F);
  const float n = std::floor(bounded * 1.44269504F + 0.5F);
  const float r = (bounded - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float mantissa = (p * r * r + r) + 1.0F;
  const auto bits = static_cast<int32_t>(n) << 22;  // two halves: n + 127 alone can reach 255
  const auto half =
      std::bit_cast<float>(wrap32((uint32_t{127} << 23) + static_cast<uint32_t>(bits & ~0x7FFFFF)));
  const auto rest = std::bit_cast<float>(
      wrap32((uint32_t{127} << 23) + (static_cast<uint32_t>(static_cast<int32_t>(n)) << 23) -
             static_cast<uint32_t>(bits & ~0x7FFFFF)));
  return x > 88.7228F ? std::numeric_limits<float>::infinity() : mantissa * half * rest;
}

[[gnu::always_inline]] inline float tanh_float(float x) {
  const float magnitude = std::abs(x);
  const float square = x * x;
  float p = -5.70498872745e-3F;
  p = p * square + 2.06390887954e-2F;
  p = p * square - 5.37397155531e-2F;
  p = p * square + 1.33314422036e-1F;
  p = p * square - 3.33332819422e-1F;
  const float small = p * square * x + x;
  const float large = 1.0F - 2.0F / (exp_float(2.0F * magnitude) + 1.0F);
  return magnitude < 0.625F ? small : std::copysign(large, x);
}

/// Half away from zero: the largest float below 0.5 never carries over.
[[gnu::always_inline]] inline float round_float(float x) {
  return std::trunc(x + std::copysign(0.49999997F, x));
}

}  // namespace

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void run_float(
    const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<float>();
  const auto* b = slots.b<float>();
  auto* out = slots.out<float>();
  const float f0 = in.f0;
  const float f1 = in.f1;
  switch (in.code) {
    case Code::kAddFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] + b[i]; });
      break;
    case Code::kSubtractFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] - b[i]; });
      break;
    case Code::kMultiplyFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] * b[i]; });
      break;
    case Code::kDivideFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] / b[i]; });
      break;
    case Code::kMaximumFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] > b[i] ? a[i] : b[i]; });
      break;
    case Code::kMinimumFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] < b[i] ? a[i] : b[i]; });
      break;
    case Code::kPrelu:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = a[i] > 0.0F ? a[i] : a[i] * b[i]; });
      break;
    case Code::kRelu:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = a[i] > 0.0F ? a[i] : 0.0F; });
      break;
    case Code::kLeakyRelu:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = a[i] > 0.0F ? a[i] : a[i] * f0; });
      break;
    case Code::kClipFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) {
            const float low = a[i] < f1 ? a[i] : f1;
            out[i] = low > f0 ? low : f0;
          });
      break;
    case Code::kSqrt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::sqrt(a[i]); });
      break;
    case Code::kRsqrt:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = 1.0F / std::sqrt(a[i]); });
      break;
    case Code::kAbsFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::abs(a[i]); });
      break;
    case Code::kNegateFloat:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = -a[i]; });
      break;
    case Code::kRound:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = round_float(a[i]); });
      break;
    case Code::kFloor:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::floor(a[i]); });
      break;
    case Code::kCeil:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::ceil(a[i]); });
      break;
    case Code::kTrunc:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::trunc(a[i]); });
      break;
    default:
      break;
  }
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
run_transcendental(const Instruction& in, std::byte* const* at, int64_t n) {
  const Slots slots{in, at};
  const auto* a = slots.a<float>();
  auto* out = slots.out<float>();
  switch (in.code) {
    case Code::kSigmoid:
      each(
          n, [=](int64_t i)
                 __attribute__((always_inline)) { out[i] = 1.0F / (1.0F + exp_float(-a[i])); });
      break;
    case Code::kTanh:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = tanh_float(a[i]); });
      break;
    case Code::kExp:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = exp_float(a[i]); });
      break;
    case Code::kFastExp:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = fast_exp(a[i]); });
      break;
    case Code::kLog:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::log(a[i]); });
      break;
    case Code::kErf:
      each(
          n, [=](int64_t i) __attribute__((always_inline)) { out[i] = std::erf(a[i]); });
      break;
    default:
      break;
  }
}

}  // namespace tvmq::exec::loops
