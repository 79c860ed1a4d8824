#include "data/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "data/image.h"

namespace tvmq::data {
namespace {

namespace fs = std::filesystem;

std::string read_head(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(kImageSignatureBytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return head;
}

/// Names of the regular files that are not hidden.
std::vector<std::string> list_names(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw InputError(fmt::format(
        "Dataset/Path: '{}' {}, expected a folder of images or .npy/.npz "
        "files",
        folder.string(), fs::exists(folder, error) ? "is no folder" : "does not exist"));
  }
  std::vector<std::string> names;
  fs::directory_iterator entry(folder, error);
  while (!error && entry != fs::directory_iterator()) {
    std::string name = entry->path().filename().string();
    std::error_code ignored;  // a broken link is not a regular file
    if (!name.starts_with('.') && entry->is_regular_file(ignored)) names.push_back(std::move(name));
    entry.increment(error);
  }
  if (error) {
    throw InputError(fmt::format("Dataset/Path: the folder '{}' cannot be read: {}",
                                 folder.string(), error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", names[i]);
  }
  return text + (names.size() > kShown ? ", ..." : "");
}

}  // namespace

std::optional<FolderKind> file_kind(const fs::path& path) {
  const std::string head = read_head(path);
  if (head.starts_with("\x93NUMPY") || head.starts_with("PK\x03\x04")) return FolderKind::kArrays;
  if (detect_image_format(head)) return FolderKind::kImages;
  return std::nullopt;
}

FolderContents list_folder(const fs::path& folder, Log& log) {
  std::vector<std::string> images;
  std::vector<std::string> arrays;
  std::vector<std::string> others;
  for (std::string& name : list_names(folder)) {
    const auto kind = file_kind(folder / name);
    auto& list = !kind ? others : *kind == FolderKind::kImages ? images : arrays;
    list.push_back(std::move(name));
  }
  if (images.empty() && arrays.empty()) {
    throw InputError(fmt::format(
        "Dataset/Path: found {} in the folder '{}', expected images or .npy/.npz files; subfolders "
        "are not searched",
        others.empty()
            ? "no file"
            : fmt::format("only {} files of other kinds ({})", others.size(), some_of(others)),
        folder.string()));
  }
  if (!images.empty() && !arrays.empty()) {
    throw InputError(fmt::format(
        "Dataset/Path: found {} images ({}) and {} NumPy files ({}) in the folder '{}', expected "
        "one kind; put them into two folders",
        images.size(), some_of(images), arrays.size(), some_of(arrays), folder.string()));
  }
  if (!others.empty()) {
    log.warning(fmt::format("{} of {} files in '{}' are neither images nor arrays: skipped ({})",
                            others.size(), others.size() + images.size() + arrays.size(),
                            folder.string(), some_of(others)));
  }
  if (images.empty()) return {.kind = FolderKind::kArrays, .files = std::move(arrays)};
  return {.kind = FolderKind::kImages, .files = std::move(images)};
}

}  // namespace tvmq::data
