#include "base/memory_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <limits>

namespace tvmq {
namespace {

TEST(MemoryLimit, IsWhatThisProcessMayHave) {
  const std::uint64_t whole = memory_limit();
  EXPECT_GT(whole, std::uint64_t{1} << 26);
  struct rlimit before {};
  ASSERT_EQ(getrlimit(RLIMIT_DATA, &before), 0);
  const struct rlimit small { .rlim_cur = whole - (1 << 20), .rlim_max = before.rlim_max };
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &small), 0);
  EXPECT_EQ(memory_limit(), whole - (1 << 20));
  setrlimit(RLIMIT_DATA, &before);
}

TEST(HasRoom, AsksTheSystem) {
  EXPECT_TRUE(has_room(std::size_t{1} << 20));
  EXPECT_FALSE(has_room(std::size_t{1} << 60));
}

TEST(MemoryLimit, OfAGroupIsANumberOrNone) {
  const std::string path = testing::TempDir() + "/memory.max";
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  const auto limit = [&](std::string_view text) {
    std::ofstream(path) << text;
    return read_group_limit(path);
  };
  EXPECT_EQ(limit("1073741824\n"), std::uint64_t{1} << 30);
  EXPECT_EQ(limit("max\n"), kNone);
  EXPECT_EQ(limit(""), kNone);
  EXPECT_EQ(limit("99999999999999999999999\n"), kNone);
  EXPECT_EQ(read_group_limit("/nonexistent/memory.max"), kNone);
}

}  // namespace
}  // namespace tvmq
