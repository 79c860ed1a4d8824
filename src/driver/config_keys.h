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

/// A key of a later version: written down, it must not be ignored.
struct LaterKey {
  std::string_view group;
  std::string_view key;
};
std::span<const LaterKey> later_keys();

}  // namespace tvmq::driver
