// Messages and progress on the terminal.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/log.h"

namespace spdlog {
class logger;
}

namespace tvmq {

/// Writes messages to stderr, warnings marked, and a progress bar with the time that is left for
/// work that takes longer than two seconds. On a terminal the bar redraws itself in place; in a
/// file or a pipe it is a line every ten seconds.
class ConsoleLog final : public Log {
 public:
  /// `lowest`: what is not shown is below it.
  explicit ConsoleLog(LogLevel lowest);
  ~ConsoleLog() override;

  void write(LogLevel level, std::string_view line) override;
  void progress(std::string_view title, std::int64_t done, std::int64_t total) override;
  /// Once a signal asked the program to end (stop_signal.h).
  [[nodiscard]] bool stop_requested() const override;
  /// A failure, marked as one.
  void error(std::string_view line);

 private:
  using Clock = std::chrono::steady_clock;

  void erase_bar();

  std::shared_ptr<spdlog::logger> logger_;
  bool terminal_;
  bool bar_drawn_ = false;
  std::string title_;
  Clock::time_point started_;
  Clock::time_point last_drawn_;
};

}  // namespace tvmq
