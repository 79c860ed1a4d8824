#include "quantize_command.h"

#include <fmt/format.h>

#include "driver/config.h"
#include "driver/quantize_model.h"

namespace tvmq {

std::string configuration_help() {
  std::string text = "Keys of the configuration (docs/configuration.md):\n";
  std::string_view group;
  for (const driver::ConfigKey& key : driver::config_reference()) {
    if (key.group != group) text += fmt::format("  {}\n", group = key.group);
    text += fmt::format("    {:<22}{}{}\n", key.key, key.meaning,
                        key.required           ? " (required)"
                        : key.fallback.empty() ? ""
                                               : fmt::format(" (default {})", key.fallback));
  }
  return text;
}

int quantize(const QuantizeArguments& arguments) {
  ConsoleLog log(arguments.common.log_level());
  int status = kSuccess;
  const auto quantize_one = [&](const driver::ParsedConfig& parsed) -> int {
    const auto result = driver::quantize_model(*parsed.config,
                                               {.config_file = arguments.config,
                                                .threads = arguments.common.threads,
                                                .settings = parsed.settings},
                                               log);
    return result.report.verdict.status == report::Status::kBad ? kBadResult : kSuccess;
  };
  const int read = guarded(log, "configuration", [&] {
    for (const driver::ParsedConfig& parsed : driver::read_configs(arguments.config)) {
      if (status > kStoppedBySignal) break;
      if (parsed.config) {
        status =
            more_severe(status, guarded(log, parsed.title, [&] { return quantize_one(parsed); }));
      } else {
        log.error(fmt::format("{}: {}", parsed.title, parsed.error));
        status = more_severe(status, kFailed);
      }
    }
    return static_cast<int>(kSuccess);
  });
  return more_severe(status, read);
}

}  // namespace tvmq
