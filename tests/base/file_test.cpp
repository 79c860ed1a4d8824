#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "base/error.h"

namespace tvmq {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(FileTest, WhatIsCommittedCanBeReadBack) {
  const std::string text(3 << 20, 'x');
  AtomicFile file(folder_ / "a");
  file.write(text);
  file.write("end");
  EXPECT_FALSE(fs::exists(folder_ / "a")) << "nothing appears before commit";
  file.commit();
  EXPECT_EQ(read_file(folder_ / "a"), text + "end");
  EXPECT_EQ(file.size(), text.size() + 3);
  EXPECT_EQ(files(), 1U) << "no temporary file stays behind";
}

TEST_F(FileTest, WithoutCommitTheOldFileStays) {
  std::ofstream(folder_ / "a") << "old";
  {
    AtomicFile file(folder_ / "a");
    file.write("new");
    file.prepare();
    EXPECT_EQ(read_file(file.temporary_path()), "new");
  }
  EXPECT_EQ(read_file(folder_ / "a"), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, TwoWritersOfOneFileDoNotMix) {
  AtomicFile first(folder_ / "a");
  AtomicFile second(folder_ / "a");
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  EXPECT_EQ(read_file(folder_ / "a"), "first");
}

TEST_F(FileTest, RemovesWhatAKilledRunLeftAndNothingElse) {
  const std::set<std::string> kept = {"a.0123abcg.tmp", "a.0123abc.tmp", "ab.0123abcd.tmp",
                                      "b.0123abcd.tmp", "a.0123abcd.tmp~"};
  for (const std::string& name : kept) std::ofstream(folder_ / name) << "not ours";
  std::ofstream(folder_ / "a.0123abcd.tmp") << "half of a file";
  fs::create_directory(folder_ / "a.89abcdef.tmp");
  AtomicFile living(folder_ / "a");
  AtomicFile file(folder_ / "a");
  EXPECT_FALSE(fs::exists(folder_ / "a.0123abcd.tmp"));
  EXPECT_TRUE(fs::exists(folder_ / "a.89abcdef.tmp")) << "a folder is none of ours";
  EXPECT_TRUE(fs::exists(living.temporary_path())) << "someone still writes it";
  for (const std::string& name : kept) EXPECT_TRUE(fs::exists(folder_ / name)) << name;
}

TEST_F(FileTest, ADiskThatIsFullLeavesTheOldFile) {
  std::ofstream(folder_ / "a") << "old";
  // A limit on the size of files fails as a full disk does, if the signal is ignored.
  const rlimit before = [] {
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    return limit;
  }();
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::string error;
  try {
    AtomicFile file(folder_ / "a");
    file.write(std::string(5000, 'x'));
    file.commit();
  } catch (const InputError& caught) {
    error = caught.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_NE(error.find("a: cannot write: File too large"), std::string::npos) << error;
  EXPECT_EQ(read_file(folder_ / "a"), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, RefusesWhatIsNotARegularFile) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const fs::path& path : {folder_, pipe, fs::path("/dev/zero"), folder_ / "missing"}) {
    EXPECT_THROW(read_file(path), InputError) << path;
  }
}

TEST_F(FileTest, ADirectoryThatDoesNotExistIsAnInputErrorThatNamesTheFile) {
  try {
    const AtomicFile file(folder_ / "missing" / "a");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("missing/a: cannot create"), std::string::npos)
        << error.what();
  }
}

TEST_F(FileTest, TrailingZerosAreReservedNotPartOfTheText) {
  std::ofstream(folder_ / "a") << "abc";
  const std::string text = read_file(folder_ / "a", 64);
  EXPECT_EQ(text, "abc");
  EXPECT_GE(text.capacity(), text.size() + 64);
}

}  // namespace
}  // namespace tvmq
