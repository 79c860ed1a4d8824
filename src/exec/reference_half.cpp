#include "exec/reference_half.h"

#include <bit>
#include <cstring>

namespace tvmq::exec {
namespace {

constexpr std::uint32_t kSingleMantissa = 0x7fffff;
constexpr std::uint32_t kHalfInfinity = 0x7c00;

float widen(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fU;
  const std::uint32_t mantissa = half & 0x3ffU;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000U | (mantissa << 13));
  if (exponent != 0) {
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  }
  const float subnormal = static_cast<float>(mantissa) * 0x1p-24F;
  return sign != 0 ? -subnormal : subnormal;
}

std::uint16_t narrow(float single) {
  const auto bits = std::bit_cast<std::uint32_t>(single);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const auto exponent = static_cast<int>((bits >> 23) & 0xffU) - 112;
  std::uint32_t mantissa = bits & kSingleMantissa;
  if (exponent == 0xff - 112) {
    return static_cast<std::uint16_t>(sign | kHalfInfinity | (mantissa != 0 ? 0x200U : 0U));
  }
  if (exponent >= 0x1f) return static_cast<std::uint16_t>(sign | kHalfInfinity);
  int dropped = 13;
  std::uint32_t base = static_cast<std::uint32_t>(exponent) << 10;
  if (exponent <= 0) {
    if (exponent < -10) return static_cast<std::uint16_t>(sign);
    mantissa |= kSingleMantissa + 1;
    dropped += 1 - exponent;
    base = 0;
  }
  const std::uint32_t kept = mantissa >> dropped;
  const std::uint32_t rest = mantissa & ((1U << dropped) - 1);
  const std::uint32_t half = 1U << (dropped - 1);
  const bool up = rest > half || (rest == half && (kept & 1) != 0);
  // A carry out of the mantissa runs into the exponent, which is the right number.
  return static_cast<std::uint16_t>(sign | (base + kept + (up ? 1U : 0U)));
}

}  // namespace

std::vector<float> widen_half(const ir::Tensor& half) {
  check(half.dtype() == ir::DType::kFloat16, "a float16 tensor");
  std::vector<float> wide(static_cast<std::size_t>(half.size()));
  for (std::size_t i = 0; i < wide.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, half.bytes() + i * sizeof bits, sizeof bits);
    wide[i] = widen(bits);
  }
  return wide;
}

ir::Tensor narrow_to_half(const ir::Tensor& single) {
  ir::Tensor half(ir::DType::kFloat16, single.shape());
  const auto in = single.data<float>();
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint16_t bits = narrow(in[i]);
    std::memcpy(half.mutable_bytes() + i * sizeof bits, &bits, sizeof bits);
  }
  return half;
}

}  // namespace tvmq::exec
