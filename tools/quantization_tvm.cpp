// quantization_tvm -c config.xml: the command line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <new>
#include <string>

#include "base/error.h"
#include "console_log.h"
#include "driver/config.h"
#include "driver/quantize_model.h"

namespace {

using tvmq::ConsoleLog;
using tvmq::InputError;

/// What the shell sees.
enum ExitCode : int {
  kSuccess = 0,
  kConfigFailed = 1,   ///< at least one Config could not be done; the others were
  kUsage = 2,          ///< the command line itself
  kInternalError = 3,  ///< our mistake
  kBadResult = 4,      ///< all was done, and a result is not fit for use (docs/report.md)
};

struct Arguments {
  std::filesystem::path config;
  int threads = 0;
  bool verbose = false;
  bool quiet = false;
};

std::string configuration_help() {
  std::string text = "Keys of the configuration (docs/configuration.md):\n";
  std::string_view group;
  for (const tvmq::driver::ConfigKey& key : tvmq::driver::config_reference()) {
    if (key.group != group) text += fmt::format("  {}\n", group = key.group);
    text += fmt::format("    {:<22}{}{}\n", key.key, key.meaning,
                        key.required           ? " (required)"
                        : key.fallback.empty() ? ""
                                               : fmt::format(" (default {})", key.fallback));
  }
  return text;
}

/// Of two exit codes: a result that is not fit for use weighs less than one that is not there.
int more_severe(int left, int right) {
  constexpr std::array kAscending = {kSuccess, kBadResult, kConfigFailed, kUsage, kInternalError};
  const auto rank = [&](int code) { return std::ranges::find(kAscending, code); };
  return rank(left) < rank(right) ? right : left;
}

/// Runs every Config of the file; a failing one does not stop the next.
int run(const Arguments& arguments) {
  ConsoleLog log(arguments.verbose ? tvmq::LogLevel::kDebug
                 : arguments.quiet ? tvmq::LogLevel::kWarning
                                   : tvmq::LogLevel::kInfo);
  int status = kSuccess;
  const auto fail = [&](std::string_view title, std::string_view message, ExitCode code) {
    log.error(fmt::format("{}: {}", title, message));
    status = more_severe(status, code);
  };
  try {
    for (const auto& parsed : tvmq::driver::read_configs(arguments.config)) {
      if (!parsed.config) {
        fail(parsed.title, parsed.error, kConfigFailed);
        continue;
      }
      try {
        const auto result = tvmq::driver::quantize_model(*parsed.config,
                                                         {.config_file = arguments.config,
                                                          .threads = arguments.threads,
                                                          .settings = parsed.settings},
                                                         log);
        if (result.report.verdict.status == tvmq::report::Status::kBad) {
          status = more_severe(status, kBadResult);
        }
      } catch (const InputError& error) {
        fail(parsed.title, error.what(), kConfigFailed);
      } catch (const std::bad_alloc&) {
        fail(parsed.title, "not enough memory for this model", kConfigFailed);
      } catch (const std::exception& error) {
        fail(parsed.title, error.what(), kInternalError);
      }
    }
  } catch (const InputError& error) {
    fail("configuration", error.what(), kConfigFailed);
  } catch (const std::exception& error) {
    fail("configuration", error.what(), kInternalError);
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Quantizes Apache TVM (Relay) models to 8 bits after training."};
  app.name("quantization_tvm");
  app.add_option("-c,--config", arguments.config, "the XML configuration")
      ->required()
      ->type_name("FILE");
  app.add_option("--threads", arguments.threads,
                 "worker threads, 0 for all cores; never changes the result")
      ->check(CLI::Range(0, 1024));
  auto* verbose = app.add_flag("-v,--verbose", arguments.verbose, "every pass and every layer");
  app.add_flag("-q,--quiet", arguments.quiet, "warnings and errors only")->excludes(verbose);
  app.set_version_flag("--version", std::string("quantization_tvm ") + TVMQ_VERSION);
  app.footer([] {
    return configuration_help() +
           "\nExit codes: 0 done; 1 a Config failed; 2 the command line; 3 a mistake of this "
           "program; 4 done,\nbut a result is bad (its report says why and what may help)\n";
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSuccess : kUsage;
  }
  return run(arguments);
}
