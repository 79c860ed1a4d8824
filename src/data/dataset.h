// Batches of model inputs, made from a folder of images or of NumPy arrays.
//
//   InputSpec: what the model takes          DatasetOptions: what the configuration says
//                          \                 /
//                           open_dataset() --> Datasets{calibration, verification}
//                                                   |
//                          load(i): one tensor per model input, ready to run
//
// Which files: the folder itself (not its subfolders), hidden files left out, in the order of their
// names' bytes. A file is judged by its first bytes, not by its extension; what is neither an image
// nor an array is skipped and counted in a warning. Directories, pipes and broken links are skipped
// silently, links to files are followed.
//
// Which of them: without a seed the first `samples` files; with a seed a random subset, the same
// for the same seed and names on every machine, in the order of names. Batches are always full:
// files that do not fill the last batch are left out, and the log says so. The verification set is
// made of up to `verification_samples` files that calibration does not see (those that follow).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "ir/tensor.h"
#include "ir/type.h"

namespace tvmq::data {

/// A numbered set of batches.
class Dataset {
 public:
  Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;
  virtual ~Dataset() = default;

  [[nodiscard]] virtual std::int64_t batches() const = 0;

  /// One tensor per model input, in the order of the inputs; nothing if a file of the batch cannot
  /// be read, in which case a warning is kept. Reads and decodes on the calling thread, holds
  /// nothing afterwards, and may be called from several threads at once.
  /// REQUIRES: 0 <= batch < batches().
  [[nodiscard]] virtual std::optional<std::vector<ir::Tensor>> load(std::int64_t batch) const = 0;

  /// The names (without the folder) of the files that make up the batch.
  [[nodiscard]] virtual std::vector<std::string> sources(std::int64_t batch) const = 0;

  /// What load() had to say so far, each message once, sorted; clears it. Thread safe.
  [[nodiscard]] virtual std::vector<std::string> take_warnings() const = 0;
};

/// One input of the model that the dataset has to fill. A dynamic batch dimension takes BatchSize.
struct InputSpec {
  std::string name;
  ir::TensorType type;
};

/// How a decoded image becomes the model's input; see data/preprocess.h for the arithmetic.
struct ImageOptions {
  std::vector<double> mean = {0.0, 0.0, 0.0};  ///< one for all channels, or one per channel
  std::vector<double> std = {1.0, 1.0, 1.0};   ///< likewise; greater than 0
  std::optional<std::array<std::int64_t, 2>> resolution = std::nullopt;  ///< width, height
  std::string layout = "NCHW";                  ///< a permutation of N, C, H, W
  bool normalization = false;                   ///< divide by 255 first
  std::array<int, 3> channel_swap = {2, 1, 0};  ///< taken from the decoded BGR image
};

struct DatasetOptions {
  std::filesystem::path folder;
  std::int64_t batch_size = 1;  ///< images per batch
  std::int64_t samples = 128;   ///< files for calibration; all of them if there are fewer
  std::int64_t verification_samples = 0;
  std::optional<std::uint64_t> seed = std::nullopt;
  ImageOptions image = {};
};

struct Datasets {
  std::unique_ptr<Dataset> calibration;   ///< at least one batch
  std::unique_ptr<Dataset> verification;  ///< never null; has no batch if no file is left over
};

/// InputError: no such folder, no usable file in it, fewer files than one batch, or options that do
/// not fit the model's inputs (found, expected, the value that would fit).
Datasets open_dataset(const DatasetOptions& options, const std::vector<InputSpec>& inputs,
                      Log& log);

/// The named files of `folder`, in the given order; the folder, the numbers of samples and the seed
/// of `options` are not used. Files that do not fill the last batch
/// are left out, and the log says so. InputError: the first file is neither image nor array, fewer
/// files than one batch, or options that do not fit the model's inputs.
/// REQUIRES: a file.
std::unique_ptr<Dataset> open_files(const std::filesystem::path& folder,
                                    std::vector<std::string> files, const DatasetOptions& options,
                                    const std::vector<InputSpec>& inputs, Log& log);

}  // namespace tvmq::data
