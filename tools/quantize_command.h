// quantization_tvm -c config.xml: what the program does without a subcommand.
#pragma once

#include <filesystem>
#include <string>

#include "command.h"

namespace tvmq {

struct QuantizeArguments {
  std::filesystem::path config;
  CommonOptions common;
};

/// All keys with their meaning and default, for --help.
std::string configuration_help();

/// Runs every Config of the file; a failing one does not stop the next.
int quantize(const QuantizeArguments& arguments);

}  // namespace tvmq
