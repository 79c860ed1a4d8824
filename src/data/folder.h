// What lies in a folder of calibration data, judged by the files' first bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"

namespace tvmq::data {

enum class FolderKind : std::uint8_t { kImages, kArrays };

struct FolderContents {
  FolderKind kind = FolderKind::kImages;
  std::vector<std::string> files;  ///< names without the folder, sorted by their bytes
};

/// What the first bytes of a file say; nothing if it is neither, or cannot be read.
std::optional<FolderKind> file_kind(const std::filesystem::path& path);

/// The images (data/image.h) or NumPy files (.npy, .npz) in the folder itself. Hidden files,
/// directories, pipes and broken links are left out; other files too, with one warning for all.
/// InputError: no such folder, nothing usable in it, or images and arrays mixed.
FolderContents list_folder(const std::filesystem::path& folder, Log& log);

}  // namespace tvmq::data
