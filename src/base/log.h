// What the library has to say while it works. The caller decides where it goes: the library itself
// never touches stdout or stderr.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace tvmq {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning };

/// Receives messages and progress. All members are called from one thread at a time.
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
