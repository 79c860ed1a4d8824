#include "data/file_dataset.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace tvmq::data {

FileDataset::FileDataset(std::filesystem::path folder, std::vector<std::string> files,
                         std::int64_t files_per_batch)
    : folder_(std::move(folder)), files_(std::move(files)), files_per_batch_(files_per_batch) {
  check(files_per_batch > 0 && static_cast<std::int64_t>(files_.size()) % files_per_batch == 0,
        "every batch is full");
}

std::int64_t FileDataset::batches() const {
  return static_cast<std::int64_t>(files_.size()) / files_per_batch_;
}

std::vector<std::string> FileDataset::sources(std::int64_t batch) const {
  check(batch >= 0 && batch < batches(), "a batch of this dataset");
  const auto first = files_.begin() + batch * files_per_batch_;
  return {first, first + files_per_batch_};
}

std::optional<std::vector<ir::Tensor>> FileDataset::load(std::int64_t batch) const {
  const std::vector<std::string> files = sources(batch);
  try {
    return load_files(files);
  } catch (const InputError& error) {
    warn(files.size() == 1 ? fmt::format("{}; skipped", error.what())
                           : fmt::format("{}; skipped, with the other {} files of its batch",
                                         error.what(), files.size() - 1));
    return std::nullopt;
  }
}

void FileDataset::warn(std::string message) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  warnings_.insert(std::move(message));
}

std::vector<std::string> FileDataset::take_warnings() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> result(warnings_.begin(), warnings_.end());
  warnings_.clear();
  return result;
}

}  // namespace tvmq::data
