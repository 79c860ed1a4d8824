// Damage to valid files, the same on every machine. Two kinds, of which a replay program is linked
// with one: mutate_bytes.cpp knows nothing of what it damages, mutate_networks.cpp makes modules
// that are wrong in a few places and right everywhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tvmq::fuzz {

/// The valid files to start from: of mutate_bytes.cpp the files of the folders as they are, of
/// mutate_networks.cpp see read_module_corpus().
std::vector<std::string> read_corpus(std::span<const std::filesystem::path> folders);

/// One of the files with one to eight changes. REQUIRES: at least one file.
std::string mutate(const std::vector<std::string>& corpus, std::uint64_t number);

}  // namespace tvmq::fuzz
