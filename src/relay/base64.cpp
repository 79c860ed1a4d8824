#include "relay/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace tvmq::relay {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Set in a table's entry for a character that is not in the alphabet.
constexpr std::uint32_t kForeign = 1U << 31;

/// For each of the four characters of a group: its six bits at their place in the 24-bit group, so
/// that a group costs four loads and three ors.
using Table = std::array<std::uint32_t, 256>;
constexpr Table make_table(unsigned shift) {
  Table table{};
  table.fill(kForeign);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint32_t>(i) << shift;
  }
  return table;
}
constexpr std::array<Table, 4> kTables{make_table(18), make_table(12), make_table(6),
                                       make_table(0)};

std::uint32_t decode_group(const char* group) {
  const auto at = [&](std::size_t i) { return kTables[i][static_cast<unsigned char>(group[i])]; };
  return at(0) | at(1) | at(2) | at(3);
}

/// The two characters of twelve bits, so that a group is written with two loads.
constexpr std::array<std::array<char, 2>, 4096> make_pairs() {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kAlphabet[i / 64], kAlphabet[i % 64]};
  return pairs;
}
constexpr auto kPairs = make_pairs();

}  // namespace

bool decode_base64(std::string_view text, std::string& bytes) {
  if (text.size() % 4 != 0) return false;
  if (text.empty()) {
    bytes.clear();
    return true;
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(text.size() / 4 * 3);
  char* out = bytes.data();
  const char* in = text.data();
  const char* const last = in + text.size() - 4;
  std::uint32_t seen = 0;
  for (; in != last; in += 4, out += 3) {
    const std::uint32_t group = decode_group(in);
    seen |= group;
    out[0] = static_cast<char>(group >> 16);
    out[1] = static_cast<char>(group >> 8);
    out[2] = static_cast<char>(group);
  }
  // The last group, with its padding read as zero bits.
  std::array<char, 4> tail{last[0], last[1], last[2], last[3]};
  for (std::size_t i = 4 - padding; i < 4; ++i) tail[i] = 'A';
  const std::uint32_t group = decode_group(tail.data());
  seen |= group;
  out[0] = static_cast<char>(group >> 16);
  out[1] = static_cast<char>(group >> 8);
  out[2] = static_cast<char>(group);
  bytes.resize(bytes.size() - padding);
  return (seen & kForeign) == 0;
}

void encode_base64(std::string_view bytes, std::string& text) {
  const std::size_t start = text.size();
  text.resize(start + (bytes.size() + 2) / 3 * 4);
  char* out = text.data() + start;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  const auto put = [&](std::uint32_t group) {
    const auto& high = kPairs[group >> 12];
    const auto& low = kPairs[group & 4095];
    out[0] = high[0];
    out[1] = high[1];
    out[2] = low[0];
    out[3] = low[1];
    out += 4;
  };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) put(byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2));
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return;
  put(byte(i) << 16 | (rest == 2 ? byte(i + 1) << 8 : 0));
  out[-1] = '=';
  if (rest == 1) out[-2] = '=';
}

}  // namespace tvmq::relay
