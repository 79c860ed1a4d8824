// The loops that multiply four bytes at a time, held against the plain ones.
#include "exec/depthwise_rows.h"

#include <new>

#include "exec/avx512_vnni.h"
#include "program_helpers.h"

namespace tvmq::exec {
namespace {

struct FreeAligned {
  void operator()(std::byte* pointer) const { ::operator delete[](pointer, std::align_val_t{64}); }
};

std::int64_t positions(std::int64_t size, std::int64_t padding, std::int64_t kernel,
                       std::int64_t dilation, std::int64_t stride) {
  return (size + 2 * padding - (kernel - 1) * dilation - 1) / stride + 1;
}

void expect_equal_rows(const ImageWindow& shape, std::int64_t rows) {
  Numbers numbers(static_cast<std::uint64_t>(shape.channels));
  const std::int64_t taps = shape.kernel_height * shape.kernel_width;
  const ir::Tensor weights = numbers.integers<std::int8_t>({shape.channels, taps}, -128, 127);
  const ir::Tensor data =
      numbers.integers<std::uint8_t>({shape.data_height, shape.data_width, shape.channels}, 0, 255);
  const DepthwiseWeights packed(shape, weights.data<std::int8_t>().data());
  const std::unique_ptr<std::byte[], FreeAligned> scratch(static_cast<std::byte*>(
      ::operator new[](depthwise_scratch_bytes(shape), std::align_val_t{64})));
  const auto count = static_cast<std::size_t>(shape.result_width * shape.channels);
  const auto* pixels = data.data<std::uint8_t>().data();
  for (std::int64_t together = 1; together <= rows_together(shape); ++together) {
    for (std::int64_t y = 0; y + together <= rows; ++y) {
      std::vector<std::int32_t> plain(together * count + 1, -1);
      std::vector<std::int32_t> fast(together * count + 1, -1);
      for (std::int64_t row = 0; row < together; ++row) {
        depthwise_row_plain(shape, packed, pixels, y + row, plain.data() + row * count);
      }
      depthwise_rows_vnni(shape, packed, pixels, y, together, fast.data(), nullptr, scratch.get());
      // The last one: nothing is written behind the rows.
      ASSERT_EQ(plain, fast) << together << " rows from " << y;
    }
  }
}

TEST(DepthwiseRows, FourBytesAtATimeEqualThePlainLoops) {
  if (!has_avx512_vnni()) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  for (const std::int64_t channels : {1, 3, 16, 17, 64, 100, 144}) {
    for (const std::int64_t kernel : {1, 2, 3, 5, 7}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        for (const std::int64_t dilation : {1, 2}) {
          for (const bool is_signed : {false, true}) {
            SCOPED_TRACE(testing::Message()
                         << channels << " channels, kernel " << kernel << ", stride " << stride
                         << ", dilation " << dilation << (is_signed ? ", int8" : ", uint8"));
            ImageWindow shape{.channels = channels,
                              .data_height = 8,
                              .data_width = 9,
                              .kernel_height = kernel,
                              .kernel_width = kernel,
                              .stride_y = stride,
                              .stride_x = stride,
                              .dilation_y = dilation,
                              .dilation_x = dilation,
                              .top = kernel * dilation - 1,  // some rows see only padding
                              .left = kernel / 2 * dilation,
                              .pad_value = static_cast<std::uint8_t>(stride == 2 ? 0 : 77),
                              .is_signed = is_signed};
            shape.result_width = positions(9, shape.left, kernel, dilation, stride);
            if (shape.result_width < 1) continue;
            expect_equal_rows(shape, positions(8, shape.top, kernel, dilation, stride));
          }
        }
      }
    }
  }
}

TEST(DepthwiseRows, AsManyTogetherAsFitIntoTheirRegisters) {
  const struct {
    ImageWindow shape;
    std::int64_t expected;
  } rows[] = {
      {{.kernel_height = 1}, 4},
      {{.kernel_height = 3}, 2},
      {{.kernel_height = 4}, 1},
      {{.kernel_height = 5}, 4},
      {{.kernel_height = 7}, 2},
      {{.kernel_height = 3, .stride_y = 2}, 1},
      {{.kernel_height = 3, .dilation_y = 2}, 1},
  };
  for (const auto& row : rows) EXPECT_EQ(rows_together(row.shape), row.expected);
}

TEST(DepthwiseRows, KernelsThatAreNotSquare) {
  if (!has_avx512_vnni()) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  for (const auto& [height, width] : {std::pair{1, 9}, {9, 1}, {4, 3}, {3, 4}}) {
    expect_equal_rows({.channels = 70,
                       .data_height = 12,
                       .data_width = 12,
                       .result_width = 12 - width + 1,
                       .kernel_height = height,
                       .kernel_width = width},
                      12 - height + 1);
  }
}

TEST(DepthwiseRows, SumsOfAKnownKernel) {
  // 2 x 2 pixels of one channel, a 2 x 2 kernel.
  const std::vector<std::int8_t> weights = {1, -2, 3, 100};
  for (const bool is_signed : {false, true}) {
    const ImageWindow shape{.channels = 1,
                            .data_height = 2,
                            .data_width = 2,
                            .result_width = 1,
                            .kernel_height = 2,
                            .kernel_width = 2,
                            .is_signed = is_signed};
    const std::vector<std::uint8_t> data = {10, 20, 30, 255};
    std::int32_t sum = 0;
    depthwise_row_plain(shape, DepthwiseWeights(shape, weights.data()), data.data(), 0, &sum);
    EXPECT_EQ(sum, 10 - 40 + 90 + 100 * (is_signed ? -1 : 255));
  }
}

}  // namespace
}  // namespace tvmq::exec
