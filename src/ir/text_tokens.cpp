#include "ir/text_tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace tvmq::ir {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_word(char c) { return starts_word(c) || is_digit(c) || c == '.'; }
bool in_number(char c) { return in_word(c) || c == '+' || c == '-'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string tensor_text(const TensorType& type) {
  std::string text = type.dtype == DType::kVoid ? "void" : std::string(dtype_name(type.dtype));
  text += '(';
  for (std::size_t i = 0; i < type.shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += type.shape[i] == kDynamicDim ? "?" : fmt::format("{}", type.shape[i]);
  }
  return text + ')';
}

}  // namespace

std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else if (byte < 0x20 || byte >= 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text + '"';
}

bool is_label(std::string_view name) {
  return !name.empty() && starts_word(name[0]) && std::all_of(name.begin(), name.end(), in_word);
}

std::string type_text(const Type& type) {
  if (const auto* tensor = std::get_if<TensorType>(&type)) return tensor_text(*tensor);
  const auto* tuple = std::get_if<TupleType>(&type);
  if (tuple == nullptr) return "?";
  std::string text = "(";
  for (const TensorType& field : tuple->fields) {
    if (text.size() > 1) text += ", ";
    text += tensor_text(field);
  }
  return text + ')';
}

Token Lexer::next() {
  const Token token = token_;
  advance();
  return token;
}

void Lexer::fail(const Token& token, std::string_view expected) const {
  constexpr std::size_t kShown = 40;
  const std::string_view shown = token.text.substr(0, kShown);
  const std::string_view more = shown.size() < token.text.size() ? "..." : "";
  const std::string found = token.kind == TokenKind::kEnd
                                ? std::string("the end of the text")
                                : fmt::format("{}{}", quoted(shown), more);
  throw InputError(fmt::format("{}: line {}, column {}: found {}, expected {}", name_, token.line,
                               token.column, found, expected));
}

std::string Lexer::unquoted(const Token& token) const {
  std::string bytes;
  for (std::size_t i = 0; i < token.text.size(); ++i) {
    if (token.text[i] != '\\') {
      bytes += token.text[i];
      continue;
    }
    const char escape = token.text[++i];  // there is one: the lexer found the closing quote
    if (escape == '"' || escape == '\\') {
      bytes += escape;
    } else if (escape == 'n') {
      bytes += '\n';
    } else if (escape == 't') {
      bytes += '\t';
    } else {
      const bool whole = escape == 'x' && i + 2 < token.text.size();
      const int high = whole ? hex_digit(token.text[i + 1]) : -1;
      const int low = whole ? hex_digit(token.text[i + 2]) : -1;
      if (high < 0 || low < 0) fail(token, R"(only the escapes \" \\ \n \t \xHH in a text)");
      bytes += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return bytes;
}

void Lexer::skip_space() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '\n') {
      ++line_;
      line_start_ = position_ + 1;
    } else if (c == '/' && text_.substr(position_, 2) == "//") {
      position_ = std::min(text_.find('\n', position_), text_.size());
      continue;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      return;
    }
    ++position_;
  }
}

void Lexer::read_string() {
  std::size_t end = position_ + 1;
  while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') {
    end += text_[end] == '\\' ? 2 : 1;
  }
  token_.text = text_.substr(position_, 1);
  if (end >= text_.size() || text_[end] != '"') fail(token_, "a closing quote in the same line");
  token_.kind = TokenKind::kString;
  token_.text = text_.substr(position_ + 1, end - position_ - 1);
  position_ = end + 1;
}

std::size_t Lexer::end_of_word(std::size_t position) const {
  while (position < text_.size() && in_word(text_[position])) ++position;
  return position;
}

void Lexer::advance() {
  skip_space();
  token_ = {TokenKind::kEnd, {}, line_, position_ - line_start_ + 1};
  if (position_ == text_.size()) return;
  const char first = text_[position_];
  if (first == '"') return read_string();
  std::size_t begin = position_;
  std::size_t end = position_ + 1;
  if (starts_word(first)) {
    token_.kind = TokenKind::kWord;
    end = end_of_word(end);
  } else if (is_digit(first) || first == '-') {
    token_.kind = TokenKind::kNumber;
    while (end < text_.size() && in_number(text_[end])) ++end;
  } else if (first == '%') {
    token_.kind = TokenKind::kLabel;
    begin = end;
    end = end_of_word(end);
    if (begin == end) fail(token_, "a name or a number behind %");
  } else {
    token_.kind = TokenKind::kPunctuation;
  }
  token_.text = text_.substr(begin, end - begin);
  position_ = end;
}

}  // namespace tvmq::ir
