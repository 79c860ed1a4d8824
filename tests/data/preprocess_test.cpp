#include "data/preprocess.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "data/npz.h"

namespace tvmq::data {
namespace {

using ::testing::HasSubstr;

InputSpec input_of(ir::Shape shape, ir::DType dtype = ir::DType::kFloat32) {
  return {.name = "data", .type = {.dtype = dtype, .shape = std::move(shape)}};
}

// The settings of shared/golden/preprocess, whose arrays cv2.imread, cv2.resize and NumPy made.
struct GoldenCase {
  std::vector<double> mean;
  std::vector<double> std;
  bool normalization;
  std::array<int, 3> swap;
  std::array<std::int64_t, 2> resolution;
  const char* layout;
};
const GoldenCase kGoldenCases[] = {
    {{123.675, 116.28, 103.53}, {58.395, 57.12, 57.375}, false, {2, 1, 0}, {32, 32}, "NCHW"},
    {{104, 117, 123}, {1, 1, 1}, false, {0, 1, 2}, {47, 23}, "NCHW"},
    {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}, true, {2, 1, 0}, {40, 56}, "NHWC"},
    {{0, 0, 0}, {255, 255, 255}, false, {2, 1, 0}, {64, 64}, "NCWH"},
    {{127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}, false, {1, 2, 0}, {96, 80}, "NWCH"},
    {{1, 2, 3}, {4, 5, 6}, false, {2, 1, 0}, {224, 224}, "NWHC"},
};

/// Every array of caseI.npz in the folder against what we make of the image that it is named after.
void expect_golden(const std::filesystem::path& folder, std::size_t index) {
  const GoldenCase& row = kGoldenCases[index];
  for (const auto& [name, expected] : read_npz(folder / fmt::format("case{}.npz", index))) {
    SCOPED_TRACE(fmt::format("case {} {}", index, name));
    const Preprocessor preprocessor({.mean = row.mean,
                                     .std = row.std,
                                     .resolution = row.resolution,
                                     .layout = row.layout,
                                     .normalization = row.normalization,
                                     .channel_swap = row.swap},
                                    1, input_of(expected.shape()));
    const std::string file = read_file(folder / name);
    ir::Tensor batch = preprocessor.make_batch();
    preprocessor.store(resize(decode_image(file, name).image, preprocessor.image_size()), 0, batch);
    EXPECT_TRUE(batch.same_bytes(expected));
  }
}

TEST(Preprocess, EqualsOpenCVAndNumPyToTheLastBit) {
  const auto folder = std::filesystem::path(TVMQ_TESTS_DIR) / "fixtures/preprocess";
  for (const std::size_t index : {0, 2, 4}) expect_golden(folder, index);
}

TEST(Preprocess, EqualsOpenCVAndNumPyOnEveryGoldenCase) {
  const auto folder = std::filesystem::path(TVMQ_SHARED_DIR) / "golden/preprocess";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  for (std::size_t i = 0; i < std::size(kGoldenCases); ++i) expect_golden(folder, i);
}

TEST(Preprocess, PutsEveryImageOfABatchAtItsPlaceInEveryLayout) {
  // Two images of 2 x 3 pixels; element (n, c, h, w) of the result is decoded channel 2 - c.
  const ImageSize size{.width = 3, .height = 2};
  const auto pixel = [](std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
    return static_cast<std::uint8_t>(100 * n + 30 * c + 10 * h + w);
  };
  std::string layout = "CHNW";
  do {
    SCOPED_TRACE(layout);
    ir::Shape shape;
    for (const char axis : layout) shape.push_back(axis == 'N' || axis == 'H' ? 2 : 3);
    const Preprocessor preprocessor({.resolution = {{3, 2}}, .layout = layout}, 2, input_of(shape));
    ir::Tensor batch = preprocessor.make_batch();
    ASSERT_EQ(batch.shape(), shape);
    for (std::int64_t n = 0; n < 2; ++n) {
      Image image{.size = size, .bgr = {}};
      for (std::int64_t i = 0; i < 18; ++i) {
        image.bgr.push_back(pixel(n, i % 3, i / 9, i / 3 % 3));
      }
      preprocessor.store(image, n, batch);
    }
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      std::int64_t at[4] = {};  // n, c, h, w
      std::int64_t rest = i;
      for (std::size_t axis = 4; axis-- > 0;) {
        at[std::string_view("NCHW").find(layout[axis])] = rest % shape[axis];
        rest /= shape[axis];
      }
      ASSERT_EQ(batch.data<float>()[static_cast<std::size_t>(i)],
                pixel(at[0], 2 - at[1], at[2], at[3]));
    }
  } while (std::next_permutation(layout.begin(), layout.end()));
}

