// The two kinds of failure: the user's (InputError) and ours (InternalError).
//
// Library code throws them, never prints and never exits; tools/ turns them into text and an exit
// code. An InputError reads as found, expected, where, what to do:
//
//   throw InputError("weights.params: byte 24: 7 names announced, expected at most 3 in a file of "
//                    "40 bytes; the file is truncated, save it again");
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tvmq {

/// Something the user gave us (a file, an option, a model) cannot be used.
class InputError : public std::runtime_error {
 public:
  explicit InputError(const std::string& message) : std::runtime_error(message) {}
};

/// One of our own invariants is broken; the message carries the source position.
class InternalError : public std::logic_error {
 public:
  /// The position is that of the caller. (The builtins instead of std::source_location, which
  /// clang-tidy 14 cannot read.)
  explicit InternalError(std::string_view message, const char* file = __builtin_FILE(),
                         int line = __builtin_LINE());
};

/// Throws InternalError unless `condition` holds. For what a caller of this program cannot cause.
inline void check(bool condition, std::string_view what, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  if (!condition) throw InternalError(what, file, line);
}

}  // namespace tvmq
