#include "data/image.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <new>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "data/image_bytes.h"
#include "data/image_codecs.h"
#include "data/npz_bytes.h"
#include "support/sanitizer.h"

namespace tvmq::data {
namespace {

using ::testing::HasSubstr;
using namespace std::string_view_literals;
using testing::encoded;
using testing::le;
using testing::picture;

/// Holds back what is written to stderr while it lives.
class StderrTrap {
 public:
  StderrTrap() { ::testing::internal::CaptureStderr(); }
  ~StderrTrap() {
    if (!done_) ::testing::internal::GetCapturedStderr();
  }
  std::string text() {
    done_ = true;
    return ::testing::internal::GetCapturedStderr();
  }

 private:
  bool done_ = false;
};

/// What cv::imread makes of the bytes in a file.
cv::Mat imread(const std::string& bytes) {
  const std::filesystem::path path = ::testing::TempDir() + "/tvmq_image_test.bin";
  std::ofstream(path, std::ios::binary) << bytes;
  const StderrTrap trap;
  cv::Mat image = cv::imread(path.string());
  std::filesystem::remove(path);
  return image;
}

bool same_pixels(const Image& image, const cv::Mat& expected) {
  return image.size == ImageSize{expected.cols, expected.rows} &&
         image.bgr.size() == expected.total() * 3 && expected.isContinuous() &&
         std::memcmp(image.bgr.data(), expected.data, image.bgr.size()) == 0;
}

/// Every kind of file that is decoded differently.
std::map<std::string, std::string> samples() {
  std::map<std::string, std::string> files;
  const auto folder = std::filesystem::path(TVMQ_TESTS_DIR) / "fixtures/preprocess";
  for (const char* name :
       {"alpha.png", "big.jpg", "deep.png", "gray.png", "ring.jpg", "star.png"}) {
    files[name] = read_file(folder / name);
  }
  const cv::Mat colour = picture(37, 23);
  const cv::Mat grey = picture(37, 23, CV_8UC1);
  for (const char* extension : {".bmp", ".jpg", ".png", ".ppm", ".tif", ".webp"}) {
    files[fmt::format("colour{}", extension)] = encoded(colour, extension);
  }
  for (const char* extension : {".bmp", ".jpg", ".png", ".pgm", ".tif"}) {
    files[fmt::format("grey{}", extension)] = encoded(grey, extension);
  }
  files["progressive.jpg"] = encoded(colour, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  files["bilevel.png"] = encoded(grey > 100, ".png", {cv::IMWRITE_PNG_BILEVEL, 1});
  cv::Mat transparent(23, 37, CV_8UC4);
  for (int i = 0; i < 23 * 37; ++i) {
    const auto& bgr = colour.at<cv::Vec3b>(i);
    transparent.at<cv::Vec4b>(i) = {bgr[0], bgr[1], bgr[2], static_cast<std::uint8_t>(i)};
  }
  for (const int quality : {60, 101}) {  // 101: without loss
    files[fmt::format("colour{}.webp", quality)] =
        encoded(colour, ".webp", {cv::IMWRITE_WEBP_QUALITY, quality});
    files[fmt::format("transparent{}.webp", quality)] =
        encoded(transparent, ".webp", {cv::IMWRITE_WEBP_QUALITY, quality});
  }
  files["cmyk.jpg"] = testing::cmyk_jpeg(37, 23);
  for (int orientation = 0; orientation <= 9; ++orientation) {
    for (const bool big_endian : {false, true}) {
      files[fmt::format("turned{}{}.jpg", orientation, big_endian ? "M" : "I")] =
          testing::with_exif(files["colour.jpg"], testing::exif({{orientation}}, big_endian));
    }
  }
  // Malformed, which is read all the same: the first entry counts, its first two bytes.
  for (const bool big_endian : {false, true}) {
    const auto add = [&](std::string_view name, const std::string& block) {
      files[fmt::format("{}{}.jpg", name, big_endian ? "M" : "I")] =
          testing::with_exif(files["colour.jpg"], block);
    };
    add("twice", testing::exif({{6}, {3}}, big_endian));
    add("wrong_then_right", testing::exif({{9}, {3}}, big_endian));
    add("long", testing::exif({{.value = 6, .type = 4}}, big_endian));
    add("no_mark", testing::exif({{6}}, big_endian, 43));
  }
  return files;
}

TEST(Image, DecodesWhatImreadDecodes) {
  for (const auto& [name, file] : samples()) {
    SCOPED_TRACE(name);
    const DecodedImage decoded = decode_image(file, name);
    EXPECT_TRUE(same_pixels(decoded.image, imread(file)));
    EXPECT_EQ(decoded.warning, "");
  }
}

TEST(Image, TurnsUpright) {
  // The first pixel of the file is at another corner for each of the orientations.
  const std::string jpeg = encoded(picture(32, 16), ".jpg");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image image =
        decode_image(testing::with_exif(jpeg, testing::exif({{orientation}}, true)), "x").image;
    EXPECT_EQ(image.size, orientation < 5 ? (ImageSize{32, 16}) : (ImageSize{16, 32}));
  }
}

TEST(Image, ResizesAsCvResizeDoes) {
  const Image image = decode_image(samples()["big.jpg"], "big.jpg").image;
  const cv::Mat source(static_cast<int>(image.size.height), static_cast<int>(image.size.width),
                       CV_8UC3, const_cast<std::uint8_t*>(image.bgr.data()));
  for (const ImageSize size :
       {ImageSize{224, 224}, ImageSize{1, 1}, ImageSize{900, 17},
        ImageSize{image.size.width / 2, image.size.height / 2}, image.size}) {
    cv::Mat expected;
    cv::resize(source, expected,
               cv::Size(static_cast<int>(size.width), static_cast<int>(size.height)));
    EXPECT_TRUE(same_pixels(resize(image, size), expected));
  }
}

TEST(Image, KnowsFormatsByTheirFirstBytes) {
  for (const auto& [name, file] : samples()) {
    EXPECT_TRUE(detect_image_format(std::string_view(file).substr(0, kImageSignatureBytes)))
        << name;
  }
  for (const std::string_view other :
       {""sv, "\xff\xd8"sv, "BM is how this text starts."sv, "P7\n 12345678901234"sv,
        "PK\x03\x04 12345678901234"sv, "RIFF1234WAVEfmt 1234"sv, "GIF89a 12345678901234"sv,
        "Post scriptum, a letter"sv, "\x93NUMPY\x01\x00v\x00{'descr"sv}) {
    EXPECT_FALSE(detect_image_format(other)) << other;
  }
}

TEST(Image, TruncatedJpegsAreCompletedAsImreadDoesWithAWarning) {
  const std::string file = encoded(picture(64, 48), ".jpg");
  for (std::size_t length = file.size() / 2; length < file.size(); length += 37) {
    const std::string part = file.substr(0, length);
    StderrTrap trap;
    const DecodedImage decoded = decode_image(part, "x.jpg");
    EXPECT_EQ(trap.text(), "");
    EXPECT_TRUE(same_pixels(decoded.image, imread(part))) << length;
    EXPECT_EQ(decoded.warning, "Premature end of JPEG file");
  }
}

std::string error_of(const std::string& file) {
  StderrTrap trap;
  std::string message = "no error";
  try {
    decode_image(file, "x");
  } catch (const InputError& error) {
    message = error.what();
  }
  EXPECT_EQ(trap.text(), "");
  return message;
}

TEST(Image, RefusesBombsBeforeTheirPixelsAreAllocated) {
  const std::string png = encoded(picture(8, 8), ".png");
  const auto png_of = [&](std::uint32_t side) {
    std::string bytes = png;
    for (const std::size_t at : {std::size_t{16}, std::size_t{20}}) {
      for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(side >> (24 - 8 * i));
    }
    const auto crc =
        static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + 12), 17));
    for (std::size_t i = 0; i < 4; ++i) bytes[29 + i] = static_cast<char>(crc >> (24 - 8 * i));
    return bytes;
  };
  EXPECT_THAT(error_of(png_of(100'000)),
              HasSubstr("announces 100000 x 100000 pixels, expected at most 134 million"));
  // 90 million pixels are few enough, but not for a file of 200 bytes.
  EXPECT_THAT(
      error_of(png_of(9'487)),
      HasSubstr("9487 x 9487 pixels, which take 270 MB of memory, expected at most 256 MB"));
  std::string progressive = encoded(picture(8, 8), ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  progressive.replace(progressive.find("\xff\xc2") + 5, 4, "\x1b\x58\x1b\x58");
  EXPECT_THAT(error_of(progressive), HasSubstr("7000 x 7000 pixels, which take 294 MB"));
  EXPECT_THAT(error_of("P6\n7000 7000\n255\n"), HasSubstr("which take 294 MB"));
  std::string jpeg = encoded(picture(8, 8), ".jpg");
  const std::size_t frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 5, 4, "\xc3\x50\xc3\x50");
  EXPECT_THAT(error_of(jpeg), HasSubstr("announces 50000 x 50000 pixels"));
  EXPECT_THAT(error_of("P6\n# large\n100000 100000\n255\n"), HasSubstr("100000 x 100000"));
  EXPECT_THAT(error_of("P6\n99999999999999999999 99999999999999999999\n"), HasSubstr("2147483647"));
  // As OpenCV reads them: the byte behind a number is skipped, a comment ends with any line end.
  EXPECT_THAT(error_of("P6\n911831#1111.255\n"), HasSubstr("911831 x 1111"));
  EXPECT_THAT(error_of("P6\n#1 1\r100000 100000\n255\n"), HasSubstr("100000 x 100000"));
  EXPECT_THAT(error_of("BM" + le(0, 12) + le(40, 4) + le(100'000, 4) + le(0xffff0000, 4)),
              HasSubstr("100000 x 65536"));
  EXPECT_THAT(error_of("RIFF" + le(30, 4) + "WEBPVP8L" + le(18, 4) + "\x2f" + le(0xfffffff, 4) +
                       std::string(13, '\0')),
              HasSubstr("16384 x 16384"));
  const auto entry = [](std::uint32_t tag, std::uint32_t type, std::uint32_t value) {
    return le(tag, 2) + le(type, 2) + le(1, 4) + le(value, 4);
  };
  // Four entries from byte 10 on, then 8 bytes at byte 62.
  const auto tiff = [&](const std::string& third, const std::string& fourth) {
    return "II*" + le(0, 1) + le(8, 4) + le(4, 2) + entry(256, 4, 10) + entry(257, 4, 10) + third +
           fourth + le(0, 4) + le(1U << 30, 4) + le(0, 4);
  };
  EXPECT_THAT(error_of(tiff(entry(322, 4, 1U << 30), "")), HasSubstr("1073741824 x 10 "));
  // What is there twice: libtiff takes the first, others the last.
  EXPECT_THAT(error_of(tiff(entry(256, 4, 1U << 30), entry(256, 3, 8))),
              HasSubstr("1073741824 x 10 "));
  // 64 bits stand elsewhere in the file.
  EXPECT_THAT(error_of(tiff(entry(257, 16, 62), entry(323, 3, 8))), HasSubstr("10 x 1073741824 "));
  EXPECT_THAT(error_of(tiff(entry(257, 17, 58), entry(323, 3, 8))), HasSubstr("10 x 1073741824 "));
  EXPECT_THAT(error_of(tiff(entry(323, 3, 8), entry(323, 3, 8))), HasSubstr("damaged"));
}

// What its decoder of the format does not take, OpenCV gives to others.
TEST(Image, IsReadAsNothingElse) {
  // DICOM: GDCM, behind OpenCV, ends the process.
  std::string dicom = "P2#\n51\n1 2";
  dicom.resize(128);
  dicom += "DICM" + le(2, 2) + le(0, 2) + "UL" + le(4, 2) + std::string(64, '\0');
  EXPECT_THAT(error_of(dicom), HasSubstr("found a file that is no image"));
  for (const std::string_view head : {"P2\n51\n1 2"sv, "II*\0\x08\0\0\0"sv, "MM\0*\0\0\0\x08"sv,
                                      "RIFF\x1a\0\0\0WEBPVP8 "sv, "BM    "sv}) {
    SCOPED_TRACE(head);
    dicom.replace(0, head.size(), head);
    if (head.starts_with("BM")) dicom.replace(14, 2, "\x28\0"sv);
    EXPECT_THAT(error_of(dicom), HasSubstr("image cannot be read"));
  }
}

TEST(Image, RefusesAnAnimation) {
  const std::string file = "RIFF" + le(74, 4) + "WEBPVP8X" + le(10, 4) + le(2, 4) + le(7, 3) +
                           le(7, 3) + "ANIM" + le(6, 4) + le(0, 6) + std::string(30, '\0');
  EXPECT_THAT(error_of(file), HasSubstr("animated, expected one image"));
}

TEST(Image, RefusesAJpegOfEndlessScans) {
  // A progressive file whose last scan is repeated until it costs more than it is worth.
  const std::string file = encoded(picture(64, 48), ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const std::size_t scan = file.rfind("\xff\xda");
  std::string bomb = file.substr(0, file.size() - 2);
  for (int i = 0; i < 300; ++i) bomb += file.substr(scan, file.size() - 2 - scan);
  EXPECT_THAT(error_of(bomb + "\xff\xd9"), HasSubstr("more than 200 scans"));
}

/// What this process may have in address space, while it lives.
class AddressSpaceLimit {
 public:
  explicit AddressSpaceLimit(rlim_t more) {
    getrlimit(RLIMIT_AS, &before_);
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const struct rlimit limit {
      .rlim_cur = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + more,
      .rlim_max = before_.rlim_max
    };
    setrlimit(RLIMIT_AS, &limit);
  }
  AddressSpaceLimit(const AddressSpaceLimit&) = delete;
  AddressSpaceLimit& operator=(const AddressSpaceLimit&) = delete;
  ~AddressSpaceLimit() { setrlimit(RLIMIT_AS, &before_); }

 private:
  struct rlimit before_ {};
};

/// Decodes under more and more memory until it was enough twice, and ends the process: with 0 if
/// there was first too little and that was what decode_image() said.
[[noreturn]] void decode_with_little_memory(const std::string& file, const Image& expected) {
  int decoded = 0;
  int without_memory = 0;
  for (rlim_t more = 0; decoded < 2; more += rlim_t{128} << 10) {
    std::optional<DecodedImage> image;
    try {
      const AddressSpaceLimit limit(more);
      image = decode_image(file, "x");
    } catch (const std::bad_alloc&) {
      ++without_memory;
      continue;
    } catch (const InputError& error) {
      fmt::print(stderr, "{} bytes: {}\n", more, error.what());
      std::exit(1);
    }
    if (image->image.bgr != expected.bgr) std::exit(2);
    ++decoded;
  }
  std::exit(without_memory > 0 ? 0 : 3);
}

// An image must not be left out because there was no memory for it.
TEST(ImageDeathTest, WithoutMemoryIsNotDamaged) {
  if (kSanitizer) GTEST_SKIP() << "sanitizers have memory of their own";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // A new process, and no memory kept in it to use again.
  mallopt(M_MMAP_THRESHOLD, 64 << 10);
  const cv::Mat colour = picture(800, 600);
  std::map<std::string, std::string> files;
  for (const char* extension : {".bmp", ".jpg", ".png", ".ppm", ".tif", ".webp"}) {
    files[extension] = encoded(colour, extension);
  }
  files["progressive.jpg"] = encoded(colour, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  for (const auto& [name, file] : files) {
    const Image expected = decode_image(file, name).image;
    EXPECT_EXIT(decode_with_little_memory(file, expected), ::testing::ExitedWithCode(0), "")
        << name;
  }
}

TEST(Image, DamagedFilesNeverCrashOrPrint) {
  std::mt19937 random(5);  // NOLINT(cert-msc51-cpp): the same cases in every run
  const std::map<std::string, std::string> files = samples();
  int refused = 0;
  int cases = 0;
  StderrTrap trap;
  while (cases < 1500) {
    for (const auto& [name, file] : files) {
      if (file.size() > 20'000) continue;  // slow, and decoded by the same code as the others
      // A buffer of its own size, so that the sanitizers see reads past the end.
      std::vector<char> damaged(file.begin(), file.end());
      if (cases % 2 == 0) damaged.resize(random() % damaged.size());
      for (std::size_t i = 0; i < random() % 5 && !damaged.empty(); ++i) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      ++cases;
      try {
        const DecodedImage decoded = decode_image({damaged.data(), damaged.size()}, name);
        ASSERT_EQ(static_cast<std::int64_t>(decoded.image.bgr.size()),
                  decoded.image.size.width * decoded.image.size.height * 3);
      } catch (const InputError&) {
        ++refused;
      }
    }
  }
  EXPECT_EQ(trap.text(), "");
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace tvmq::data
