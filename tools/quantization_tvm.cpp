// The command line: quantization_tvm -c config.xml, and the commands beside it.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "quantize_command.h"
#include "stop_signal.h"

int main(int argc, char** argv) {
  using namespace tvmq;
  // One heap for all threads: what one of them frees serves the others. With a heap each, the
  // memory of a run varies by half, by which thread happened to take what.
  mallopt(M_ARENA_MAX, 1);
  QuantizeArguments arguments;
  CLI::App program{"Quantizes Apache TVM (Relay) models to 8 bits after training."};
  program.name("quantization_tvm");
  program.add_option("-c,--config", arguments.config, "the XML configuration")->type_name("FILE");
  add_common_options(program, arguments.common,
                     "worker threads, 0 for all cores; never changes the result");
  program.set_version_flag("--version", std::string("quantization_tvm ") + TVMQ_VERSION);
  program.footer([] {
    return configuration_help() +
           "\nExit codes: 0 done; 1 a Config or command failed; 2 the command line; 3 a mistake of "
           "this program;\n4 done, but a result is bad (its report says why and what may help); "
           "130 stopped by "
           "Ctrl-C\n";
  });
  program.require_subcommand(0, 1);
  const std::vector<Command> commands = {
      add_evaluate(program),  add_compare(program), add_benchmark(program), add_inspect(program),
      add_calibrate(program), add_merge(program),   add_template(program)};
  try {
    program.parse(argc, argv);
    if (program.get_subcommands().empty() && arguments.config.empty()) {
      throw CLI::RequiredError("--config (or a command)");
    }
    if (!program.get_subcommands().empty() && !arguments.config.empty()) {
      throw CLI::ExcludesError("--config before a command", "the command; write it behind");
    }
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? kSuccess : kUsage;
  }
  remember_stop_signals();
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return quantize(arguments);
}
