#include "data/dataset.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "base/error.h"
#include "data/image_bytes.h"
#include "data/npz_bytes.h"
#include "data/recording_log.h"
#include "data/temporary_folder.h"

namespace tvmq::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::npy;
using testing::RecordingLog;
using testing::TemporaryFolder;

InputSpec input_of(std::string name, ir::Shape shape, ir::DType dtype = ir::DType::kFloat32) {
  return {.name = std::move(name), .type = {.dtype = dtype, .shape = std::move(shape)}};
}

/// PNG images 0.png, 1.png, ... of one colour each: blue is the number.
void write_images(const TemporaryFolder& folder, int count) {
  for (int i = 0; i < count; ++i) {
    folder.write(fmt::format("{}.png", i),
                 testing::encoded(cv::Mat(2, 2, CV_8UC3, cv::Scalar(i, 100, 200)), ".png"));
  }
}

DatasetOptions image_options(const TemporaryFolder& folder) {
  return {.folder = folder.path(), .image = {.resolution = {{2, 2}}, .channel_swap = {0, 1, 2}}};
}

std::vector<std::string> all_sources(const Dataset& dataset) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < dataset.batches(); ++i) {
    for (std::string& name : dataset.sources(i)) names.push_back(std::move(name));
  }
  return names;
}

std::string error_of(const DatasetOptions& options, const std::vector<InputSpec>& inputs) {
  RecordingLog log;
  try {
    open_dataset(options, inputs, log);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Dataset, SplitsImagesIntoFullBatchesAndAVerificationSet) {
  const TemporaryFolder folder;
  write_images(folder, 9);
  struct Case {
    std::int64_t batch, samples, verification;
    std::vector<std::string> calibration, verified;
    std::string_view said;
  };
  const Case cases[] = {
      {1, 2, 0, {"0.png", "1.png"}, {}, ""},
      {1, 2, 3, {"0.png", "1.png"}, {"2.png", "3.png", "4.png"}, ""},
      {2,
       5,
       3,
       {"0.png", "1.png", "2.png", "3.png"},
       {"4.png", "5.png"},
       "4 samples are used instead of 5"},
      {1,
       8,
       9,
       {"0.png", "1.png", "2.png", "3.png", "4.png", "5.png", "6.png", "7.png"},
       {"8.png"},
       ""},
      {4,
       128,
       9,
       {"0.png", "1.png", "2.png", "3.png", "4.png", "5.png", "6.png", "7.png"},
       {},
       "asks for 128, the folder has 9"},
      {4,
       2,
       4,
       {"0.png", "1.png", "2.png", "3.png"},
       {"4.png", "5.png", "6.png", "7.png"},
       "4 samples are used instead of 2"},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(fmt::format("{} {} {}", row.batch, row.samples, row.verification));
    DatasetOptions options = image_options(folder);
    options.batch_size = row.batch;
    options.samples = row.samples;
    options.verification_samples = row.verification;
    RecordingLog log;
    const Datasets sets = open_dataset(options, {input_of("data", {row.batch, 3, 2, 2})}, log);
    EXPECT_EQ(all_sources(*sets.calibration), row.calibration);
    EXPECT_EQ(all_sources(*sets.verification), row.verified);
    EXPECT_THAT(log.text, row.said.empty() ? ::testing::Matcher<std::string>(IsEmpty())
                                           : ::testing::Matcher<std::string>(HasSubstr(row.said)));
  }
}

TEST(Dataset, LoadsTheImagesOfABatchInOrder) {
  const TemporaryFolder folder;
  write_images(folder, 4);
  DatasetOptions options = image_options(folder);
  options.batch_size = 2;
  RecordingLog log;
  const Datasets sets = open_dataset(options, {input_of("data", {2, 3, 2, 2})}, log);
  ASSERT_EQ(sets.calibration->batches(), 2);
  const auto batch = sets.calibration->load(1);
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->size(), 1);
  EXPECT_EQ((*batch)[0].shape(), (ir::Shape{2, 3, 2, 2}));
  EXPECT_THAT((*batch)[0].data<float>(),
              ElementsAre(2, 2, 2, 2, 100, 100, 100, 100, 200, 200, 200, 200,  //
                          3, 3, 3, 3, 100, 100, 100, 100, 200, 200, 200, 200));
}

