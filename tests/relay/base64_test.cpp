#include "relay/base64.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace tvmq::relay {
namespace {

TEST(Base64, KnownTexts) {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"\xff\xfe\xfd", "//79"},
                                                       {"\xfb\xef\xbe", "++++"}};
  for (const auto& [bytes, text] : cases) {
    std::string encoded = "x";
    encode_base64(bytes, encoded);
    EXPECT_EQ(encoded, "x" + text);
    std::string decoded = "old";
    EXPECT_TRUE(decode_base64(text, decoded));
    EXPECT_EQ(decoded, bytes);
  }
}

TEST(Base64, EveryByteAtEveryPlaceSurvives) {
  for (std::size_t size = 1; size < 9; ++size) {
    for (int value = 0; value < 256; ++value) {
      std::string bytes(size, static_cast<char>(value));
      bytes[size / 2] = static_cast<char>(255 - value);
      std::string text;
      encode_base64(bytes, text);
      std::string decoded;
      ASSERT_TRUE(decode_base64(text, decoded));
      ASSERT_EQ(decoded, bytes);
    }
  }
}

TEST(Base64, RefusesForeignText) {
  std::string bytes;
  for (const char* text : {"A", "AA", "AAA", "AAAAA", "A===", "====", "AA=A", "=AAA", "AA==AAAA",
                           "AAA\n", "AA A", "AAA-", "AA\xc3\x9f", "AAAA====", "A\\/A"}) {
    EXPECT_FALSE(decode_base64(text, bytes)) << text;
  }
}

}  // namespace
}  // namespace tvmq::relay
