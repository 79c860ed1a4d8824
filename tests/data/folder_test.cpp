#include "data/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "data/image_bytes.h"
#include "data/npz_bytes.h"
#include "data/recording_log.h"
#include "data/temporary_folder.h"

namespace tvmq::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RecordingLog;
using testing::TemporaryFolder;

std::string error_of(const std::filesystem::path& folder) {
  RecordingLog log;
  try {
    list_folder(folder, log);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Folder, ListsImagesByTheirContentInTheOrderOfTheirNames) {
  const TemporaryFolder folder;
  const std::string jpeg = testing::encoded(testing::picture(8, 8), ".jpg");
  for (const char* name : {"b.jpg", "a.dat", "B", "\xc3\xa4.png", "c with blank.jpeg"}) {
    folder.write(name, jpeg);
  }
  folder.write(".hidden.jpg", jpeg);
  folder.write("notes.jpg", "these are notes, whatever the name says");
  folder.write("empty.png", "");
  std::filesystem::create_directory(folder.path() / "d.jpg");
  std::filesystem::create_directory(folder.path() / "sub");
  std::filesystem::create_symlink(folder.path() / "b.jpg", folder.path() / "link.jpg");
  std::filesystem::create_symlink(folder.path() / "nowhere", folder.path() / "broken.jpg");
  ASSERT_EQ(::mkfifo((folder.path() / "pipe.jpg").c_str(), 0600), 0);

  RecordingLog log;
  const FolderContents contents = list_folder(folder.path(), log);
  EXPECT_EQ(contents.kind, FolderKind::kImages);
  EXPECT_THAT(contents.files,
              ElementsAre("B", "a.dat", "b.jpg", "c with blank.jpeg", "link.jpg", "\xc3\xa4.png"));
  EXPECT_THAT(log.text, AllOf(HasSubstr("warning: 2 of 8 files"),
                              HasSubstr("skipped (empty.png, notes.jpg)")));
}

TEST(Folder, ListsArrays) {
  const TemporaryFolder folder;
  const std::string array = testing::npy<float>("<f4", "(1,)", {1});
  folder.write("b.npy", array);
  folder.write("a.npz", testing::zip({{.name = "x.npy", .content = array}}));
  RecordingLog log;
  const FolderContents contents = list_folder(folder.path(), log);
  EXPECT_EQ(contents.kind, FolderKind::kArrays);
  EXPECT_THAT(contents.files, ElementsAre("a.npz", "b.npy"));
  EXPECT_EQ(log.text, "");
}

TEST(Folder, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(folder.path() / "no"), HasSubstr("does not exist"));
  EXPECT_THAT(error_of(folder.path()), HasSubstr("found no file in the folder"));
  folder.write("readme.txt", "text");
  EXPECT_THAT(error_of(folder.path() / "readme.txt"), HasSubstr("is no folder"));
  EXPECT_THAT(error_of(folder.path()), HasSubstr("found only 1 files of other kinds (readme.txt)"));
  folder.write("a.npy", testing::npy<float>("<f4", "(1,)", {1}));
  folder.write("b.png", testing::encoded(testing::picture(8, 8), ".png"));
  EXPECT_THAT(error_of(folder.path()),
              HasSubstr("found 1 images (b.png) and 1 NumPy files (a.npy)"));
}

}  // namespace
}  // namespace tvmq::data
