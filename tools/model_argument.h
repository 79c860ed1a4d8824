// How commands are told which model and which images they work on.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "driver/config.h"
#include "ir/graph.h"

namespace tvmq {

/// MODEL.json with its parameters, or what a configuration names.
struct ModelArgument {
  std::filesystem::path config;
  std::string name;  ///< Model/Name, of several Configs
  std::filesystem::path json;
  std::filesystem::path params;

  /// -c/--config, --name, --json (also without the option's name) and --params.
  void add_to(CLI::App& app);

  /// The Config that `config` and `name` mean; nothing without -c. Throws InputError: an error in
  /// it, several and no name, no such name.
  [[nodiscard]] std::optional<driver::Config> read_config() const;

  /// The network of --json, else of `parsed`. Throws InputError if there is neither.
  [[nodiscard]] ir::Graph load(const std::optional<driver::Config>& parsed) const;
};

/// The file of parameters of a module: `params` if given, else the one beside it with its name,
/// else none (all values are constants in the module then).
std::filesystem::path params_of(const std::filesystem::path& json,
                                const std::filesystem::path& params);

}  // namespace tvmq
