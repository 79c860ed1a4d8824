// The decoders behind decode_image(), one per library. See data/image.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/image.h"

namespace tvmq::data {

/// A decoder's result before it is turned upright. On failure `error` says why and `image` is void.
struct RawImage {
  Image image;
  int orientation = 1;  ///< EXIF: 1 to 8
  std::string warning;
  std::string error;
};

inline RawImage failure(std::string_view error) {
  RawImage result;
  result.error = error;
  return result;
}

RawImage decode_jpeg(std::string_view file);
RawImage decode_png(std::string_view file);
RawImage decode_webp(std::string_view file);

/// The size that the header of a BMP, PNM or TIFF file announces (for TIFF the larger of
/// image and tile), to be checked before OpenCV allocates; {0, 0} if the header makes no sense.
ImageSize announced_size(ImageFormat format, std::string_view file);

/// The orientation in a block of EXIF data, as OpenCV finds it: the first, whatever its type;
/// 1 if there is none.
int exif_orientation(std::string_view exif);

/// Bytes per pixel of an Image.
inline constexpr std::uint64_t kPixelBytes = 3;

/// The most memory that an image may take while it is decoded, its pixels included.
constexpr std::uint64_t image_memory(std::size_t file_bytes) {
  return kImageMemory + 8 * file_bytes;
}

/// Why an image of this size is refused; empty if it is not. `bytes_per_pixel`: the most memory
/// that decoding it takes at one time, its pixels included; `file_bytes`: the size of its file.
std::string size_error(ImageSize size, std::uint64_t bytes_per_pixel, std::size_t file_bytes);

}  // namespace tvmq::data
