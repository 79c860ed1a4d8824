// Tiles of sums finished at once, held against the instructions that they stand for.
#include "exec/tile_loops.h"

#include <limits>

#include "program_helpers.h"

namespace tvmq::exec {
namespace {

struct Finish {
  std::string name;
  Instruction instruction;
  float largest = 60;  ///< what sums and factors make
};
void PrintTo(const Finish& c, std::ostream* out) { *out << c.name; }

class TileLoops : public testing::TestWithParam<Finish> {};

/// What run_instruction() makes of the same tile, pixel by pixel.
std::vector<std::int8_t> by_instructions(Instruction in, const SumsTile& tile) {
  std::vector<std::int8_t> results(static_cast<std::size_t>(tile.pixels * tile.results_step), 99);
  in.out = 5;
  in.a = 0;
  in.b = 1;
  in.c = 2;
  in.d = 3;
  in.e = 4;
  const auto bytes_of = [](const auto* from) {
    return const_cast<std::byte*>(reinterpret_cast<const std::byte*>(from));
  };
  for (std::int64_t p = 0; p < tile.pixels; ++p) {
    const bool adds = in.code == Code::kRequantizeSum;
    std::byte* const slots[] = {
        bytes_of(tile.sums + p * tile.sums_step),
        bytes_of(tile.bias),
        bytes_of(tile.factors),
        adds ? bytes_of(tile.bytes + p * tile.results_step) : bytes_of(tile.shifts),
        bytes_of(tile.scales),
        bytes_of(results.data() + p * tile.results_step)};
    run_instruction(in, slots, tile.channels);
  }
  return results;
}

TEST_P(TileLoops, EqualTheInstruction) {
  const Finish& c = GetParam();
  if (!has_tile_loop(c.instruction)) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  Numbers numbers;
  for (const std::int64_t channels : {1, 15, 16, 17, 32, 33, 100}) {
    for (const std::int64_t pixels : {1, 2, 3, 4, 5, 7, 14, 200}) {
      const std::int64_t step = channels + 3;
      ir::Tensor sums = numbers.integers<std::int32_t>({pixels, step}, -1000000, 1000000);
      sums.mutable_data<std::int32_t>()[0] = std::numeric_limits<std::int32_t>::max();
      if (pixels > 1) {
        sums.mutable_data<std::int32_t>()[step] = std::numeric_limits<std::int32_t>::min();
      }
      const auto bias = numbers.integers<std::int32_t>({channels}, -50000, 50000);
      const auto factors = numbers.floats({channels}, 0, c.largest / 1e6F);
      const auto shifts = numbers.floats({channels}, -3, 3);
      const auto scales = numbers.floats({channels}, 1, 40);
      const auto bytes = numbers.integers<std::uint8_t>({pixels, step}, 0, 255);
      std::vector<std::int8_t> results(static_cast<std::size_t>(pixels * step), 99);
      const SumsTile tile{.sums = sums.data<std::int32_t>().data(),
                          .sums_step = step,
                          .pixels = pixels,
                          .channels = channels,
                          .bias = bias.data<std::int32_t>().data(),
                          .factors = factors.data<float>().data(),
                          .shifts = shifts.data<float>().data(),
                          .scales = scales.data<float>().data(),
                          .bytes = bytes.bytes(),
                          .results = reinterpret_cast<std::byte*>(results.data()),
                          .results_step = step};
      run_tile(c.instruction, tile);
      EXPECT_EQ(results, by_instructions(c.instruction, tile))
          << channels << " channels, " << pixels << " pixels";
      const std::vector<float> zeros(static_cast<std::size_t>(channels), 0.0F);
      SumsTile unshifted = tile;
      unshifted.shifts = nullptr;
      run_tile(c.instruction, unshifted);
      unshifted.shifts = zeros.data();
      EXPECT_EQ(results, by_instructions(c.instruction, unshifted)) << "not shifted";
    }
  }
}

Instruction stores(Code code, float low, float high) {
  Instruction in{.code = code};
  in.f0 = low;
  in.f1 = high;
  in.f2 = 0;
  in.f3 = 6;
  in.scale = 3.7F;
  in.offset = (low + high) / 2 + 0.5F;
  in.unit = 0.037F;
  in.zero = 117;
  in.i0 = 1;
  return in;
}
Instruction int8_residual() {
  Instruction in = stores(Code::kRequantizeSum, -128, 127);
  in.i0 = 2;
  return in;
}

INSTANTIATE_TEST_SUITE_P(
    Instructions, TileLoops,
    testing::Values(Finish{"requantize", stores(Code::kRequantize, 0, 255)},
                    Finish{"int8", stores(Code::kRequantize, -128, 127)},
                    Finish{"above_a_zero_point", stores(Code::kRequantize, 117, 255)},
                    Finish{"seven_bits", stores(Code::kRequantize, 0, 127)},
                    Finish{"beyond_the_bounds", stores(Code::kRequantize, 0, 255), 1e30F},
                    Finish{"floor", stores(Code::kRequantizeFloor, -127, 127)},
                    Finish{"clipped", stores(Code::kRequantizeClipped, 0, 255)},
                    Finish{"swish", stores(Code::kRequantizeSwish, 0, 255), 8},
                    Finish{"swish_at_its_bounds", stores(Code::kRequantizeSwish, -128, 127), 100},
                    Finish{"swish_beyond_them", stores(Code::kRequantizeSwish, 0, 255), 1e9F},
                    Finish{"sum", stores(Code::kRequantizeSum, 0, 255)},
                    Finish{"int8_sum", int8_residual()}),
    [](const auto& test) { return test.param.name; });

TEST(TileLoops, OthersAreNotTheirs) {
  EXPECT_FALSE(has_tile_loop({.code = Code::kScaleStore}));
  Instruction of_words{.code = Code::kRequantizeSum};
  of_words.i0 = 0;
  EXPECT_FALSE(has_tile_loop(of_words));
}

}  // namespace
}  // namespace tvmq::exec
