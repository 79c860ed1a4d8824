// Image files to 8-bit BGR pixels and to another size: the same bytes as cv2.imread (with its
// default flags) and cv2.resize (bilinear) give.
//
// JPEG, PNG and WebP go to libjpeg, libpng and libwebp directly, because OpenCV lets the first two
// print to stderr and hides their warnings, and gives what the third refuses to any other of its
// decoders, GDCM and GDAL among them; BMP, PNM and TIFF go through OpenCV. Images are turned as
// their EXIF orientation says, 16 bits become 8, grey becomes BGR, transparency is dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tvmq::data {

enum class ImageFormat : std::uint8_t { kBmp, kJpeg, kPng, kPnm, kTiff, kWebp };

/// Bytes of a file that detect_image_format() looks at.
inline constexpr std::size_t kImageSignatureBytes = 16;
/// Larger images are refused before their pixels are allocated.
inline constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 27;
/// So are images that take more memory than this and 8 times their file: a few bytes can announce
/// any size. Enough for photos of 80 million pixels, and of more in files as cameras write them.
inline constexpr std::uint64_t kImageMemory = 256'000'000;

/// From the first bytes of a file; its name plays no role. Nothing: not an image we read.
std::optional<ImageFormat> detect_image_format(std::string_view head);

struct ImageSize {
  std::int64_t width = 0;
  std::int64_t height = 0;
  bool operator==(const ImageSize&) const = default;
};

/// Rows from the top, 3 bytes per pixel: blue, green, red; nothing between rows.
struct Image {
  ImageSize size;
  std::vector<std::uint8_t> bgr;
};

struct DecodedImage {
  Image image;
  std::string
      warning;  ///< what the decoder put up with, e.g. "Premature end of JPEG file"; or empty
};

/// `file` holds the whole file. A JPEG that ends early is completed with grey, as everywhere, with
/// a warning. InputError: not an image, damaged beyond that, or too large (kMaxImagePixels,
/// kImageMemory). std::bad_alloc: no memory for it, which decoders would call damaged.
DecodedImage decode_image(std::string_view file, std::string_view name_for_errors);

/// cv2.resize with bilinear interpolation on 8 bits. REQUIRES: both sizes positive.
Image resize(Image image, ImageSize size);

}  // namespace tvmq::data
