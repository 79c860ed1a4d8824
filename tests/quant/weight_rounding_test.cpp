#include "quant/weight_rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace tvmq::quant {
namespace {

using ir::Tensor;

/// Patches of `size` elements, given one after the other.
PatchMoments moments_of(const std::vector<std::vector<int>>& patches, double shift = 0) {
  const std::size_t size = patches[0].size();
  PatchMoments result{
      .samples = static_cast<std::int64_t>(patches.size()), .shift = shift, .blocks = {}};
  PatchBlock block{
      .first = 0, .size = size, .sums = std::vector<std::int64_t>(size, 0), .products = {}};
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      std::int32_t product = 0;
      for (const auto& patch : patches) product += patch[i] * patch[j];
      block.products.push_back(product);
    }
    for (const auto& patch : patches) block.sums[i] += patch[i];
  }
  result.blocks.push_back(std::move(block));
  return result;
}

Tensor row(const std::vector<float>& values) {
  return Tensor::from<float>({1, static_cast<std::int64_t>(values.size()), 1, 1},
                             std::span<const float>(values));
}

std::vector<int> integers(const QuantizedWeight& weight) {
  const auto values = weight.values.data<std::int8_t>();
  return {values.begin(), values.end()};
}

TEST(WeightRounding, WhatDoesNotVaryTogetherIsRoundedToTheNearest) {
  const PatchMoments independent =
      moments_of({{9, 0, 0}, {-9, 0, 0}, {0, 9, 0}, {0, -9, 0}, {0, 0, 9}, {0, 0, -9}});
  const Tensor weight = row({1.27F, 0.104F, -0.217F});
  EXPECT_EQ(integers(round_weight(weight, independent, {}, false)),
            (std::vector<int>{127, 10, -22}));
}

TEST(WeightRounding, ErrorsOfWhatVariesTogetherMakeUpForEachOther) {
  // Two neighbours that are always equal: 0.4 + 0.4 of a step is nearer to 1 than to 0.
  const PatchMoments equal = moments_of({{5, 9, 9}, {5, -9, -9}, {-5, 30, 30}, {-5, -30, -30}});
  const Tensor weight = row({1.27F, 0.104F, 0.204F});
  const QuantizedWeight rounded = round_weight(weight, equal, {}, false);
  const std::vector<int> values = integers(rounded);
  EXPECT_EQ(values[0], 127);
  EXPECT_EQ(values[1] + values[2], 31);
  EXPECT_EQ(rounded.sums[0], 127 + 31);
  EXPECT_EQ(rounded.scales,
            quantize_weight(weight, WeightScale::kMax, WeightGranularity::kPerChannel, 8).scales);
}

TEST(WeightRounding, ConstantElementsMatterOnlyWhereMeansAreKept) {
  // The first element is 100 in every patch: an error of its weight moves the mean, nothing else.
  const PatchMoments constant = moments_of({{100, 40}, {100, 60}, {100, 50}});
  const Tensor weight = row({1.27F, 0.504F});
  EXPECT_EQ(integers(round_weight(weight, constant, {}, false)), (std::vector<int>{127, 50}));
  const Tensor between = row({0.0149F, 0.0048F, 1.27F});
  const PatchMoments means = moments_of({{100, 99, 0}, {100, 101, 1}, {100, 100, -1}});
  const std::vector<int> kept = integers(round_weight(between, means, {}, true));
  EXPECT_EQ(kept[0] + kept[1], 2) << "1.49 + 0.48, and not 1 + 0";
}

TEST(WeightRounding, OutputsLoseLessThanWithNearestWeights) {
  // Smooth patches, as images have them.
  std::vector<std::vector<int>> patches;
  std::uint32_t seed = 1;
  const auto random = [&] {
    seed = seed * 1664525U + 1013904223U;
    return static_cast<double>(seed >> 8) / (1 << 24) - 0.5;
  };
  for (int p = 0; p < 200; ++p) {
    const double level = 200 * random();
    std::vector<int> patch(9);
    for (int& each : patch) each = static_cast<int>(level + 40 * random());
    patches.push_back(patch);
  }
  std::vector<float> values(9);
  for (float& value : values) value = static_cast<float>(random());
  const Tensor weight = row(values);
  const auto error = [&](const QuantizedWeight& rounded) {
    double sum = 0;
    for (const auto& patch : patches) {
      double difference = 0;
      for (std::size_t i = 0; i < 9; ++i) {
        const double real = integers(rounded)[i] * static_cast<double>(rounded.scales[0]);
        difference += (real - static_cast<double>(values[i])) * patch[i];
      }
      sum += difference * difference;
    }
    return sum;
  };
  const IntegerOptions five_bits{.weight_bits = 5};
  const double nearest =
      error(quantize_weight(weight, WeightScale::kMax, WeightGranularity::kPerChannel, 5));
  EXPECT_LT(error(round_weight(weight, moments_of(patches), five_bits, true)), nearest / 2);
}

TEST(WeightRounding, NothingLeavesTheRange) {
  const PatchMoments equal = moments_of({{90, 90, 90}, {-90, -90, -90}});
  const Tensor weight = row({1.27F, 1.2695F, -1.2695F});
  for (const int value : integers(round_weight(weight, equal, {}, true))) {
    EXPECT_LE(std::abs(value), 127);
  }
}

TEST(WeightRounding, ZerosAndPatchesThatNeverVary) {
  const PatchMoments still = moments_of({{7, 7}, {7, 7}});
  EXPECT_EQ(integers(round_weight(row({1.27F, 0.014F}), still, {}, false)),
            (std::vector<int>{127, 1}));
  EXPECT_EQ(integers(round_weight(row({0, 0}), moments_of({{1, 2}, {3, 4}}), {}, true)),
            (std::vector<int>{0, 0}));
}

}  // namespace
}  // namespace tvmq::quant
