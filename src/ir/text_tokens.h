// The words of the text form, for its printer and its parser (the inside of ir/text.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ir/type.h"

namespace tvmq::ir {

/// `splat` makes no larger tensors, so that a short text cannot take much memory.
inline constexpr std::int64_t kMaxSplat = std::int64_t{1} << 24;

/// `bytes` between double quotes: \" \\ \n \t, and \xHH for what is not printable ASCII.
std::string quoted(std::string_view bytes);
/// Can `name` stand behind % as it is? A letter or '_', then letters, digits, '_' and '.'.
bool is_label(std::string_view name);
/// As to_string(), but a dtype that is not set is "void" and negative dimensions stay visible.
std::string type_text(const Type& type);

enum class TokenKind : std::uint8_t {
  kEnd,
  kWord,    ///< letters, digits, '_' and '.'; starts with a letter or '_'
  kLabel,   ///< the word or number behind %
  kNumber,  ///< starts with a digit or '-'
  kString,  ///< what stands between the quotes, escapes included
  kPunctuation,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  std::size_t line = 1;
  std::size_t column = 1;  ///< in bytes, from 1
};

/// Takes a text apart. Space and comments (// to the end of the line) only separate tokens.
class Lexer {
 public:
  /// `name` stands in front of messages. Both must outlive the lexer.
  Lexer(std::string_view text, std::string_view name) : text_(text), name_(name) { advance(); }

  [[nodiscard]] const Token& peek() const { return token_; }
  Token next();
  /// Throws InputError: where `token` stands, what it is, what was expected.
  [[noreturn]] void fail(const Token& token, std::string_view expected) const;
  /// The bytes of a kString token.
  [[nodiscard]] std::string unquoted(const Token& token) const;

 private:
  void advance();
  void skip_space();
  void read_string();
  [[nodiscard]] std::size_t end_of_word(std::size_t position) const;

  std::string_view text_;
  std::string_view name_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
  Token token_;
};

}  // namespace tvmq::ir
