// A log that tests can look into.
#pragma once

#include <string>

#include "base/log.h"

namespace tvmq::data::testing {

class RecordingLog final : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    text += level == LogLevel::kWarning ? "warning: " : "";
    text += line;
    text += '\n';
  }
  void progress(std::string_view /*title*/, std::int64_t /*done*/,
                std::int64_t /*total*/) override {}

  std::string text;
};

}  // namespace tvmq::data::testing
