#include <fmt/format.h>
#include <webp/decode.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

#include "data/image_codecs.h"

namespace tvmq::data {
namespace {

/// What libwebp may still allocate for the image that this thread decodes.
struct DecoderMemory {
  std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
  bool was_enough = true;
};
thread_local DecoderMemory decoder_memory;

/// Zeros, as calloc() gives them. Counts what was freed again, too: libwebp keeps nearly all.
void* allocate(std::uint64_t count, std::size_t size) {
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > decoder_memory.left) {
    decoder_memory.was_enough = false;
    return nullptr;
  }
  decoder_memory.left -= bytes;
  return std::calloc(count, size);
}

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

// libwebp calls these two through the dynamic linker, which takes the program's own. How much a
// file makes it allocate stands in no header: up to 65,536 groups of pixels have 20 kB of tables
// each.
//
// NOLINTBEGIN(readability-identifier-naming): libwebp's names
extern "C" {
void* WebPSafeMalloc(std::uint64_t count, std::size_t size);
void* WebPSafeCalloc(std::uint64_t count, std::size_t size);

void* WebPSafeMalloc(std::uint64_t count, std::size_t size) { return allocate(count, size); }
void* WebPSafeCalloc(std::uint64_t count, std::size_t size) { return allocate(count, size); }
}
// NOLINTEND(readability-identifier-naming)

RawImage decode_webp(std::string_view file) {
  RawImage result;
  WebPDecoderConfig config{};
  if (WebPInitDecoderConfig(&config) == 0) return failure("libwebp is of another version");
  VP8StatusCode status = WebPGetFeatures(bytes_of(file), file.size(), &config.input);
  if (status != VP8_STATUS_OK) return failure(reason(status));
  if (config.input.has_animation != 0) return failure("animated, expected one image");
  result.image.size = {.width = config.input.width, .height = config.input.height};
  if (const std::string error = size_error(result.image.size, kPixelBytes, file.size());
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
  decoder_memory = {.left = image_memory(file.size()) - result.image.bgr.size()};
  status = WebPDecode(bytes_of(file), file.size(), &config);
  const bool was_enough = decoder_memory.was_enough;
  decoder_memory = {};
  WebPFreeDecBuffer(&config.output);
  if (!was_enough) {
    return failure(
        fmt::format("decoding takes more memory than {} MB, the most for a file of {} "
                    "bytes; save it as another format",
                    image_memory(file.size()) / 1'000'000, file.size()));
  }
  if (status != VP8_STATUS_OK) return failure(reason(status));
  return result;
}

}  // namespace tvmq::data
