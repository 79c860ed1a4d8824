// Valid modules, with their weights inside.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tvmq::fuzz {

/// Module files: random networks as they are and quantized by both schemes; *.json of the folders;
/// of sub-folders that hold a model.json and model.params, both as one. Folders that do not exist
/// and files of more than 200 kB are left out.
std::vector<std::string> read_module_corpus(std::span<const std::filesystem::path> folders);

}  // namespace tvmq::fuzz
