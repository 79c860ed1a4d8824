// A folder of images as batches of a model's only input.
#pragma once

#include <string>
#include <vector>

#include "data/file_dataset.h"
#include "data/preprocess.h"

namespace tvmq::data {

class ImageDataset final : public FileDataset {
 public:
  ImageDataset(std::filesystem::path folder, std::vector<std::string> files,
               const Preprocessor& preprocessor)
      : FileDataset(std::move(folder), std::move(files), preprocessor.batch_size()),
        preprocessor_(preprocessor) {}

 private:
  [[nodiscard]] std::vector<ir::Tensor> load_files(
      const std::vector<std::string>& files) const override;

  Preprocessor preprocessor_;
};

}  // namespace tvmq::data
