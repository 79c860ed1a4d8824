// Image files of all formats, through our own reader.
#include "data/image.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view file) {
    tvmq::data::DecodedImage decoded = tvmq::data::decode_image(file, "image");
    const auto [width, height] = decoded.image.size;
    tvmq::check(decoded.image.bgr.size() == static_cast<std::size_t>(width * height * 3),
                "three bytes per pixel");
    tvmq::data::resize(std::move(decoded.image), {.width = 5, .height = 7});
  });
}
