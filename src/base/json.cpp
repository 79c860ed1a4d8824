#include "base/json.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "base/error.h"

namespace tvmq {
namespace {

/// The length of the UTF-8 sequence at the start of `text`; 0 if it is none (RFC 3629: no
/// surrogates, no longer form than needed, at most U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool wrong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
                     (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F);
  return wrong ? 0 : length;
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char c = text[0];
    if (length == 0) {
      result += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result + '"';
}

std::string json_number(float value) {
  if (!std::isfinite(value)) return "null";
  std::string text = fmt::format("{}", value);
  if (static_cast<float>(std::strtod(text.c_str(), nullptr)) == value) return text;
  return fmt::format("{}", static_cast<double>(value));
}

std::string json_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

void JsonWriter::break_line() {
  if (has_elements_.size() > kLinesDeep) return;
  out_ += '\n';
  out_.append(has_elements_.size(), ' ');
}

void JsonWriter::separate() {
  if (after_key_ || has_elements_.empty()) {
    after_key_ = false;
    return;
  }
  if (has_elements_.back()) out_ += has_elements_.size() > kLinesDeep ? ", " : ",";
  has_elements_.back() = true;
  break_line();
}

JsonWriter& JsonWriter::key(std::string_view name) {
  check(!has_elements_.empty() && !after_key_, "a name stands before a value of an object");
  separate();
  out_ += json_text(name) + ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin(char bracket) {
  separate();
  out_ += bracket;
  has_elements_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  check(!has_elements_.empty() && !after_key_, "what is closed was opened");
  const bool lines = has_elements_.back() && has_elements_.size() <= kLinesDeep;
  has_elements_.pop_back();
  if (lines) {
    out_ += '\n';
    out_.append(has_elements_.size(), ' ');
  }
  out_ += bracket;
  if (has_elements_.empty()) out_ += '\n';
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view text) {
  separate();
  out_ += text;
  return *this;
}

}  // namespace tvmq
