// The loops that multiply four bytes at a time, held against the plain ones, and those against sums
// written out.
#include "exec/direct_sums.h"

#include "exec/avx512_vnni.h"
#include "program_helpers.h"

namespace tvmq::exec {
namespace {

constexpr std::int32_t kUntouched = -12345678;

/// Puts what it takes where it belongs.
class Collector final : public SumsReceiver {
 public:
  Collector(std::vector<std::int32_t>& to, std::int64_t step) : to_(to), step_(step) {}
  void take(const std::int32_t* sums, std::int64_t step, std::int64_t pixel, std::int64_t pixels,
            std::int64_t channel, std::int64_t channels) const override {
    for (std::int64_t p = 0; p < pixels; ++p) {
      for (std::int64_t c = 0; c < channels; ++c) {
        std::int32_t& to = to_[(pixel + p) * step_ + channel + c];
        EXPECT_EQ(to, kUntouched) << "taken twice";
        to = sums[p * step + c];
      }
    }
  }

 private:
  std::vector<std::int32_t>& to_;
  std::int64_t step_;
};

/// Sums one after the other, as they are defined.
std::vector<std::int32_t> written_out(const DirectShape& shape, const std::int8_t* weights,
                                      const std::uint8_t* data, const DirectPixels& pixels) {
  std::vector<std::int32_t> sums;
  for (std::int64_t y = 0; y < pixels.rows; ++y) {
    for (std::int64_t x = 0; x < pixels.columns; ++x) {
      std::vector<std::int32_t> pixel(static_cast<std::size_t>(shape.sums_step), kUntouched);
      for (std::int64_t c = 0; c < shape.channels; ++c) {
        const std::int8_t* weight = weights + c * shape.rows * shape.runs * shape.run_bytes;
        pixel[c] = 0;
        for (std::int64_t row = 0; row < shape.rows; ++row) {
          for (std::int64_t run = 0; run < shape.runs; ++run) {
            for (std::int64_t i = 0; i < shape.run_bytes; ++i) {
              const std::uint8_t byte = data[y * pixels.row_step + x * shape.pixel_step +
                                             row * shape.row_step + run * shape.run_step + i];
              const int value = shape.is_signed ? static_cast<std::int8_t>(byte) : byte;
              pixel[c] += value * *weight++;
            }
          }
        }
      }
      sums.insert(sums.end(), pixel.begin(), pixel.end());
    }
  }
  return sums;
}

void expect_equal_sums(DirectShape shape, const DirectPixels& pixels, std::int64_t low = -128,
                       std::int64_t high = 127, std::int64_t least_byte = 0) {
  Numbers numbers(static_cast<std::uint64_t>(shape.channels + shape.run_bytes));
  const std::int64_t depth = shape.rows * shape.runs * shape.run_bytes;
  const ir::Tensor weights = numbers.integers<std::int8_t>({shape.channels, depth}, low, high);
  // Not a byte more than is to be read: a sanitizer would see it.
  const std::int64_t bytes =
      (pixels.rows - 1) * pixels.row_step + (pixels.columns - 1) * shape.pixel_step +
      (shape.rows - 1) * shape.row_step + (shape.runs - 1) * shape.run_step + shape.run_bytes;
  std::vector<std::uint8_t> data;
  for (std::int64_t i = 0; i < bytes; ++i) {
    data.push_back(static_cast<std::uint8_t>(numbers.whole(least_byte, 255)));
  }
  const auto values = weights.data<std::int8_t>();
  const auto expected = written_out(shape, values.data(), data.data(), pixels);
  const auto check = [&](auto loop, bool for_vnni) {
    const DirectWeights ordered(shape, values, for_vnni);
    std::vector<std::int32_t> sums(expected.size(), kUntouched);
    loop(shape, ordered, data.data(), pixels, {.sums = sums.data()});
    EXPECT_EQ(sums, expected);
    std::vector<std::int32_t> taken(expected.size(), kUntouched);
    const Collector collector(taken, shape.sums_step);
    loop(shape, ordered, data.data(), pixels, {.receiver = &collector});
    EXPECT_EQ(taken, expected);
  };
  check(direct_sums_plain, false);
  if (has_avx512_vnni() && shape.run_bytes >= 4) check(direct_sums_vnni, true);
}

TEST(DirectSums, PixelsNextToEachOther) {
  for (const std::int64_t channels : {1, 15, 16, 17, 32, 40, 100}) {
    for (const std::int64_t depth : {1, 3, 4, 5, 6, 7, 8, 64, 83}) {
      for (const std::int64_t pixels : {1, 2, 13, 14, 15, 16, 29, 42}) {
        for (const bool is_signed : {false, true}) {
          SCOPED_TRACE(testing::Message() << channels << " channels of " << depth << ", " << pixels
                                          << " pixels" << (is_signed ? ", int8" : ", uint8"));
          expect_equal_sums({.channels = channels,
                             .run_bytes = depth,
                             .pixel_step = depth,
                             .sums_step = channels,
                             .is_signed = is_signed},
                            {.columns = pixels});
        }
      }
    }
  }
}

TEST(DirectSums, RowsOfKernelsAndOfPixels) {
  for (const std::int64_t columns : {1, 3, 6, 7, 8, 14, 20}) {
    for (const std::int64_t rows : {1, 2, 3, 4}) {
      for (const std::int64_t stride : {1, 2}) {
        for (const bool dilated : {false, true}) {
          SCOPED_TRACE(testing::Message() << rows << " x " << columns << " pixels, stride "
                                          << stride << (dilated ? ", dilated" : ""));
          constexpr std::int64_t kChannels = 5;
          constexpr std::int64_t kWidth = 60 * kChannels;
          expect_equal_sums({.channels = 36,
                             .rows = 3,
                             .runs = dilated ? 3 : 1,
                             .run_bytes = dilated ? kChannels : 3 * kChannels,
                             .run_step = 2 * kChannels,
                             .row_step = (dilated ? 2 : 1) * kWidth,
                             .pixel_step = stride * kChannels,
                             .sums_step = 36},
                            {.rows = rows, .columns = columns, .row_step = stride * kWidth});
        }
      }
    }
  }
}

TEST(DirectSums, ChannelsOfOtherGroupsStayAsTheyAre) {
  expect_equal_sums({.channels = 20, .run_bytes = 9, .pixel_step = 27, .sums_step = 60},
                    {.columns = 17});
}

TEST(DirectSums, LargestSums) {
  for (const bool is_signed : {false, true}) {
    for (const std::int64_t weight : {-128, 127}) {
      expect_equal_sums({.channels = 18,
                         .run_bytes = 65000,
                         .pixel_step = 65000,
                         .sums_step = 18,
                         .is_signed = is_signed},
                        {.columns = 3}, weight, weight, 255);
    }
  }
}

}  // namespace
}  // namespace tvmq::exec
