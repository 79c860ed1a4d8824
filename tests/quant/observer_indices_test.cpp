// The fast indexing against the plain loops, which the histogram tests hold against the definition.
#include "quant/observer_indices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Indexed {
  std::vector<std::uint16_t> indices;
  std::size_t zeros;
  std::size_t last;
  bool operator==(const Indexed&) const = default;
};

template <class Function>
Indexed run(Function&& function) {
  std::array<std::uint16_t, kIndexBlock + kIndexSlack> buffer;
  const IndexedBlock block = function(buffer.data());
  return {{buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(block.indices)},
          block.zeros,
          block.last};
}

BinScale scale_of(float absmax) {
  const double half = absmax;
  return {.bins_per_unit = static_cast<float>(kHistogramBins / (2.0 * half)),
          .bin_width = 2.0 * half / kHistogramBins,
          .last_edge = half,
          .bins = kHistogramBins};
}

/// Half of them zeros, some at the limits, as behind a clip.
std::vector<float> activations(std::size_t count, float absmax, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.2F);
  std::vector<float> values(count);
  for (float& each : values) {
    const float x = uniform(generator);
    each = std::fabs(x) < 0.5F ? 0.0F : std::min(x, 1.0F) * absmax;
  }
  return values;
}

class IndexSizes : public ::testing::TestWithParam<std::size_t> {};

TEST_P(IndexSizes, FastEqualsPlain) {
  for (const float absmax : {1.0F, 6.0F, 3.67704487F, 1.01e-30F, 3.4028234e38F}) {
    const std::vector<float> values = activations(GetParam(), absmax, 3);
    const BinScale scale = scale_of(absmax);
    EXPECT_EQ(run([&](auto* to) { return index_bins(values, scale, to); }),
              run([&](auto* to) { return index_bins_plain(values, scale, to); }))
        << absmax;
    EXPECT_EQ(run([&](auto* to) { return index_upper_bits(values, to); }),
              run([&](auto* to) { return index_upper_bits_plain(values, to); }))
        << absmax;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, IndexSizes, ::testing::Values(0, 1, 15, 16, 17, 1000, 1023, 1024));

TEST(IndexBins, AgreesAroundEveryEdge) {
  for (const float absmax : {1.0F, 3.67704487F, 255.0F}) {
    std::vector<float> values;
    for (const float edge : histogram_edges(absmax)) {
      for (const float x :
           {std::nextafter(edge, -kInfinity), edge, std::nextafter(edge, kInfinity)}) {
        if (std::fabs(x) <= absmax) values.push_back(x);
      }
    }
    const BinScale scale = scale_of(absmax);
    for (std::size_t first = 0; first < values.size(); first += kIndexBlock) {
      const auto block = std::span<const float>(values).subspan(
          first, std::min(kIndexBlock, values.size() - first));
      ASSERT_EQ(run([&](auto* to) { return index_bins(block, scale, to); }),
                run([&](auto* to) { return index_bins_plain(block, scale, to); }));
    }
  }
}

TEST(IndexBins, KeepsTheOrderAndLeavesOutZerosAndTheLastBin) {
  const std::vector<float> values = {-1.0F, 0.0F, 0.5F, 1.0F, -0.0F, 1.0F, 1e-9F};
  EXPECT_EQ(run([&](auto* to) { return index_bins(values, scale_of(1.0F), to); }),
            (Indexed{.indices = {0, 6000, 4000}, .zeros = 2, .last = 2}));
}

TEST(IndexBins, CountsEveryElementOnceWhateverItIs) {
  const std::vector<float> values = {
      -kInfinity, -1e30F, -1.5F, 1.5F, 1e30F, kInfinity, std::numeric_limits<float>::quiet_NaN()};
  for (const auto& function : {index_bins, index_bins_plain}) {
    const Indexed result = run([&](auto* to) { return function(values, scale_of(1.0F), to); });
    EXPECT_EQ(result.indices.size() + result.zeros + result.last, values.size());
    for (const std::uint16_t index : result.indices) EXPECT_EQ(index, 0);
  }
}

}  // namespace
}  // namespace tvmq::quant
