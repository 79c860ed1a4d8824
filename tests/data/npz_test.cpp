#include "data/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "base/error.h"
#include "data/npz_bytes.h"

namespace tvmq::data {
namespace {

using testing::element_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::le;
using testing::npy;
using testing::npy_with_header;
using testing::TestMember;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Npy, ReadsEveryElementType) {
  struct Case {
    std::string_view descr;
    ir::DType dtype;
  };
  const Case cases[] = {
      {"|b1", ir::DType::kBool},    {"|i1", ir::DType::kInt8},    {"<i2", ir::DType::kInt16},
      {"<i4", ir::DType::kInt32},   {"<i8", ir::DType::kInt64},   {"|u1", ir::DType::kUInt8},
      {"<u2", ir::DType::kUInt16},  {"<u4", ir::DType::kUInt32},  {"<u8", ir::DType::kUInt64},
      {"<f2", ir::DType::kFloat16}, {"<f4", ir::DType::kFloat32}, {"<f8", ir::DType::kFloat64},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.descr);
    std::vector<std::uint8_t> bytes(3 * ir::dtype_size(row.dtype), 1);
    bytes.back() = 0;
    const ir::Tensor tensor = parse_npy(npy(row.descr, "(3,)", bytes), "x.npy");
    EXPECT_EQ(tensor.dtype(), row.dtype);
    EXPECT_EQ(tensor.shape(), ir::Shape{3});
    EXPECT_EQ(std::memcmp(tensor.bytes(), bytes.data(), bytes.size()), 0);
  }
}

TEST(Npy, ReadsVersionsShapesAndSpellings) {
  const std::string element = element_bytes<float>({1.5F});
  struct Case {
    std::string header;
    int version;
    ir::Shape shape;
  };
  const Case cases[] = {
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 1, {}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 2, {1}},
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }   \n", 3, {1, 1}},
      {R"({"shape":(1L,1L,1),"descr":"<f4","fortran_order":False})", 1, {1, 1, 1}},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.header);
    const ir::Tensor tensor = parse_npy(npy_with_header(row.header, element, row.version), "x.npy");
    EXPECT_EQ(tensor.shape(), row.shape);
    EXPECT_THAT(tensor.data<float>(), ElementsAre(1.5F));
  }
  EXPECT_EQ(parse_npy(npy<float>("<f4", "(0, 3, 4)", {}), "x.npy").size(), 0);
}

