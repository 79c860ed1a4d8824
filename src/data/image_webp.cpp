#include <webp/decode.h>

#include <cstdint>
#include <new>

#include "data/image_codecs.h"

namespace tvmq::data {
namespace {

const std::uint8_t* bytes_of(std::string_view file) {
  return reinterpret_cast<const std::uint8_t*>(file.data());
}

/// Why it is not VP8_STATUS_OK. Throws std::bad_alloc if it was for want of memory.
std::string_view reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      throw std::bad_alloc();
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "the file ends early";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a kind of it that libwebp does not read";
    default:
      return "damaged";
  }
}

}  // namespace

RawImage decode_webp(std::string_view file) {
  // Without loss: every pixel in 32 bits beside the result, and less than 1 byte for transforms.
  // Tables for groups of pixels (up to 20 kB each, 65,536 of them) stand in no header.
  constexpr std::uint64_t kDecoderBytes = 5;
  RawImage result;
  WebPDecoderConfig config{};
  if (WebPInitDecoderConfig(&config) == 0) return failure("libwebp is of another version");
  VP8StatusCode status = WebPGetFeatures(bytes_of(file), file.size(), &config.input);
  if (status != VP8_STATUS_OK) return failure(reason(status));
  if (config.input.has_animation != 0) return failure("animated, expected one image");
  result.image.size = {.width = config.input.width, .height = config.input.height};
  if (const std::string error =
          size_error(result.image.size, kPixelBytes + kDecoderBytes, file.size());
      !error.empty()) {
    return failure(error);
  }
  const auto stride = static_cast<std::size_t>(result.image.size.width) * kPixelBytes;
  result.image.bgr.resize(stride * static_cast<std::size_t>(result.image.size.height));
  config.output.colorspace = MODE_BGR;  // transparency is dropped
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {.rgba = result.image.bgr.data(),
                          .stride = static_cast<int>(stride),
                          .size = result.image.bgr.size()};
  status = WebPDecode(bytes_of(file), file.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) return failure(reason(status));
  return result;
}

}  // namespace tvmq::data
