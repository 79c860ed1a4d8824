// quantization_tvm template: a configuration to fill in.
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "command.h"
#include "driver/config_template.h"

namespace tvmq {

Command add_template(CLI::App& program) {
  struct Arguments {
    std::string output;
    bool force = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "template", "A commented configuration with every key, its default and what it takes.");
  app->add_option("-o,--output", arguments->output, "the file to write; default: the terminal")
      ->type_name("FILE");
  app->add_flag("--force", arguments->force, "write over a file that is there");
  return {app, [arguments] {
            ConsoleLog log(LogLevel::kInfo);
            return guarded(log, "template", [&]() -> int {
              std::error_code ignored;
              if (!arguments->force && std::filesystem::exists(arguments->output, ignored)) {
                throw InputError(arguments->output +
                                 " exists; give another name, or --force to write over it");
              }
              print_or_write(driver::config_template(), arguments->output);
              return kSuccess;
            });
          }};
}

}  // namespace tvmq
