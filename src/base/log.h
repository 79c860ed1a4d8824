// What the library has to say while it works. The caller decides where it goes: the library itself
// never touches stdout or stderr. The same object carries the only word in the other direction:
// whether the caller still wants the result.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/interrupted.h"

namespace tvmq {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning };

/// Receives messages and progress. All members are called from one thread at a time, except
/// stop_requested(), which every thread may ask at any time.
class Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  virtual ~Log() = default;

  /// One complete line, without a newline.
  virtual void write(LogLevel level, std::string_view line) = 0;

  /// `done` of `total` units of the work named `title` are finished. Called often; the receiver
  /// decides how often to show it. `done == total` ends the work.
  virtual void progress(std::string_view title, std::int64_t done, std::int64_t total) = 0;

  /// True once the result is no longer wanted; it stays true.
  [[nodiscard]] virtual bool stop_requested() const { return false; }

  /// For loops that last: throws Interrupted once the result is no longer wanted. What was finished
  /// before and written (a calibration cache) is kept, what was being written is removed.
  void throw_if_stopped() const {
    if (stop_requested()) throw Interrupted();
  }

  void debug(std::string_view line) { write(LogLevel::kDebug, line); }
  void info(std::string_view line) { write(LogLevel::kInfo, line); }
  void warning(std::string_view line) { write(LogLevel::kWarning, line); }
};

/// Drops everything; for callers and tests that do not care.
class NullLog final : public Log {
 public:
  void write(LogLevel /*level*/, std::string_view /*line*/) override {}
  void progress(std::string_view /*title*/, std::int64_t /*done*/,
                std::int64_t /*total*/) override {}
};

}  // namespace tvmq
