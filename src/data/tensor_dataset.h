// A folder of NumPy files as batches of a model's inputs, without any preprocessing.
//
// A .npy file fills the only input of a model. A .npz file holds one array per input, under the
// input's name; arrays of other names are left alone. The arrays have
//   either exactly the input's shape: a file is a whole batch;
//   or that shape without its first dimension, or with a 1 there: a file is one sample, and
//   BatchSize files make a batch (every input must then start with that dimension).
// The first file decides which. Element types are converted where no value changes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/file_dataset.h"

namespace tvmq::data {

/// How much of a batch a file holds.
enum class FileUnit : std::uint8_t { kBatch, kSample };

/// What the file says about all files of its folder. InputError: it cannot be read or fits the
/// inputs in neither way (found, expected).
FileUnit inspect_tensor_file(const std::filesystem::path& file,
                             const std::vector<InputSpec>& inputs, std::int64_t batch_size);

class TensorDataset final : public FileDataset {
 public:
  TensorDataset(std::filesystem::path folder, std::vector<std::string> files,
                std::vector<InputSpec> inputs, std::int64_t batch_size, FileUnit unit)
      : FileDataset(std::move(folder), std::move(files), unit == FileUnit::kBatch ? 1 : batch_size),
        inputs_(std::move(inputs)),
        batch_size_(batch_size),
        unit_(unit) {}

 private:
  [[nodiscard]] std::vector<ir::Tensor> load_files(
      const std::vector<std::string>& files) const override;

  std::vector<InputSpec> inputs_;
  std::int64_t batch_size_;
  FileUnit unit_;
};

}  // namespace tvmq::data
