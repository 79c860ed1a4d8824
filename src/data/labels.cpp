#include "data/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace tvmq::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// For messages: a line may be anything, and of any length.
std::string shown(std::string_view line) {
  constexpr std::size_t kMost = 60;
  std::string text(line.substr(0, kMost));
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return line.size() > kMost ? text + "..." : text;
}

std::optional<std::int64_t> parse_label(std::string_view text) {
  std::int64_t label = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), label);
  if (error != std::errc() || end != text.data() + text.size() || label < 0) return std::nullopt;
  return label;
}

bool has_file(const fs::path& folder, const std::string& file) {
  std::error_code ignored;
  return fs::is_regular_file(folder / file, ignored);
}

/// The folders in `parent` that have the file, in the order of their names.
std::vector<fs::path> folders_with(const fs::path& parent, const std::string& file) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(parent, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && has_file(entry->path(), file)) found.push_back(*entry);
  }
  std::ranges::sort(found);
  return found;
}

fs::path find_folder(const fs::path& list, const fs::path& also, const std::string& file) {
  const fs::path beside = list.parent_path().empty() ? fs::path(".") : list.parent_path();
  const fs::path same_name = beside / list.stem();
  for (const fs::path& folder : {beside, same_name, also}) {
    if (!folder.empty() && has_file(folder, file)) return folder;
  }
  const std::vector<fs::path> others = folders_with(beside, file);
  if (others.size() == 1) return others[0];
  if (others.empty()) {
    throw InputError(fmt::format(
        "{}: its first file '{}' is neither in '{}' nor in a folder there{}; put the list beside "
        "its images",
        list.string(), shown(file), beside.string(),
        also.empty() ? "" : fmt::format(", nor in '{}'", also.string())));
  }
  throw InputError(fmt::format(
      "{}: its first file '{}' is in '{}' and in '{}'; give the list the name of the folder that "
      "is meant ('{}')",
      list.string(), shown(file), others[0].string(), others[1].string(),
      others[0].filename().string() + ".txt"));
}

}  // namespace

LabelList parse_labels(std::string_view text, std::string_view name_for_errors) {
  LabelList list;
  std::int64_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::size_t blank = line.find_last_of(" \t");
    const auto label =
        blank == std::string_view::npos ? std::nullopt : parse_label(line.substr(blank + 1));
    if (!label || line.find('\0') != std::string_view::npos) {
      throw InputError(fmt::format(
          "{}: line {}: found '{}', expected the name of an image, a blank and the number of its "
          "class, counted from 0",
          name_for_errors, number, shown(line)));
    }
    list.files.emplace_back(trim(line.substr(0, blank)));
    list.labels.push_back(*label);
  }
  if (list.files.empty()) {
    throw InputError(fmt::format("{}: found no image in the list, expected lines 'file label'",
                                 name_for_errors));
  }
  return list;
}

LabelList read_labels(const fs::path& list, const fs::path& also) {
  LabelList result = parse_labels(read_file(list), list.string());
  result.folder = find_folder(list, also, result.files.front());
  return result;
}

LabelList read_labels_of(const fs::path& list, const fs::path& folder) {
  LabelList result = parse_labels(read_file(list), list.string());
  result.folder = folder;
  if (has_file(folder, result.files.front())) return result;
  throw InputError(fmt::format("{}: its first file '{}' is not in '{}', the folder that was named",
                               list.string(), shown(result.files.front()), folder.string()));
}

LabelledDataset open_labelled(const LabelList& list, const DatasetOptions& options,
                              const std::vector<InputSpec>& inputs, Log& log) {
  LabelledDataset result{.dataset = open_files(list.folder, list.files, options, inputs, log),
                         .labels = list.labels};
  return result;
}

}  // namespace tvmq::data
