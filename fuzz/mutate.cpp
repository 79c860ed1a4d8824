#include "mutate.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tvmq::fuzz {
namespace {

/// SplitMix64: the standard library's distributions differ between machines.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U) {}

  /// In [0, n). REQUIRES: n > 0.
  std::size_t below(std::size_t n) {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return static_cast<std::size_t>((z ^ (z >> 31)) % n);
  }

 private:
  std::uint64_t state_;
};

constexpr std::array<std::string_view, 20> kTexts = {"-1",
                                                     "0",
                                                     "1",
                                                     "2147483647",
                                                     "4294967296",
                                                     "9223372036854775807",
                                                     "-9223372036854775808",
                                                     "1e9",
                                                     "1e39",
                                                     "-0.0",
                                                     "nan",
                                                     "inf",
                                                     "1099511627776",
                                                     "65536",
                                                     "[",
                                                     "]",
                                                     "{",
                                                     "}",
                                                     "\"",
                                                     "\xff\xfe"};

constexpr std::array<std::uint64_t, 10> kWords = {0,
                                                  1,
                                                  0x7F,
                                                  0xFF,
                                                  0xFFFF,
                                                  0x7FFFFFFF,
                                                  0xFFFFFFFF,
                                                  0x7FFFFFFFFFFFFFFF,
                                                  0xFFFFFFFFFFFFFFFF,
                                                  0x10000000000};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A run of digits becomes another number: most of what is dangerous in a text is one.
void replace_number(std::string& bytes, Random& random) {
  const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(random.below(bytes.size()));
  const auto first = std::find_if(from, bytes.end(), is_digit);
  const auto last = std::find_if_not(first, bytes.end(), is_digit);
  bytes.replace(first, last, kTexts[random.below(kTexts.size())]);
}

void overwrite_word(std::string& bytes, Random& random) {
  const std::uint64_t word = kWords[random.below(kWords.size())];
  const std::size_t width = std::size_t{1} << random.below(4);
  const std::size_t at = random.below(bytes.size());
  for (std::size_t i = 0; i < width && at + i < bytes.size(); ++i) {
    bytes[at + i] = static_cast<char>(word >> (8 * i));
  }
}

void change(std::string& bytes, const std::string& other, Random& random) {
  constexpr std::size_t kMostRepeated = 200;
  if (bytes.empty()) bytes = other;
  if (bytes.empty()) return;
  const std::size_t at = random.below(bytes.size());
  const std::size_t length = 1 + random.below(std::min(bytes.size() - at, kMostRepeated));
  switch (random.below(8)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      break;
    case 1:
      bytes[at] = static_cast<char>(random.below(256));
      break;
    case 2:
    case 3:
      replace_number(bytes, random);
      break;
    case 4:
      overwrite_word(bytes, random);
      break;
    case 5:
      bytes.erase(at, length);
      break;
    case 6:
      bytes.insert(random.below(bytes.size()), std::string(bytes, at, length));
      break;
    default:
      if (other.empty()) break;
      bytes.replace(at, length, other, random.below(other.size()), length);
  }
}

}  // namespace

std::string mutate(const std::vector<std::string>& corpus, std::uint64_t number) {
  Random random(number + 1);
  std::string bytes = corpus[random.below(corpus.size())];
  const std::size_t changes = 1 + random.below(8);
  for (std::size_t i = 0; i < changes; ++i) {
    change(bytes, corpus[random.below(corpus.size())], random);
  }
  return bytes;
}

}  // namespace tvmq::fuzz
