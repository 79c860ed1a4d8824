// What image and tensor datasets share: a list of files, so many per batch, and warnings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace tvmq::data {

class FileDataset : public Dataset {
 public:
  /// REQUIRES: files_per_batch divides files.size().
  FileDataset(std::filesystem::path folder, std::vector<std::string> files,
              std::int64_t files_per_batch);

  [[nodiscard]] std::int64_t batches() const final;
  /// Calls load_files(); an InputError becomes a warning.
  [[nodiscard]] std::optional<std::vector<ir::Tensor>> load(std::int64_t batch) const final;
  [[nodiscard]] std::vector<std::string> sources(std::int64_t batch) const final;
  [[nodiscard]] std::vector<std::string> take_warnings() const final;

 protected:
  /// One tensor per model input from the files of one batch. Called from several threads at once.
  [[nodiscard]] virtual std::vector<ir::Tensor> load_files(
      const std::vector<std::string>& files) const = 0;
  [[nodiscard]] std::filesystem::path path_of(const std::string& file) const {
    return folder_ / file;
  }
  void warn(std::string message) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::string> files_;
  std::int64_t files_per_batch_;
  mutable std::mutex mutex_;
  mutable std::set<std::string> warnings_;
};

}  // namespace tvmq::data
