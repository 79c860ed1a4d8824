// What TVM's 8-bit kernels can do on the CPU that a network will be compiled for.
//
// TVM decides by the features of its target, not by the machine that compiles: plain `llvm` is an
// x86-64 of 2003. See relay_quantize.md S1 to S3, S8 and S13.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tvmq::quant {

/// How TVM multiplies uint8 by int8 in a convolution.
enum class ByteProducts : std::uint8_t {
  kNone,        ///< one by one in int32, slower than float32: the target lacks SSE 4.2
  kSaturating,  ///< vpmaddubsw: two products are added in int16, right for weights of 7 bits
  kExact        ///< vpdpbusd: four products are added in int32
};

struct Target {
  ByteProducts products = ByteProducts::kExact;
  bool dense = true;  ///< TVM has an 8-bit matrix product: AVX-512, not AMX
  bool operator==(const Target&) const = default;

  /// The bits of a weight that are never added up wrongly.
  [[nodiscard]] int weight_bits() const { return products == ByteProducts::kSaturating ? 7 : 8; }
};

/// Reads a TVM target for x86: "llvm", then options, of which -mcpu=NAME and
/// -mattr=[+|-]FEATURE,... choose kernels. Features are added to and taken from those of the CPU.
/// Nothing if it is no such target or the CPU is unknown.
std::optional<Target> parse_target(std::string_view text);

}  // namespace tvmq::quant