TEST(Dataset, SkipsImagesThatCannotBeReadWithAWarning) {
  const TemporaryFolder folder;
  write_images(folder, 2);
  const std::string jpeg = testing::encoded(testing::picture(16, 16), ".jpg");
  folder.write("a.jpg", jpeg.substr(0, jpeg.size() - 10));
  folder.write("b.png", testing::encoded(testing::picture(8, 8), ".png").substr(0, 60));
  RecordingLog log;
  const Datasets sets = open_dataset(image_options(folder), {input_of("data", {1, 3, 2, 2})}, log);
  ASSERT_EQ(sets.calibration->batches(), 4);
  std::filesystem::remove(folder.path() / "1.png");
  EXPECT_TRUE(sets.calibration->load(0));
  EXPECT_FALSE(sets.calibration->load(1));
  EXPECT_TRUE(sets.calibration->load(2));
  EXPECT_FALSE(sets.calibration->load(3));
  EXPECT_FALSE(sets.calibration->load(3));
  EXPECT_THAT(sets.calibration->take_warnings(),
              ElementsAre(HasSubstr("1.png: cannot open"),
                          HasSubstr("a.jpg: the image is damaged, used as far as it goes"),
                          HasSubstr("b.png: the PNG image cannot be read")));
  EXPECT_THAT(sets.calibration->take_warnings(), IsEmpty());
}

