// Image files in memory for the tests.
#pragma once

#include <cstdint>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

// clang-format off: jpeglib.h needs FILE
#include <jpeglib.h>

#include <cstdio>
// clang-format on

namespace tvmq::data::testing {

/// A colourful image without symmetries.
inline cv::Mat picture(int width, int height, int type = CV_8UC3) {
  cv::Mat image(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(x * 7 + y),
                                   static_cast<std::uint8_t>(x * y / 3),
                                   static_cast<std::uint8_t>(255 - y * 5)};
    }
  }
  cv::Mat result;
  if (type == CV_8UC1) {
    cv::extractChannel(image, result, 1);
  } else {
    result = image;
  }
  return result;
}

/// `extension` with its dot chooses the format.
inline std::string encoded(const cv::Mat& image, const char* extension,
                           const std::vector<int>& parameters = {}) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(extension, image, bytes, parameters);
  return {bytes.begin(), bytes.end()};
}

/// An orientation in an EXIF block: a value of 2 bytes (type 3) or 4 (type 4).
struct Orientation {
  int value = 1;
  int type = 3;
};

/// An EXIF block of these entries. `mark` is what follows the byte order.
inline std::string exif(const std::vector<Orientation>& entries, bool big_endian, int mark = 42) {
  const auto number = [&](int value, int width) {
    std::string bytes;
    for (int i = 0; i < width; ++i) {
      bytes += static_cast<char>(value >> 8 * (big_endian ? width - 1 - i : i));
    }
    return bytes;
  };
  std::string block = (big_endian ? "MM" : "II") + number(mark, 2) + number(8, 4) +
                      number(static_cast<int>(entries.size()), 2);
  for (const Orientation& each : entries) {
    block += number(0x112, 2) + number(each.type, 2) + number(1, 4);
    block += each.type == 3 ? number(each.value, 2) + number(0, 2) : number(each.value, 4);
  }
  return block + number(0, 4);
}

/// The JPEG with this EXIF block behind its first marker.
inline std::string with_exif(const std::string& jpeg, const std::string& block) {
  const std::string content = std::string("Exif\0\0", 6) + block;
  const std::size_t length = content.size() + 2;
  return jpeg.substr(0, 2) + "\xff\xe1" + static_cast<char>(length >> 8) +
         static_cast<char>(length & 0xff) + content + jpeg.substr(2);
}

/// A JPEG of four inks, which cv::imencode cannot write.
inline std::string cmyk_jpeg(unsigned width, unsigned height) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): libjpeg's type
  jpeg_mem_dest(&encoder, &bytes, &size);
  encoder.image_width = width;
  encoder.image_height = height;
  encoder.input_components = 4;
  encoder.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  std::vector<unsigned char> row(width * 4);
  for (unsigned y = 0; y < height; ++y) {
    for (unsigned x = 0; x < width * 4; ++x) row[x] = static_cast<unsigned char>(x * 11 + y * 3);
    unsigned char* pointer = row.data();
    jpeg_write_scanlines(&encoder, &pointer, 1);
  }
  jpeg_finish_compress(&encoder);
  std::string result(reinterpret_cast<char*>(bytes), size);
  jpeg_destroy_compress(&encoder);
  free(bytes);  // NOLINT: allocated by libjpeg
  return result;
}

}  // namespace tvmq::data::testing
