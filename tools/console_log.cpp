#include "console_log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "stop_signal.h"

namespace tvmq {
namespace {

using std::chrono::duration;

constexpr int kBarWidth = 30;
constexpr double kQuietSeconds = 2;  ///< shorter work needs no bar
constexpr double kTerminalRedrawSeconds = 0.1;
constexpr double kPlainLineSeconds = 10;

std::string clock_text(double seconds) {
  const auto whole = std::lround(seconds);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string bar_text(std::string_view title, std::int64_t done, std::int64_t total,
                     double seconds) {
  const double part = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  const int filled = static_cast<int>(part * kBarWidth);
  const std::string left =
      done > 0 ? clock_text(seconds / static_cast<double>(done) * static_cast<double>(total - done))
               : "?";
  return fmt::format("{} [{:#<{}}{:.<{}}] {}/{}, {} left", title, "", filled, "",
                     kBarWidth - filled, done, total, left);
}

}  // namespace

ConsoleLog::ConsoleLog(LogLevel lowest)
    : logger_(std::make_shared<spdlog::logger>(
          "console", std::make_shared<spdlog::sinks::stderr_color_sink_st>())),
      terminal_(::isatty(STDERR_FILENO) == 1) {
  logger_->set_pattern("%^%v%$");
  logger_->set_level(lowest == LogLevel::kDebug  ? spdlog::level::debug
                     : lowest == LogLevel::kInfo ? spdlog::level::info
                                                 : spdlog::level::warn);
}

ConsoleLog::~ConsoleLog() { erase_bar(); }

void ConsoleLog::write(LogLevel level, std::string_view line) {
  erase_bar();
  switch (level) {
    case LogLevel::kDebug:
      logger_->debug("{}", line);
      break;
    case LogLevel::kInfo:
      logger_->info("{}", line);
      break;
    case LogLevel::kWarning:
      logger_->warn("warning: {}", line);
      break;
  }
}

void ConsoleLog::error(std::string_view line) {
  erase_bar();
  logger_->error("error: {}", line);
}

void ConsoleLog::progress(std::string_view title, std::int64_t done, std::int64_t total) {
  const Clock::time_point now = Clock::now();
  if (title_ != title || done == 0) {
    title_ = title;
    started_ = last_drawn_ = now;
  }
  const double seconds = duration<double>(now - started_).count();
  const double since_drawn = duration<double>(now - last_drawn_).count();
  const bool finished = done >= total;
  if (finished) {
    erase_bar();
    title_.clear();
    return;
  }
  if (seconds < kQuietSeconds || logger_->level() > spdlog::level::info) return;
  if (terminal_ && since_drawn >= kTerminalRedrawSeconds) {
    std::fputs(("\r\033[K" + bar_text(title, done, total, seconds)).c_str(), stderr);
    std::fflush(stderr);
    bar_drawn_ = true;
    last_drawn_ = now;
  } else if (!terminal_ && since_drawn >= kPlainLineSeconds) {
    logger_->info("{}", bar_text(title, done, total, seconds));
    last_drawn_ = now;
  }
}

bool ConsoleLog::stop_requested() const { return stop_signal() != 0; }

void ConsoleLog::erase_bar() {
  if (!bar_drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  bar_drawn_ = false;
}

}  // namespace tvmq
