#include "quant/target.h"

#include <gtest/gtest.h>

#include <string_view>

namespace tvmq::quant {
namespace {

TEST(ParseTarget, KnowsTheKernelsOfCpusAndFeatures) {
  struct Row {
    std::string_view text;
    Target expected;
  };
  constexpr Target kNone{ByteProducts::kNone, false};
  constexpr Target kSaturating{ByteProducts::kSaturating, false};
  const Row rows[] = {
      {"llvm", kNone},
      {"llvm -mcpu=x86-64", kNone},
      {"llvm -num-cores=2 -mcpu=core2", kNone},
      {"llvm -mcpu=core-avx2", kSaturating},
      {"llvm -mcpu=x86-64-v2", kSaturating},
      {"llvm -mattr=+avx2", kSaturating},
      {"llvm -mattr=+sse4.2", kSaturating},
      {"llvm -mcpu=skylake-avx512", {ByteProducts::kSaturating, true}},
      {"llvm -mcpu=alderlake", {ByteProducts::kExact, false}},
      {"llvm -mcpu=cascadelake", {ByteProducts::kExact, true}},
      {"llvm  -mcpu=znver4 ", {ByteProducts::kExact, true}},
      {"llvm -mcpu=sapphirerapids", {ByteProducts::kExact, false}},
      {"llvm -mcpu=sapphirerapids -mattr=-amx-int8", {ByteProducts::kExact, true}},
      {"llvm -mattr=+avx512vnni", {ByteProducts::kExact, false}},
      {"llvm -mattr=+avx512vnni,+avx512bw", {ByteProducts::kExact, true}},
      {"llvm -mcpu=cascadelake -mattr=-avx512vnni", {ByteProducts::kSaturating, true}},
      {"llvm -mattr=-avx512vnni -mcpu=cascadelake", {ByteProducts::kSaturating, true}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(parse_target(row.text), row.expected) << row.text;
  }
}

TEST(ParseTarget, RefusesWhatItDoesNotKnow) {
  for (const std::string_view text :
       {"", " ", "cuda", "c -mcpu=cascadelake", "llvm cascadelake", "llvm -mcpu=", "llvm -mcpu=zn",
        "llvm -mcpu=cortex-a72", "llvm -mattr=avx2", "llvm -mattr=+", "LLVM"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
}

TEST(ParseTarget, ProductsOfWeightsStayInInt16) {
  const int largest = (1 << (parse_target("llvm -mcpu=haswell")->weight_bits() - 1)) - 1;
  EXPECT_LE(2 * 255 * largest, 32767);
  EXPECT_GT(2 * 255 * (2 * largest + 1), 32767) << "one bit more would not fit";
  EXPECT_EQ(parse_target("llvm -mcpu=cascadelake")->weight_bits(), 8);
}

}  // namespace
}  // namespace tvmq::quant
