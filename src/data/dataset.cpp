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

}  // namespace

Datasets open_dataset(const DatasetOptions& options, const std::vector<InputSpec>& inputs,
                      Log& log) {
  check(options.batch_size > 0 && options.samples > 0 && options.verification_samples >= 0,
        "sizes from a checked configuration");
  const FolderContents contents = list_folder(options.folder, log);
  const auto available = contents.files.size();
  const auto samples = [&](std::size_t per_batch) {
    const Counts counts = count_files(options, available, per_batch, log);
    return choose_samples(available, counts.calibration, counts.verification, options.seed);
  };
  const auto make_both = [&](const Samples& chosen, auto make) {
    return Datasets{.calibration = make(pick(contents.files, chosen.calibration)),
                    .verification = make(pick(contents.files, chosen.verification))};
  };

  if (contents.kind == FolderKind::kImages) {
    const Preprocessor preprocessor = make_preprocessor(options, inputs);
    const Samples chosen = samples(static_cast<std::size_t>(options.batch_size));
    return make_both(chosen, [&](std::vector<std::string> files) {
      return std::make_unique<ImageDataset>(options.folder, std::move(files), preprocessor);
    });
  }
  if (inputs.empty()) throw InputError("the model has no input to fill with data");
  const FileUnit unit =
      inspect_tensor_file(options.folder / contents.files[0], inputs, options.batch_size);
  const Samples chosen =
      samples(unit == FileUnit::kBatch ? 1 : static_cast<std::size_t>(options.batch_size));
  return make_both(chosen, [&](std::vector<std::string> files) {
    return std::make_unique<TensorDataset>(options.folder, std::move(files), inputs,
                                           options.batch_size, unit);
  });
}

}  // namespace tvmq::data
