#include "data/labels.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/image_bytes.h"
#include "data/recording_log.h"
#include "data/temporary_folder.h"

namespace tvmq::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RecordingLog;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

std::string error_of(std::string_view text) {
  try {
    parse_labels(text, "list.txt");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::string error_of_file(const fs::path& list) {
  try {
    read_labels(list);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ParseLabels, LinesOfFileAndLabel) {
  const LabelList list = parse_labels(
      "a.jpg 3\r\n\n# comment 5\n  my dog.png\t 0 \nsub/b.npy 9223372036854775807", "l");
  EXPECT_THAT(list.files, ElementsAre("a.jpg", "my dog.png", "sub/b.npy"));
  EXPECT_THAT(list.labels, ElementsAre(3, 0, 9223372036854775807));
}

TEST(ParseLabels, WhatIsNoListIsRefusedWithItsLine) {
  EXPECT_THAT(error_of(""), HasSubstr("no image"));
  EXPECT_THAT(error_of("# only a comment\n"), HasSubstr("no image"));
  for (const std::string_view bad : {"a.jpg", "a.jpg cat", "a.jpg -1", "a.jpg 1.5", "a.jpg +1",
                                     "a.jpg 9223372036854775808", "a.jpg 0x10", "a.jpg,3"}) {
    EXPECT_THAT(error_of(fmt::format("ok.jpg 1\n{}\n", bad)), HasSubstr("line 2")) << bad;
  }
  EXPECT_THAT(error_of(std::string_view("a\0b.jpg 1", 9)), HasSubstr("line 1"));
  const std::string message = error_of(std::string(1 << 20, 'x'));
  EXPECT_LT(message.size(), 300U) << "a line of any length";
  EXPECT_THAT(error_of(std::string_view("\x01\x02 x")), HasSubstr("'?? x'"));
}

TEST(ReadLabels, TakesTheFolderThatIsNamedAndNoOther) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "named");
  folder.write("both.png", "");
  folder.write("named/both.png", "");
  folder.write("here.png", "");
  folder.write("list.txt", "both.png 0\n");
  folder.write("other.txt", "here.png 0\n");
  EXPECT_EQ(read_labels_of(folder.path() / "list.txt", folder.path() / "named").folder,
            folder.path() / "named");
  try {
    read_labels_of(folder.path() / "other.txt", folder.path() / "named");
    ADD_FAILURE() << "no InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'here.png' is not in"));
  }
}

TEST(ReadLabels, FindsTheFolderOfTheImages) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "validation");
  fs::create_directories(folder.path() / "calibration");
  fs::create_directories(folder.path() / "also");
  folder.write("validation/v.png", "");
  folder.write("validation/both.png", "");
  folder.write("calibration/both.png", "");
  folder.write("also/a.png", "");
  folder.write("here.png", "");
  const auto folder_of = [&](const std::string& list, const std::string& file,
                             const fs::path& also = {}) {
    folder.write(list, file + " 0\n");
    return read_labels(folder.path() / list, also).folder;
  };
  EXPECT_EQ(folder_of("validation.txt", "here.png"), folder.path());
  EXPECT_EQ(folder_of("validation.txt", "both.png"), folder.path() / "validation");
  EXPECT_EQ(folder_of("validation_b.txt", "v.png"), folder.path() / "validation");
  EXPECT_EQ(folder_of("l.txt", "both.png", folder.path() / "calibration"),
            folder.path() / "calibration");
  folder.write("l.txt", "both.png 0\n");
  EXPECT_THAT(error_of_file(folder.path() / "l.txt"), HasSubstr("calibration.txt"));
  folder.write("l.txt", "nowhere.png 0\n");
  EXPECT_THAT(error_of_file(folder.path() / "l.txt"), HasSubstr("nowhere.png"));
  EXPECT_THAT(error_of_file(folder.path() / "missing.txt"), HasSubstr("missing.txt"));
  EXPECT_THAT(error_of_file(folder.path() / "validation"), HasSubstr("validation"));
}

TEST(OpenLabelled, ImagesInTheOrderOfTheListInFullBatches) {
  const TemporaryFolder folder;
  for (int i = 0; i < 3; ++i) {
    folder.write(fmt::format("{}.png", i),
                 testing::encoded(cv::Mat(2, 2, CV_8UC3, cv::Scalar(i, 100, 200)), ".png"));
  }
  folder.write("list.txt", "2.png 7\n0.png 8\n1.png 9\n");
  RecordingLog log;
  const std::vector<InputSpec> inputs = {
      {.name = "x", .type = {.dtype = ir::DType::kFloat32, .shape = {2, 3, 2, 2}}}};
  const DatasetOptions options{
      .folder = {}, .batch_size = 2, .image = {.resolution = {{2, 2}}, .channel_swap = {0, 1, 2}}};
  const LabelledDataset labelled =
      open_labelled(read_labels(folder.path() / "list.txt"), options, inputs, log);
  EXPECT_EQ(labelled.dataset->batches(), 1);
  EXPECT_THAT(labelled.dataset->sources(0), ElementsAre("2.png", "0.png"));
  EXPECT_EQ(labelled.labels[0], 7);
  const auto batch = labelled.dataset->load(0);
  ASSERT_TRUE(batch);
  EXPECT_EQ((*batch)[0].data<float>()[0], 2) << "blue is the number";
  EXPECT_THAT(log.text, HasSubstr("2 of 3"));
}

TEST(OpenLabelled, RefusesWhatIsNoImageAndTooFew) {
  const TemporaryFolder folder;
  folder.write("a.png", "no image");
  RecordingLog log;
  const std::vector<InputSpec> inputs = {
      {.name = "x", .type = {.dtype = ir::DType::kFloat32, .shape = {1, 3, 2, 2}}}};
  const LabelList list{.folder = folder.path(), .files = {"a.png"}, .labels = {0}};
  EXPECT_THROW(open_labelled(list, {.folder = {}, .image = {.resolution = {{2, 2}}}}, inputs, log),
               InputError);
}

}  // namespace
}  // namespace tvmq::data
