// Bits, bytes, numbers replaced by the numbers that programs trip over, parts removed, repeated or
// taken from another file.
#include <algorithm>
#include <array>
#include <string_view>

#include "base/file.h"
#include "mutate.h"
#include "random.h"

namespace tvmq::fuzz {
namespace {

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

std::vector<std::string> read_corpus(std::span<const std::filesystem::path> folders) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& folder : folders) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  std::vector<std::string> corpus;
  corpus.reserve(files.size());
  for (const std::filesystem::path& file : files) corpus.push_back(read_file(file));
  return corpus;
}

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
