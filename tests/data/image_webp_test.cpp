#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "data/image.h"
#include "data/npz_bytes.h"
#include "support/process_memory.h"

namespace tvmq::data {
namespace {

using ::testing::HasSubstr;
using testing::le;

/// Bits as lossless WebP packs them: from the lowest bit of every byte on.
class BitWriter {
 public:
  void put(std::uint32_t value, int bits) {
    for (int i = 0; i < bits; ++i, ++bits_) {
      if (bits_ % 8 == 0) bytes_ += '\0';
      bytes_.back() = static_cast<char>(bytes_.back() | (value >> i & 1) << bits_ % 8);
    }
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t bits_ = 0;
};

/// A prefix code with one symbol, whose occurrences take no bits.
void put_code_of_one(BitWriter& bits) {
  bits.put(1, 1);  // simple
  bits.put(0, 1);  // one symbol
  bits.put(0, 1);  // of one bit:
  bits.put(0, 1);
}

/// A prefix code with 256 symbols of 8 bits each, of an alphabet of `size`.
void put_code_of_bytes(BitWriter& bits, std::uint32_t size) {
  bits.put(0, 1);
  // The code for lengths: "repeat zero often" and 8 take a bit each. In the format's order.
  constexpr std::array kLengthsOfLengths{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  bits.put(kLengthsOfLengths.size() - 4, 4);
  for (const int each : kLengthsOfLengths) bits.put(static_cast<std::uint32_t>(each), 3);
  const bool is_part = size != 256;
  bits.put(is_part ? 1 : 0, 1);
  if (is_part) {
    bits.put(3, 3);  // the number of lengths in 8 bits, minus 2
    bits.put(254, 8);
  }
  for (int i = 0; i < 256; ++i) bits.put(0, 1);  // each length is 8
}

std::uint32_t reversed(std::uint32_t byte) {
  std::uint32_t result = 0;
  for (int i = 0; i < 8; ++i) result |= (byte >> i & 1) << (7 - i);
  return result;
}

/// A lossless image of 4 * `blocks` pixels each way, where every 4 x 4 of them have prefix codes of
/// their own.
std::string webp_of_groups(std::uint32_t blocks) {
  BitWriter bits;
  bits.put(0x2f, 8);
  bits.put(4 * blocks - 1, 14);
  bits.put(4 * blocks - 1, 14);
  bits.put(0, 1 + 3);  // opaque, version
  bits.put(0, 1 + 1);  // no transforms, no colour cache
  bits.put(1, 1);      // groups,
  bits.put(0, 3);      // of 4 x 4 pixels; their numbers are an image:
  bits.put(0, 1);      // no colour cache
  put_code_of_bytes(bits, 256 + 24);
  put_code_of_bytes(bits, 256);
  for (int i = 0; i < 3; ++i) put_code_of_one(bits);
  for (std::uint32_t i = 0; i < blocks * blocks; ++i) {
    bits.put(reversed(i & 0xff), 8);
    bits.put(reversed(i >> 8), 8);
  }
  for (std::uint32_t i = 0; i < 5 * blocks * blocks; ++i) put_code_of_one(bits);
  const std::string data = bits.bytes() + std::string(bits.bytes().size() % 2, '\0');
  const auto size = static_cast<std::uint32_t>(data.size());
  return "RIFF" + le(size + 12, 4) + "WEBPVP8L" + le(size, 4) + data;
}

// The header of such a file is a small image's.
TEST(ImageWebp, RefusesTablesOutOfProportion) {
  const DecodedImage few = decode_image(webp_of_groups(100), "x");
  EXPECT_EQ(few.image.size, (ImageSize{400, 400}));
  EXPECT_TRUE(std::ranges::all_of(few.image.bgr, [](std::uint8_t each) { return each == 0; }));

  const std::string file = webp_of_groups(256);
  const support::ProcessMemory memory;
  try {
    decode_image(file, "x.webp");
    ADD_FAILURE() << "read an image whose tables take 600 MB";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(fmt::format("x.webp: the WebP image cannot be read: "
                                                    "decoding takes more memory than 258 MB, the "
                                                    "most for a file of {} bytes",
                                                    file.size())));
  }
  EXPECT_LT(memory.most(), 256'000'000 + 8 * file.size());
  // The next image has its own allowance.
  EXPECT_EQ(decode_image(webp_of_groups(100), "x").image.bgr, few.image.bgr);
}

}  // namespace
}  // namespace tvmq::data
