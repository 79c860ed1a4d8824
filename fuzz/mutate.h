// Small damage to valid files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tvmq::fuzz {

/// One of the files with one to eight changes: bits, bytes, numbers replaced by the numbers that
/// programs trip over, parts removed, repeated or taken from another file. The same for the same
/// arguments on every machine. REQUIRES: at least one file.
std::string mutate(const std::vector<std::string>& corpus, std::uint64_t number);

}  // namespace tvmq::fuzz
