#include "data/image.h"

#include <fmt/format.h>

#include <iostream>
#include <mutex>
#include <new>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "base/error.h"
#include "base/memory_limit.h"
#include "data/image_codecs.h"

namespace tvmq::data {
namespace {

/// OpenCV's settings are the process's; nothing else in this program uses OpenCV. Callers bring
/// their own threads, and a second pool inside each would only get in their way.
void configure_opencv() {
  static std::once_flag once;
  std::call_once(once, [] {
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::setNumThreads(1);
  });
}

cv::Mat view(const Image& image) {
  return {static_cast<int>(image.size.height), static_cast<int>(image.size.width), CV_8UC3,
          const_cast<std::uint8_t*>(image.bgr.data())};
}

/// A buffer that swallows everything.
class NullBuffer final : public std::streambuf {
 protected:
  int overflow(int symbol) override { return traits_type::not_eof(symbol); }
};

/// cv::imdecode() writes the reason of a failure to std::cerr, whatever the log level. Only the
/// rarer formats come here, so it costs little to decode them one at a time with std::cerr muted.
cv::Mat quiet_imdecode(std::string_view file) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  NullBuffer null;
  struct Mute {
    explicit Mute(std::streambuf* buffer) : saved(std::cerr.rdbuf(buffer)) {}
    Mute(const Mute&) = delete;
    Mute& operator=(const Mute&) = delete;
    ~Mute() { std::cerr.rdbuf(saved); }
    std::streambuf* saved;
  } const mute(&null);
  const cv::Mat bytes(1, static_cast<int>(file.size()), CV_8UC1, const_cast<char*>(file.data()));
  try {
    return cv::imdecode(bytes, cv::IMREAD_COLOR);
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    return {};
  }
}

/// Its own pixels, our copy of them, and what the decoder behind OpenCV needs.
std::uint64_t opencv_bytes_per_pixel(ImageFormat format) {
  constexpr std::uint64_t kTiffTile = 8;  // four channels of 16 bits; a tile may be the image
  return 2 * kPixelBytes + (format == ImageFormat::kTiff ? kTiffTile : 0);
}

RawImage decode_with_opencv(ImageFormat format, std::string_view file) {
  constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;  // a Mat counts columns in int
  RawImage result;
  const ImageSize size = announced_size(format, file);
  const std::uint64_t bytes_per_pixel = opencv_bytes_per_pixel(format);
  result.error = size_error(size, bytes_per_pixel, file.size());
  if (result.error.empty() && file.size() > kMaxFileBytes) result.error = "more than 1 GiB";
  if (!result.error.empty()) return result;
  const cv::Mat decoded = quiet_imdecode(file);
  if (decoded.empty() || decoded.type() != CV_8UC3) {
    // For want of memory, perhaps: OpenCV does not say.
    constexpr std::uint64_t kOwnBytes = 8 << 20;
    const std::uint64_t bytes =
        static_cast<std::uint64_t>(size.width * size.height) * bytes_per_pixel + kOwnBytes;
    if (!has_room(bytes)) throw std::bad_alloc();
    result.error = "damaged, or a kind of it that OpenCV does not read";
    return result;
  }
  result.image.size = {.width = decoded.cols, .height = decoded.rows};
  result.image.bgr.resize(decoded.total() * 3);
  decoded.copyTo(view(result.image));
  return result;
}

bool swaps_sides(int orientation) { return orientation >= 5; }

/// Turns and mirrors as EXIF's orientations 2 to 8 ask for.
Image upright(Image image, int orientation) {
  if (swaps_sides(orientation)) {
    Image turned;
    turned.size = {.width = image.size.height, .height = image.size.width};
    turned.bgr.resize(image.bgr.size());
    cv::Mat to = view(turned);
    cv::transpose(view(image), to);
    image = std::move(turned);
  }
  constexpr int kNone = 2;
  constexpr int kHorizontal = 1;
  constexpr int kVertical = 0;
  constexpr int kBoth = -1;
  constexpr int kFlips[] = {kNone, kNone,       kHorizontal, kBoth,    kVertical,
                            kNone, kHorizontal, kBoth,       kVertical};
  const int flip = kFlips[orientation];
  if (flip != kNone) {
    cv::Mat in_place = view(image);
    cv::flip(in_place, in_place, flip);
  }
  return image;
}

std::string_view format_name(ImageFormat format) {
  switch (format) {
    case ImageFormat::kBmp:
      return "BMP";
    case ImageFormat::kJpeg:
      return "JPEG";
    case ImageFormat::kPng:
      return "PNG";
    case ImageFormat::kPnm:
      return "PNM";
    case ImageFormat::kTiff:
      return "TIFF";
    case ImageFormat::kWebp:
      return "WebP";
  }
  return "";
}

RawImage decode(ImageFormat format, std::string_view file) {
  if (format == ImageFormat::kJpeg) return decode_jpeg(file);
  if (format == ImageFormat::kPng) return decode_png(file);
  if (format == ImageFormat::kWebp) return decode_webp(file);
  return decode_with_opencv(format, file);
}

}  // namespace

DecodedImage decode_image(std::string_view file, std::string_view name_for_errors) {
  configure_opencv();
  const auto format = detect_image_format(file.substr(0, kImageSignatureBytes));
  if (!format) {
    throw InputError(
        fmt::format("{}: found a file that is no image, expected JPEG, PNG, BMP, PNM, TIFF or WebP",
                    name_for_errors));
  }
  RawImage raw = decode(*format, file);
  if (raw.error.empty() && swaps_sides(raw.orientation)) {  // which needs a second image
    raw.error = size_error(raw.image.size, 2 * kPixelBytes, file.size());
  }
  if (!raw.error.empty()) {
    throw InputError(fmt::format("{}: the {} image cannot be read: {}", name_for_errors,
                                 format_name(*format), raw.error));
  }
  return {.image = upright(std::move(raw.image), raw.orientation),
          .warning = std::move(raw.warning)};
}

Image resize(Image image, ImageSize size) {
  check(size.width > 0 && size.height > 0 && !image.bgr.empty(), "resize to a size with pixels");
  if (size == image.size) return image;  // what cv::resize does too
  configure_opencv();
  Image result;
  result.size = size;
  result.bgr.resize(static_cast<std::size_t>(size.width * size.height) * 3);
  cv::Mat to = view(result);
  cv::resize(view(image), to, to.size(), 0, 0, cv::INTER_LINEAR);
  return result;
}

}  // namespace tvmq::data
