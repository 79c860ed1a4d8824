// A configuration to start from: every key with its meaning, its values and its default.
#pragma once

#include <string>

namespace tvmq::driver {

/// XML that parse_configs() takes once the required keys and Dataset/Path are filled in: it means
/// the defaults then. Made from config_reference(), so that it knows every key.
std::string config_template();

}  // namespace tvmq::driver
