// How commands are told which model and which images they work on.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

  /// The network that the configuration itself names; nothing without -c.
  [[nodiscard]] std::optional<ir::Graph> of_config(
      const std::optional<driver::Config>& parsed) const;
};

/// A second model to compare the first with.
struct ReferenceArgument {
  std::filesystem::path json;
  std::filesystem::path params;

  /// --against and --against-params.
  void add_to(CLI::App& app, std::string_view meaning);
  /// The network of --against, else `fallback`. Throws InputError for parameters without a module.
  [[nodiscard]] std::optional<ir::Graph> load(std::optional<ir::Graph> fallback) const;
};

/// Which images, where they are not those of the configuration.
struct ImageArguments {
  std::filesystem::path images;
  std::filesystem::path labels;
  std::int64_t samples = -1;  ///< negative: not given

  /// --images, --labels and --samples, whose meaning is `samples_meaning`.
  void add_to(CLI::App& app, std::string_view samples_meaning);
  /// Puts them into the configuration; without labels all images of the folder are used then.
  void apply(driver::Config& config) const;
};

/// Where results go, and as what.
struct OutputArguments {
  std::string format = "text";
  std::string file;  ///< empty: stdout

  /// --format, one of `formats`, and -o/--output.
  void add_to(CLI::App& app, const std::vector<std::string>& formats);
  void write(std::string_view text) const;
};

/// The file of parameters of a module: `params` if given, else the one beside it with its name,
/// else none (all values are constants in the module then).
std::filesystem::path params_of(const std::filesystem::path& json,
                                const std::filesystem::path& params);

}  // namespace tvmq