TEST(Preprocess, OneMeanServesAllChannelsAndMeansFollowTheModelsChannels) {
  const Image image{.size = {.width = 1, .height = 1}, .bgr = {10, 20, 30}};
  const auto result = [&](std::vector<double> mean, std::vector<double> std) {
    const Preprocessor preprocessor(
        {.mean = std::move(mean), .std = std::move(std), .resolution = {{1, 1}}}, 1,
        input_of({1, 3, 1, 1}));
    ir::Tensor batch = preprocessor.make_batch();
    preprocessor.store(image, 0, batch);
    const auto values = batch.data<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  EXPECT_THAT(result({10}, {2}), ::testing::ElementsAre(10, 5, 0));
  EXPECT_THAT(result({30, 20, 0}, {1, 1, 4}), ::testing::ElementsAre(0, 0, 2.5));
}

TEST(Preprocess, SaysWhatDoesNotFitAndWhatWould) {
  struct Case {
    ImageOptions options;
    std::int64_t batch;
    InputSpec input;
    std::string_view message;
  };
  const ImageOptions small{.resolution = {{32, 24}}};
  ImageOptions nhwc = small;
  nhwc.layout = "NHWC";
  ImageOptions wrong = small;
  wrong.layout = "NCHX";
  ImageOptions means = small;
  means.mean = {1, 2};
  const Case cases[] = {
      {small, 1, input_of({1, 3, 32, 32}),
       "axis 2 (H) has 32 elements; found ImageResolution [32, 24] (width, height), expected [32, "
       "32]"},
      {small, 1, input_of({1, 3, 32, 24}), "expected [24, 32]. Everything fits with Layout NCWH"},
      {small, 1, input_of({1, 24, 32, 3}),
       "axis 1 (C) has 24 elements; found images of 3 channels. Everything fits with Layout NHWC"},
      {nhwc, 1, input_of({1, 3, 24, 32}), "Everything fits with Layout NCHW"},
      {small, 1, input_of({1, 1, 24, 32}), ".npy files"},
      {small, 2, input_of({1, 3, 24, 32}),
       "axis 0 (N) has 1 elements; found BatchSize 2, expected 1"},
      {small, 1, input_of({1, 3, 24, 32}, ir::DType::kUInt8),
       "uint8(1, 3, 24, 32), expected float32"},
      {small, 1, input_of({1, 784}), "expected float32 of 4 dimensions"},
      {{},
       1,
       input_of({1, 3, 24, 32}),
       "ImageResolution is missing; the model's input 'data' is float32(1, 3, 24, 32), whose width "
       "and height with Layout NCHW are (32, 24)"},
      {wrong, 1, input_of({1, 3, 24, 32}), "found 'NCHX'"},
      {means, 1, input_of({1, 3, 24, 32}), "Dataset/Mean: found 2 values"},
  };
  for (const Case& row : cases) {
    try {
      const Preprocessor preprocessor(row.options, row.batch, row.input);
      ADD_FAILURE() << "no error: " << row.message;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(row.message));
    }
  }
}

TEST(Preprocess, DynamicDimensionsTakeWhatTheConfigurationSays) {
  const Preprocessor preprocessor({.resolution = {{8, 6}}}, 4,
                                  input_of({ir::kDynamicDim, 3, ir::kDynamicDim, 8}));
  EXPECT_EQ(preprocessor.make_batch().shape(), (ir::Shape{4, 3, 6, 8}));
}

}  // namespace
}  // namespace tvmq::data
