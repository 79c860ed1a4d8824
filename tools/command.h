// A subcommand: its options, and what it does with them.
//
//   quantization_tvm.cpp   builds the command line from the add_*() below and dispatches
//   <name>_command.cpp     one command: options, and printing what src/driver found out
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "console_log.h"
#include "exit_code.h"

namespace tvmq {

/// Options that every command has.
struct CommonOptions {
  int threads = 0;
  bool verbose = false;
  bool quiet = false;

  [[nodiscard]] LogLevel log_level() const {
    return verbose ? LogLevel::kDebug : quiet ? LogLevel::kWarning : LogLevel::kInfo;
  }
};

struct Command {
  CLI::App* app = nullptr;             ///< belongs to the program's App
  std::function<int()> run = nullptr;  ///< after parsing; returns an ExitCode
};

Command add_benchmark(CLI::App& program);
Command add_calibrate(CLI::App& program);
Command add_compare(CLI::App& program);
Command add_evaluate(CLI::App& program);
Command add_inspect(CLI::App& program);
Command add_merge(CLI::App& program);
Command add_template(CLI::App& program);

/// `threads_meaning` is the help of --threads; empty: the command has no such option.
void add_common_options(CLI::App& app, CommonOptions& options, std::string_view threads_meaning);

/// Runs `work`; what it throws goes to the log after `title`, and becomes an exit code.
int guarded(ConsoleLog& log, std::string_view title, const std::function<int()>& work);

/// Results go to stdout, whole: a closed pipe or a full disk is an InputError.
void print(std::string_view text);
/// The same, to `file` if it is not empty: whole or not at all.
void print_or_write(std::string_view text, const std::string& file);

}  // namespace tvmq
