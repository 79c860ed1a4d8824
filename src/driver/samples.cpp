#include "driver/samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>

#include "analysis/compare_outputs.h"
#include "base/error.h"

namespace tvmq::driver {
namespace {

/// Enough to tell a broken network from a good one, and quickly done. With labels all of them are
/// used: whoever gives labels wants an accuracy.
constexpr std::int64_t kVerificationImages = 64;

std::vector<data::InputSpec> inputs_of(const ir::Graph& graph, const Config& config) {
  std::vector<data::InputSpec> inputs;
  for (const ir::NodeId id : graph.inputs()) {
    const ir::Node& node = graph[id];
    const auto* type = std::get_if<ir::TensorType>(&node.type);
    if (type == nullptr) {
      throw InputError(fmt::format("{}: its input '{}' has no tensor type; declare one",
                                   config.model.model_json.string(), node.name));
    }
    inputs.push_back({node.name, *type});
  }
  const std::string& wanted = config.quantization.input_name;
  if (!wanted.empty() && (inputs.size() != 1 || inputs[0].name != wanted)) {
    std::vector<std::string> names;
    names.reserve(inputs.size());
    for (const auto& input : inputs) names.push_back(fmt::format("'{}'", input.name));
    throw InputError(fmt::format("InputName '{}': the inputs that {} leaves open are {}", wanted,
                                 config.model.weights_params.string(), fmt::join(names, ", ")));
  }
  return inputs;
}

data::DatasetOptions options_of(const Config& config, std::filesystem::path folder) {
  const DatasetConfig& dataset = config.dataset;
  return {.folder = std::move(folder),
          .batch_size = dataset.batch_size,
          .samples = config.quantization.calib_samples,
          .verification_samples = std::max(kVerificationImages, dataset.batch_size),
          .seed = config.quantization.seed,
          .image = {.mean = dataset.mean,
                    .std = dataset.std,
                    .resolution = dataset.image_resolution,
                    .layout = dataset.layout,
                    .normalization = dataset.normalization,
                    .channel_swap = dataset.channel_swap}};
}

quant::BatchSource source_of(const data::Dataset& dataset) {
  return {.batches = dataset.batches(),
          .load = [&dataset](std::int64_t batch) { return dataset.load(batch); },
          .describe =
              [&dataset](std::int64_t batch) {
                return fmt::format("batch {} ({})", batch, fmt::join(dataset.sources(batch), ", "));
              },
          .name =
              [&dataset](std::int64_t batch) {
                return fmt::format("{}", fmt::join(dataset.sources(batch), ", "));
              }};
}

}  // namespace

Samples::Samples(const ir::Graph& graph, const Config& config, const RunOptions& run, Log& log)
    : graph_(graph), config_(config), run_(run), log_(log) {
  if (!config.dataset.labels) return;
  const auto list = resolve(*config.dataset.labels, run.config_file);
  const auto& path = config.dataset.path;
  const auto& images = config.dataset.labelled_images;
  labelled_ = data::open_labelled(
      images ? data::read_labels_of(list, *images)
             : data::read_labels(list, present() ? resolve(path, run.config_file) : path),
      options_of(config, {}), inputs_of(graph, config), log);
  try {
    analysis::require_classes(graph, labelled_.labels);
  } catch (const InputError& error) {
    throw InputError(fmt::format("Dataset/Labels: {}: {}", list.string(), error.what()));
  }
}

Samples::~Samples() {
  for (const auto* each :
       {datasets_.calibration.get(), datasets_.verification.get(), labelled_.dataset.get()}) {
    if (each == nullptr) continue;
    for (const std::string& warning : each->take_warnings()) log_.warning(warning);
  }
}

void Samples::open() {
  if (datasets_.calibration) return;
  if (config_.dataset.path.empty()) throw InputError("Dataset/Path names no images");
  datasets_ =
      data::open_dataset(options_of(config_, resolve(config_.dataset.path, run_.config_file)),
                         inputs_of(graph_, config_), log_);
  source_ = source_of(*datasets_.calibration);
}

bool Samples::present() const {
  if (datasets_.calibration) return true;
  const std::filesystem::path& path = config_.dataset.path;
  std::error_code ignored;
  return !path.empty() &&
         (std::filesystem::exists(path, ignored) ||
          (path.is_relative() &&
           std::filesystem::exists(run_.config_file.parent_path() / path, ignored)));
}

const quant::BatchSource& Samples::source() {
  open();
  calibrated_ = true;
  return source_;
}

VerificationSamples Samples::verification() {
  if (labelled_.dataset) {
    verification_ = labelled_.dataset.get();
    return {source_of(*verification_), "labelled", labelled_.labels};
  }
  open();
  const bool others = datasets_.verification->batches() > 0;
  verification_ = others ? datasets_.verification.get() : datasets_.calibration.get();
  VerificationSamples result{.source = source_of(*verification_),
                             .origin = others || !calibrated_ ? "held out" : "calibration",
                             .labels = {}};
  const std::int64_t batches =
      std::max<std::int64_t>(kVerificationImages / config_.dataset.batch_size, 1);
  result.source.batches = std::min(result.source.batches, batches);
  return result;
}

std::string Samples::file_of(std::int64_t image) const {
  check(verification_ != nullptr, "verification() was called");
  const std::int64_t batch_size = config_.dataset.batch_size;
  const std::vector<std::string> files = verification_->sources(image / batch_size);
  const auto place = static_cast<std::size_t>(image % batch_size);
  // A file may hold a whole batch.
  return files.size() == static_cast<std::size_t>(batch_size)
             ? files[place]
             : fmt::format("{} [{}]", files.at(0), place);
}

}  // namespace tvmq::driver
