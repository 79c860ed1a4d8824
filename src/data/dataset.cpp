#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/folder.h"
#include "data/image_dataset.h"
#include "data/preprocess.h"
#include "data/sample.h"
#include "data/tensor_dataset.h"

namespace tvmq::data {
namespace {

/// The first few of them: there may be hundreds when the weights are missing.
std::string names_of(const std::vector<InputSpec>& inputs) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(inputs.size(), kShown); ++i) {
    text += (text.empty() ? "'" : ", '") + inputs[i].name + "'";
  }
  return inputs.size() > kShown ? fmt::format("{} and {} more", text, inputs.size() - kShown)
                                : text;
}

Preprocessor make_preprocessor(const DatasetOptions& options,
                               const std::vector<InputSpec>& inputs) {
  if (inputs.size() != 1) {
    throw InputError(fmt::format(
        "Dataset/Path: found a folder of images for a model with {} inputs ({}), expected one "
        "input; give a folder of .npz files with one array per input instead, or the .params file "
        "that holds the weights among them",
        inputs.size(), names_of(inputs)));
  }
  return {options.image, options.batch_size, inputs[0]};
}

/// How many files each set takes.
struct Counts {
  std::size_t calibration = 0;
  std::size_t verification = 0;
};

std::size_t whole_batches(std::size_t files, std::size_t per_batch) {
  return files / per_batch * per_batch;
}

Counts count_files(const DatasetOptions& options, std::size_t available, std::size_t per_batch,
                   Log& log) {
  if (available < per_batch) {
    throw InputError(fmt::format(
        "Dataset/Path: found {} files in '{}', expected at least {} to fill one batch (BatchSize)",
        available, options.folder.string(), per_batch));
  }
  // A file that holds a batch counts as that many samples.
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  const std::size_t per_file = batch_size / per_batch;
  const auto wanted = static_cast<std::size_t>(options.samples) / per_file;
  Counts counts;
  counts.calibration = whole_batches(std::min(wanted, available), per_batch);
  if (counts.calibration == 0) counts.calibration = per_batch;
  if (wanted > available) {
    log.info(fmt::format("CalibSamples asks for {}, the folder has {}: all of them are used",
                         options.samples, available * per_file));
  }
  if (counts.calibration * per_file < std::min(wanted, available) * per_file) {
    log.info(fmt::format("{} samples are used instead of {}: batches of {} are always full",
                         counts.calibration * per_file, std::min(wanted, available) * per_file,
                         batch_size));
  }
  if (counts.calibration * per_file > static_cast<std::size_t>(options.samples)) {
    log.warning(fmt::format("{} samples are used instead of {} (CalibSamples): a batch has {}",
                            counts.calibration * per_file, options.samples, batch_size));
  }
  const std::size_t verification = static_cast<std::size_t>(options.verification_samples);
  counts.verification = whole_batches(
      std::min((verification + per_file - 1) / per_file, available - counts.calibration),
      per_batch);
  return counts;
}

std::vector<std::string> pick(const std::vector<std::string>& files,
                              const std::vector<std::size_t>& indices) {
  std::vector<std::string> result;
  result.reserve(indices.size());
  for (const std::size_t index : indices) result.push_back(files[index]);
  return result;
}

/// Makes data sets of files of one kind; what all of them share was looked at once.
struct DatasetMaker {
  std::filesystem::path folder;
  std::vector<InputSpec> inputs;
  std::int64_t batch_size = 1;
  std::optional<Preprocessor> preprocessor = std::nullopt;  ///< of images
  FileUnit unit = FileUnit::kSample;                        ///< of arrays

  [[nodiscard]] std::size_t files_per_batch() const {
    return unit == FileUnit::kBatch ? 1 : static_cast<std::size_t>(batch_size);
  }
  [[nodiscard]] std::unique_ptr<Dataset> make(std::vector<std::string> files) const {
    if (preprocessor) {
      return std::make_unique<ImageDataset>(folder, std::move(files), *preprocessor);
    }
    return std::make_unique<TensorDataset>(folder, std::move(files), inputs, batch_size, unit);
  }
};

DatasetMaker inspect(const std::filesystem::path& folder, FolderKind kind, const std::string& first,
                     const DatasetOptions& options, const std::vector<InputSpec>& inputs) {
  DatasetMaker maker{.folder = folder, .inputs = inputs, .batch_size = options.batch_size};
  if (kind == FolderKind::kImages) {
    maker.preprocessor.emplace(make_preprocessor(options, inputs));
    return maker;
  }
  if (inputs.empty()) throw InputError("the model has no input to fill with data");
  maker.unit = inspect_tensor_file(folder / first, inputs, options.batch_size);
  return maker;
}

}  // namespace

Datasets open_dataset(const DatasetOptions& options, const std::vector<InputSpec>& inputs,
                      Log& log) {
  check(options.batch_size > 0 && options.samples > 0 && options.verification_samples >= 0,
        "sizes from a checked configuration");
  const FolderContents contents = list_folder(options.folder, log);
  const auto available = contents.files.size();
  const DatasetMaker maker =
      inspect(options.folder, contents.kind, contents.files[0], options, inputs);
  const Counts counts = count_files(options, available, maker.files_per_batch(), log);
  const Samples chosen =
      choose_samples(available, counts.calibration, counts.verification, options.seed);
  return {.calibration = maker.make(pick(contents.files, chosen.calibration)),
          .verification = maker.make(pick(contents.files, chosen.verification))};
}

std::unique_ptr<Dataset> open_files(const std::filesystem::path& folder,
                                    std::vector<std::string> files, const DatasetOptions& options,
                                    const std::vector<InputSpec>& inputs, Log& log) {
  check(options.batch_size > 0 && !files.empty(), "files, and sizes from a checked configuration");
  const auto kind = file_kind(folder / files[0]);
  if (!kind) {
    throw InputError(fmt::format("found '{}', expected an image or a .npy/.npz file",
                                 (folder / files[0]).string()));
  }
  const DatasetMaker maker = inspect(folder, *kind, files[0], options, inputs);
  const std::size_t whole = whole_batches(files.size(), maker.files_per_batch());
  if (whole == 0) {
    throw InputError(
        fmt::format("found {} files, expected at least {} to fill one batch (BatchSize)",
                    files.size(), maker.files_per_batch()));
  }
  if (whole < files.size()) {
    log.info(fmt::format("{} of {} files are used: batches of {} are always full", whole,
                         files.size(), maker.files_per_batch()));
  }
  files.resize(whole);
  return maker.make(std::move(files));
}

}  // namespace tvmq::data