TEST(Npy, FortranOrderBecomesRowMajor) {
  const ir::Tensor tensor = parse_npy(
      npy_with_header("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3, 2), }",
                      element_bytes<std::int32_t>({0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11})),
      "x.npy");
  EXPECT_THAT(tensor.data<std::int32_t>(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
}

TEST(Npy, BooleansAreZeroOrOne) {
  const ir::Tensor tensor = parse_npy(npy<std::uint8_t>("|b1", "(3,)", {0, 7, 255}), "x.npy");
  EXPECT_EQ(static_cast<int>(tensor.bytes()[1]), 1);
  EXPECT_EQ(static_cast<int>(tensor.bytes()[2]), 1);
}

TEST(Npy, RefusesWhatItCannotRead) {
  const std::string two = element_bytes<float>({1, 2});
  struct Case {
    std::string bytes;
    std::string_view message;
  };
  const auto header = [&](std::string_view text) { return npy_with_header(text, two); };
  const Case cases[] = {
      {"", "does not start with"},
      {"\x93NUMPY", "truncated"},
      {npy_with_header("{}", "", 9), "version 9"},
      {npy_with_header("{}", ""), "no descr"},
      {"\x93NUMPY" + le(2, 2) + le(0xffffffff, 4), "truncated"},
      {npy("<f4", "(3,)", std::vector<float>{1, 2}), "found 8 bytes of elements, expected 12"},
      {npy("<f4", "(1,)", std::vector<float>{1, 2}), "one array per file"},
      {npy(">f4", "(2,)", std::vector<float>{1, 2}), "little-endian"},
      {npy("<c8", "(1,)", std::vector<float>{1, 2}), "'<c8'"},
      {npy("|O", "(1,)", std::vector<float>{1, 2}), "'|O'"},
      {npy("", "(2,)", std::vector<float>{1, 2}), "NumPy type ''"},
      {npy("<f4", "(4611686018427387904, 4)", std::vector<float>{}), "any memory"},
      {npy("<f4", "(4611686018427387904,)", std::vector<float>{}), "any memory"},
      {npy("<f4", "(9223372036854775808,)", std::vector<float>{}), "dimension"},
      {npy("<f4", "(-1,)", std::vector<float>{}), "dimension"},
      {npy("<f4", "(" + std::string(99, '1') + ")", std::vector<float>{}), "dimension"},
      {header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"), "structured"},
      {header("{'descr': '<f4', 'fortran_order': None, 'shape': (2,), }"), "True or False"},
      {header("{'descr': '<f4', 'shape': (2,), }"), "no fortran_order"},
      {header("{'descr': '<f4', 'fortran_order': False}"), "no shape"},
      {header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}"), "key 'x'"},
      {header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} ;"), "behind"},
      {header("{'descr': '<f4"), "without an end"},
      {header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,"), "dimension"},
      {header(
           "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
           "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2)}"),
       "32 dimensions"},
  };
  for (const Case& row : cases) {
    EXPECT_THAT(error_of([&] { parse_npy(row.bytes, "x.npy"); }),
                AllOf(HasSubstr("x.npy"), HasSubstr(row.message)));
  }
}

std::vector<TestMember> two_members(bool deflate, bool zip64 = false) {
  return {{.name = "data.npy",
           .content = npy("<f4", "(2, 2)", std::vector<float>{1, 2, 3, 4}),
           .deflate = deflate,
           .zip64 = zip64},
          {.name = "a/b.npy",
           .content = npy("<i8", "(1,)", std::vector<std::int64_t>{-5}),
           .deflate = deflate,
           .zip64 = zip64}};
}

TEST(Npz, ReadsStoredDeflatedAndZip64) {
  for (const bool deflate : {false, true}) {
    for (const bool zip64 : {false, true}) {
      for (const bool zip64_end : {false, true}) {
        const NpzArrays arrays = parse_npz(
            testing::zip(two_members(deflate, zip64), zip64_end, zip64 ? "a comment" : ""),
            "x.npz");
        ASSERT_EQ(arrays.size(), 2);
        EXPECT_THAT(arrays.at("data").data<float>(), ElementsAre(1, 2, 3, 4));
        EXPECT_EQ(arrays.at("data").shape(), (ir::Shape{2, 2}));
        EXPECT_THAT(arrays.at("a/b").data<std::int64_t>(), ElementsAre(-5));
      }
    }
  }
  EXPECT_TRUE(parse_npz(testing::zip({}), "x.npz").empty());
}

TEST(Npz, ReadsWhatNumpyWrote) {
  const auto path = std::filesystem::path(TVMQ_SHARED_DIR) / "golden/nets/two_inputs/inputs.npz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const NpzArrays arrays = read_npz(path);
  EXPECT_GE(arrays.size(), 4);
  for (const auto& [name, array] : arrays) EXPECT_EQ(array.dtype(), ir::DType::kFloat32) << name;
}

TEST(Npz, RefusesLies) {
  const TestMember good = two_members(true)[0];
  const auto with = [&](auto change) {
    TestMember bad = good;
    change(bad);
    return testing::zip({bad});
  };
  struct Case {
    std::string bytes;
    std::string_view message;
  };
  const Case cases[] = {
      {"", "no end of a zip directory"},
      {std::string(70000, 'x'), "no end of a zip directory"},
      {with([](TestMember& m) { m.lie_about_size = 1; }), "cannot be unpacked"},
      {with([](TestMember& m) { m.lie_about_size = -1; }), "cannot be unpacked"},
      {with([](TestMember& m) { m.lie_about_size = 1LL << 30; }), "cannot hold them"},
      {with([](TestMember& m) {
         m.zip64 = true;
         m.lie_about_size = 1LL << 62;
       }),
       "cannot hold them"},
      {with([](TestMember& m) { m.lie_about_packed = 1 << 20; }), "the file has"},
      {with([](TestMember& m) {
         m.zip64 = true;
         m.lie_about_packed = -200;
       }),
       "the file has"},
      {with([](TestMember& m) { m.lie_about_packed = -3; }), "cannot be unpacked"},
      {with([](TestMember& m) { m.lie_about_crc = 1; }), "checksum"},
      {with([](TestMember& m) { m.flags = 1; }), "encrypted"},
      {with([](TestMember& m) { m.method = 14; }), "method 14"},
      {with([](TestMember& m) { m.name = "readme.txt"; }), "'readme.txt'"},
      {with([](TestMember& m) { m.content = "no array"; }), "x.npz[data]: the .npy array"},
      {testing::zip({good, good}), "two arrays"},
  };
  for (const Case& row : cases) {
    EXPECT_THAT(error_of([&] { parse_npz(row.bytes, "x.npz"); }),
                AllOf(HasSubstr("x.npz"), HasSubstr(row.message)));
  }
}

TEST(Npz, RefusesMembersThatShareBytes) {
  // Many directory entries for one member would unpack to more than the file's own size allows.
  const std::string archive =
      testing::zip({{.name = "a.npy", .content = npy("<f4", "(2000,)", std::vector<float>(2000))}});
  const std::size_t directory = archive.find(le(0x02014b50, 4));
  const std::size_t end = archive.find(le(0x06054b50, 4));
  std::string bomb = archive.substr(0, end);
  for (int i = 1; i < 100; ++i) bomb += archive.substr(directory, end - directory);
  bomb += le(0x06054b50, 4) + le(0, 4) + le(100, 2) + le(100, 2) + le(100 * (end - directory), 4) +
          le(directory, 4) + le(0, 2);
  EXPECT_THAT(error_of([&] { parse_npz(bomb, "x.npz"); }), HasSubstr("share bytes"));
}

TEST(Npz, HonoursTheLimit) {
  const std::string bomb =
      testing::zip({{.name = "a.npy", .content = std::string(4 << 20, '\0'), .deflate = true}});
  EXPECT_LT(bomb.size(), 10000);
  EXPECT_THAT(error_of([&] { parse_npz(bomb, "x.npz", {.max_array_bytes = 1 << 20}); }),
              HasSubstr("expected at most 1048576"));
}

TEST(Npz, EveryTruncationIsAnInputError) {
  for (const bool deflate : {false, true}) {
    const std::string whole = testing::zip(two_members(deflate, true), true);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      // A copy of its own, so that reading past the end is seen by the sanitizers.
      const std::vector<char> part(whole.begin(), whole.begin() + static_cast<long>(length));
      EXPECT_THROW(parse_npz({part.data(), part.size()}, "x.npz"), InputError) << length;
    }
  }
}

TEST(Npz, DamagedBytesNeverCrash) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same cases in every run
  const std::string whole = testing::zip(two_members(true, true), true);
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = whole;
    const auto changes = 1 + random() % 4;
    for (std::size_t j = 0; j < changes; ++j) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    try {
      parse_npz(damaged, "x.npz", {.max_array_bytes = 1 << 20});
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace tvmq::data