TEST(Dataset, LoadsFromSeveralThreadsAtOnce) {
  const TemporaryFolder folder;
  write_images(folder, 40);
  for (int i = 0; i < 5; ++i) {
    folder.write(fmt::format("x{}.bmp", i), testing::encoded(testing::picture(4, 4), ".bmp"));
    folder.write(fmt::format("y{}.webp", i), "RIFF____WEBPVP8 damaged beyond repair");
  }
  RecordingLog log;
  const Datasets sets = open_dataset(image_options(folder), {input_of("data", {1, 3, 2, 2})}, log);
  std::vector<std::thread> threads;
  std::vector<int> loaded(4);
  for (std::size_t t = 0; t < loaded.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::int64_t i = 0; i < sets.calibration->batches(); ++i) {
        loaded[t] += sets.calibration->load(i).has_value() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(loaded, ElementsAre(45, 45, 45, 45));
  EXPECT_EQ(sets.calibration->take_warnings().size(), 5);
}

TEST(Dataset, SaysWhatDoesNotFit) {
  const TemporaryFolder folder;
  write_images(folder, 2);
  DatasetOptions options = image_options(folder);
  const InputSpec input = input_of("data", {1, 3, 2, 2});
  EXPECT_THAT(error_of(options, {input, input_of("more", {1})}),
              HasSubstr("a model with 2 inputs ('data', 'more')"));
  EXPECT_THAT(error_of(options, {}), HasSubstr("a model with 0 inputs"));
  EXPECT_THAT(error_of(options, {input_of("data", {1, 3, 4, 4})}), HasSubstr("expected [4, 4]"));
  options.batch_size = 3;
  EXPECT_THAT(error_of(options, {input_of("data", {3, 3, 2, 2})}), HasSubstr("found 2 files in"));
  options.folder /= "missing";
  EXPECT_THAT(error_of(options, {input}), HasSubstr("does not exist"));
}

TEST(TensorDataset, AFileIsABatchOrASample) {
  struct Case {
    std::int64_t batch_size;
    ir::Shape input;
    std::string_view shape;
    std::size_t elements;
    std::int64_t batches;
    ir::Shape loaded;
  };
  const Case cases[] = {
      {1, {1, 2, 3}, "(1, 2, 3)", 6, 4, {1, 2, 3}},
      {1, {1, 2, 3}, "(2, 3)", 6, 4, {1, 2, 3}},
      {2, {2, 3}, "(2, 3)", 6, 4, {2, 3}},
      {2, {2, 3}, "(1, 3)", 3, 2, {2, 3}},
      {2, {2, 3}, "(3,)", 3, 2, {2, 3}},
      {2, {ir::kDynamicDim, 3}, "(2, 3)", 6, 4, {2, 3}},
      {1, {}, "()", 1, 4, {}},
      {1, {1, ir::kDynamicDim}, "(1, 5)", 5, 4, {1, 5}},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(fmt::format("{} {}", ir::to_string(row.input), row.shape));
    const TemporaryFolder folder;
    for (int i = 0; i < 4; ++i) {
      folder.write(fmt::format("{}.npy", i),
                   npy("<f4", row.shape, std::vector<float>(row.elements, static_cast<float>(i))));
    }
    RecordingLog log;
    const Datasets sets = open_dataset({.folder = folder.path(), .batch_size = row.batch_size},
                                       {input_of("x", row.input)}, log);
    ASSERT_EQ(sets.calibration->batches(), row.batches);
    const auto batch = sets.calibration->load(row.batches - 1);
    ASSERT_TRUE(batch);
    EXPECT_EQ((*batch)[0].shape(), row.loaded);
    EXPECT_EQ((*batch)[0].data<float>().back(), 3);
    EXPECT_EQ((*batch)[0].data<float>().front(), row.batches == 4 ? 3 : 2);
  }
}

TEST(TensorDataset, AnNpzFileFillsSeveralInputsByName) {
  const TemporaryFolder folder;
  const auto file = [](float value) {
    return testing::zip(
        {{.name = "b.npy", .content = npy("<i4", "(1, 1)", std::vector<int>{7})},
         {.name = "a.npy", .content = npy("<f4", "(1, 2)", std::vector<float>{value, 1})},
         {.name = "label.npy", .content = npy("<i8", "()", std::vector<std::int64_t>{3})}});
  };
  folder.write("0.npz", file(5));
  folder.write(
      "1.npz",
      testing::zip({{.name = "a.npy", .content = npy("<f4", "(1, 2)", std::vector<float>{1, 1})}}));
  folder.write("2.npz", "PK\x03\x04 damaged");
  const std::vector<InputSpec> inputs = {input_of("a", {1, 2}),
                                         input_of("b", {1, 1}, ir::DType::kInt32)};
  RecordingLog log;
  const Datasets sets = open_dataset({.folder = folder.path()}, inputs, log);
  const auto batch = sets.calibration->load(0);
  ASSERT_TRUE(batch);
  EXPECT_THAT((*batch)[0].data<float>(), ElementsAre(5, 1));
  EXPECT_THAT((*batch)[1].data<std::int32_t>(), ElementsAre(7));
  EXPECT_FALSE(sets.calibration->load(1));
  EXPECT_FALSE(sets.calibration->load(2));
  EXPECT_THAT(sets.calibration->take_warnings(),
              ElementsAre(HasSubstr("1.npz: found a, expected an array named 'b'"),
                          HasSubstr("2.npz: no end of a zip directory")));
}

TEST(TensorDataset, ConvertsWhatStaysExact) {
  struct Case {
    std::string bytes;
    ir::DType dtype;
    std::string_view error;  // empty: the values are 1 and 2
  };
  const auto array = [](std::string_view descr, auto... values) {
    return npy(descr, "(2,)", std::vector{values...});
  };
  const Case cases[] = {
      {array("|u1", std::uint8_t{1}, std::uint8_t{2}), ir::DType::kFloat32, ""},
      {array("<f8", 1.0, 2.0), ir::DType::kFloat32, ""},
      {array("<f2", std::uint16_t{0x3c00}, std::uint16_t{0x4000}), ir::DType::kFloat32, ""},
      {array("<i8", std::int64_t{1}, std::int64_t{2}), ir::DType::kInt8, ""},
      {array("<f8", 1.0, 0.1), ir::DType::kFloat32, "element 1 is 0.1"},
      {array("<i8", std::int64_t{1}, std::int64_t{16777217}), ir::DType::kFloat32, "16777217"},
      {array("<i8", std::int64_t{1}, std::int64_t{128}), ir::DType::kInt8, "element 1 is 128"},
      {array("<f4", 1.0F, 1.5F), ir::DType::kInt32, "element 1 is 1.5"},
      {array("<f4", 1.0F, std::numeric_limits<float>::quiet_NaN()), ir::DType::kInt32, "nan"},
      {array("<f4", 1.0F, 1e30F), ir::DType::kInt64, "element 1"},
      {array("<f8", 1.0, 1e300), ir::DType::kFloat32, "element 1"},
  };
  for (const Case& row : cases) {
    const TemporaryFolder folder;
    folder.write("a.npy", row.bytes);
    const std::vector<InputSpec> inputs = {input_of("x", {2}, row.dtype)};
    const std::string error = error_of({.folder = folder.path()}, inputs);
    EXPECT_THAT(error, HasSubstr(row.error.empty() ? "no error" : row.error));
    if (!row.error.empty()) continue;
    RecordingLog log;
    const auto batch = open_dataset({.folder = folder.path()}, inputs, log).calibration->load(0);
    ASSERT_TRUE(batch);
    EXPECT_EQ((*batch)[0].dtype(), row.dtype);
    if (row.dtype == ir::DType::kFloat32) {
      EXPECT_THAT((*batch)[0].data<float>(), ElementsAre(1, 2));
    }
  }
}

TEST(TensorDataset, SaysWhatDoesNotFit) {
  const TemporaryFolder folder;
  folder.write("a.npy", npy("<f4", "(2, 3)", std::vector<float>(6)));
  const auto error = [&](const std::vector<InputSpec>& inputs, std::int64_t batch_size = 1) {
    return error_of({.folder = folder.path(), .batch_size = batch_size}, inputs);
  };
  EXPECT_THAT(error({input_of("x", {1, 3, 2})}),
              HasSubstr("a.npy: found an array of shape (2, 3), expected (1, 3, 2)"));
  EXPECT_THAT(error({input_of("x", {4, 2, 3})}), HasSubstr("BatchSize, which is 1"));
  EXPECT_THAT(error({input_of("x", {2, 2, 3})}, 2), HasSubstr("found 1 files"));
  EXPECT_THAT(error({input_of("x", {2, 3}), input_of("y", {1})}), HasSubstr("several inputs"));
  EXPECT_THAT(error({input_of("x", {2, 3}, ir::DType::kFloat16)}), HasSubstr("float16"));
  EXPECT_THAT(error({}), HasSubstr("no input"));
}

TEST(TensorDataset, AnArrayThatUnpacksToTooMuchIsSkipped) {
  const TemporaryFolder folder;
  folder.write(
      "a.npz",
      testing::zip({{.name = "x.npy", .content = npy("<f4", "(2,)", std::vector<float>(2))}}));
  folder.write("b.npz",
               testing::zip({{.name = "x.npy",
                              .content = npy("<f4", "(1000000,)", std::vector<float>(1'000'000)),
                              .deflate = true}}));
  RecordingLog log;
  const Datasets sets = open_dataset({.folder = folder.path()}, {input_of("x", {2})}, log);
  EXPECT_FALSE(sets.calibration->load(1));
  EXPECT_THAT(sets.calibration->take_warnings(), ElementsAre(HasSubstr("expected at most 16")));
}

}  // namespace
}  // namespace tvmq::data
