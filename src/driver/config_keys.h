// The table of all configuration keys. It drives parsing, error messages, --help and the check of
// docs/configuration.md; defaults live in the members of Config.
#pragma once

#include <span>
#include <string_view>

#include "driver/config.h"

namespace tvmq::driver {

struct KeyRow {
  ConfigKey key;
  /// Reads a value that is not empty into its member; false if it is none of key.values.
  /// Throws InputError where there is more to say.
  bool (*set)(Config& config, std::string_view text);
};

std::span<const KeyRow> config_keys();

}  // namespace tvmq::driver
