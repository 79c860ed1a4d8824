#include "driver/check_preprocessing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "analysis/accuracy.h"
#include "driver/calibration.h"
#include "exec/program.h"
#include "ir/cost.h"
#include "quant/calibrate_passes.h"
#include "quant/channel_statistics.h"

namespace tvmq::driver {
namespace {

constexpr std::int64_t kInputBatches = 8;
/// Enough to tell accuracies of the same images apart that differ by ten points; fewer if the
/// network takes long.
constexpr std::int64_t kMostLabelledImages = 256;
constexpr std::int64_t kFewestLabelledImages = 64;
constexpr double kMultiplyAccumulates = 1e11;
/// ... and enough to find one that is far above chance.
constexpr std::int64_t kCandidateImages = 64;

/// Pixels of photographs vary by a quarter of their range; what varies less than this, or less than
/// this share of the largest, has been divided by 255 twice, or shifted on one scale and divided on
/// the other.
constexpr double kLeastSpread = 0.05;
constexpr double kLeastShare = 0.02;
/// Raw pixels end at 255.
constexpr double kLargestInput = 300;
/// Of the variances behind the first layer, measured against remembered; right settings stay within
/// 2 on the networks that this was tried on, a scale that is wrong by 58 makes it 3,400.
constexpr double kVarianceRatio = 10;
/// Standard errors, and points, by which another channel order must be better.
constexpr double kClearly = 2.5;
constexpr double kLeastGain = 0.03;
/// Share of right answers above guessing under which a classifier has learnt nothing.
constexpr double kNearChance = 0.05;

struct InputStatistics {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double spread = 0;  ///< the largest standard deviation of a channel
};

InputStatistics statistics_of(const std::vector<ir::Tensor>& batches, std::size_t channel_axis) {
  InputStatistics result;
  std::vector<double> sum;
  std::vector<double> squares;
  double count = 0;
  for (const ir::Tensor& batch : batches) {
    const auto channels = static_cast<std::size_t>(batch.shape()[channel_axis]);
    std::size_t inner = 1;
    for (std::size_t i = channel_axis + 1; i < batch.shape().size(); ++i) {
      inner *= static_cast<std::size_t>(batch.shape()[i]);
    }
    sum.resize(channels, 0);
    squares.resize(channels, 0);
    const auto elements = batch.data<float>();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const auto x = static_cast<double>(elements[i]);
      result.low = std::min(result.low, x);
      result.high = std::max(result.high, x);
      sum[i / inner % channels] += x;
      squares[i / inner % channels] += x * x;
    }
    const std::size_t per_channel = elements.size() / channels;
    count += static_cast<double>(per_channel);
  }
  for (std::size_t c = 0; c < sum.size(); ++c) {
    const double mean = sum[c] / count;
    result.spread =
        std::max(result.spread, std::sqrt(std::max(0.0, squares[c] / count - mean * mean)));
  }
  return result;
}

bool is_default(const DatasetConfig& dataset) {
  const auto all = [](const std::vector<double>& values, double value) {
    return std::ranges::all_of(values, [&](double each) { return each == value; });
  };
  return !dataset.normalization && all(dataset.mean, 0) && all(dataset.std, 1);
}

/// The convolution that reads the input through nothing but padding; nothing if there is none.
std::optional<ir::NodeId> first_convolution(const ir::Graph& graph, ir::NodeId input) {
  for (ir::NodeId id = input + 1; id < graph.size(); ++id) {
    const ir::Node& node = graph[id];
    if (node.inputs.empty() || node.inputs[0] != input) continue;
    if (node.is_call(ir::Op::kPad)) return first_convolution(graph, id);
    if (node.is_call(ir::Op::kConv2D)) return id;
  }
  return std::nullopt;
}

/// The batch normalisation right behind `value`, biases aside.
std::optional<ir::NodeId> normalisation_behind(const ir::Graph& graph, ir::NodeId value) {
  for (ir::NodeId id = value + 1; id < graph.size(); ++id) {
    const ir::Node& node = graph[id];
    if (node.inputs.empty() || node.inputs[0] != value) continue;
    if (node.is_call(ir::Op::kBatchNorm)) return id;
    if (node.is_call(ir::Op::kBiasAdd)) return normalisation_behind(graph, id);
  }
  return std::nullopt;
}

class Check {
 public:
  Check(const ir::Graph& bound, Samples& samples, const Config& config, const RunOptions& run,
        Log& log)
      : graph_(bound), samples_(samples), config_(config), run_(run), log_(log) {}

  std::vector<std::string> run() {
    if (!config_.dataset.image_resolution || graph_.inputs().size() != 1) return {};
    const quant::BatchSource* source = nullptr;
    VerificationSamples labelled;
    if (config_.dataset.labels) {
      labelled = samples_.verification();
      source = &labelled.source;
    } else if (quant::threshold_mode(calib_mode(config_)).needs_samples && samples_.present() &&
               !has_cache()) {
      source = &samples_.source();
    }
    if (source == nullptr) return {};
    look_at_inputs(*source);
    look_behind_first_layer(*source);
    if (config_.dataset.labels) look_at_accuracy(labelled);
    return std::move(findings_);
  }

 private:
  void add(std::string finding) {
    log_.warning("preprocessing: " + finding);
    findings_.push_back(std::move(finding));
  }

  [[nodiscard]] bool has_cache() const {
    const auto& cache = config_.quantization.calibration_cache;
    std::error_code ignored;
    return cache && std::filesystem::exists(*cache, ignored);
  }

  void look_at_inputs(const quant::BatchSource& source) {
    std::vector<ir::Tensor> batches;
    for (std::int64_t i = 0; i < std::min(source.batches, kInputBatches); ++i) {
      auto inputs = source.load(i);
      if (inputs && inputs->at(0).dtype() == ir::DType::kFloat32) batches.push_back(inputs->at(0));
    }
    const std::size_t axis = config_.dataset.layout.find('C');
    if (batches.empty() || axis >= batches[0].shape().size()) return;
    const InputStatistics found = statistics_of(batches, axis);
    const double largest = std::max(std::fabs(found.low), std::fabs(found.high));
    const std::string range =
        fmt::format("the inputs lie within {:.4g} to {:.4g}", found.low, found.high);
    const DatasetConfig& dataset = config_.dataset;
    if (found.spread < std::max(kLeastSpread, kLeastShare * largest)) {
      add(fmt::format(
          "{} and hardly vary (standard deviation {:.2g}): no trained network expects that. {}",
          range, found.spread,
          dataset.normalization
              ? "Normalization divides by 255 already: set it to False, or give Mean and Std for "
                "pixels from 0 to 1"
              : "Std is too large for pixels from 0 to 255"));
    } else if (largest > kLargestInput) {
      add(fmt::format("{}: no trained network expects that. {}", range,
                      dataset.normalization
                          ? "Check Mean and Std"
                          : "If Mean and Std are for pixels from 0 to 1, set Normalization to "
                            "True; for pixels from 0 to 255 multiply them by 255"));
    } else if (is_default(dataset) && found.high > kLargestInput / 5 &&
               first_convolution(graph_, graph_.inputs()[0])) {
      add(fmt::format(
          "{}, raw pixels, and go straight into a convolution. Most networks are trained on "
          "normalised ones: give Mean and Std, or Normalization, as in training (often Mean "
          "[123.675, "
          "116.28, 103.53], Std [58.395, 57.12, 57.375])",
          range));
    }
  }

  void look_behind_first_layer(const quant::BatchSource& source) {
    const auto convolution = first_convolution(graph_, graph_.inputs()[0]);
    const auto normalisation =
        convolution ? normalisation_behind(graph_, *convolution) : std::nullopt;
    if (!normalisation) return;
    const ir::Node& node = graph_[*normalisation];
    const ir::Node& variance = graph_[node.inputs.at(4)];
    if (!variance.is_constant() || variance.value.dtype() != ir::DType::kFloat32) return;
    const ir::NodeId values[] = {node.inputs[0]};
    const auto found = quant::observe_channels(
        graph_, values, source,
        {.title = "preprocessing", .most_batches = kInputBatches, .threads = run_.threads}, log_);
    const auto remembered = variance.value.data<float>();
    if (found[0].mean.size() != remembered.size()) return;
    double sum = 0;
    double channels = 0;
    for (std::size_t c = 0; c < remembered.size(); ++c) {
      const double measured = found[0].mean_square[c] - found[0].mean[c] * found[0].mean[c];
      const auto expected = static_cast<double>(remembered[c]);
      if (!(expected > 1e-6) || !(measured > 0)) continue;  // a dead channel
      sum += std::log(measured / expected);
      ++channels;
    }
    if (channels == 0) return;
    const double ratio = std::exp(sum / channels);
    log_.debug(
        fmt::format("preprocessing: variances behind the first layer are {:.3g} times those "
                    "of training",
                    ratio));
    if (ratio <= kVarianceRatio && ratio >= 1 / kVarianceRatio) return;
    add(fmt::format(
        "the outputs of the first layer vary {:.2g} times as much as in training, as the batch "
        "normalisation behind it remembers: the scale of the inputs is off by about {:.2g}; check "
        "Std "
        "and Normalization",
        std::sqrt(ratio), std::sqrt(ratio)));
  }

  /// Of so many of the labelled images, spread over all of them, which the network is right on; in
  /// a batch that cannot be read, on none.
  std::vector<bool> right_ones(const VerificationSamples& samples, std::int64_t most) {
    const std::int64_t batch_size = config_.dataset.batch_size;
    const std::int64_t batches =
        std::clamp<std::int64_t>(most / batch_size, 1, samples.source.batches);
    const auto place = [&](std::int64_t i) { return i * samples.source.batches / batches; };
    const quant::BatchSource source{
        .batches = batches,
        .load = [&](std::int64_t i) { return samples.source.load(place(i)); },
        .describe = [&](std::int64_t i) { return samples.source.describe(place(i)); }};
    std::vector<char> right(static_cast<std::size_t>(batches * batch_size), 0);
    const auto make_worker = [&]() -> quant::WorkOnBatch {
      return [&, session = std::make_shared<exec::Session>(program_)](
                 std::span<const ir::Tensor> inputs, std::int64_t batch) {
        const std::vector<ir::Tensor> outputs = session->run(inputs);
        const auto logits = outputs.at(0).data<float>();
        const std::size_t classes = logits.size() / static_cast<std::size_t>(batch_size);
        for (std::int64_t i = 0; i < batch_size; ++i) {
          const auto of_image = logits.subspan(static_cast<std::size_t>(i) * classes, classes);
          const std::int64_t label =
              samples.labels[static_cast<std::size_t>(place(batch) * batch_size + i)];
          right[static_cast<std::size_t>(batch * batch_size + i)] =
              analysis::top_classes(of_image, 1).at(0) == label ? 1 : 0;
        }
        return true;
      };
    };
    quant::run_batches(source, {.title = "preprocessing", .threads = run_.threads}, make_worker,
                       log_);
    return {right.begin(), right.end()};
  }
  /// The same with another preprocessing.
  std::vector<bool> right_ones_with(const DatasetConfig& dataset, std::int64_t most) {
    Config other = config_;
    other.dataset = dataset;
    NullLog quiet;
    Samples samples(graph_, other, run_, quiet);
    return right_ones(samples.verification(), most);
  }

  static double share(const std::vector<bool>& right) {
    return static_cast<double>(std::ranges::count(right, true)) /
           static_cast<double>(std::max<std::size_t>(right.size(), 1));
  }

  [[nodiscard]] std::int64_t classes() const {
    const auto* type = std::get_if<ir::TensorType>(&graph_[graph_.outputs()[0]].type);
    return type == nullptr || type->shape.empty() ? 0 : type->shape.back();
  }

  void look_at_accuracy(const VerificationSamples& labelled) {
    if (classes() < 2) return;
    program_ = std::make_shared<const exec::Program>(graph_);
    const double work = std::max<double>(1, static_cast<double>(ir::multiply_accumulates(graph_)));
    const auto most = std::clamp(static_cast<std::int64_t>(kMultiplyAccumulates / work),
                                 kFewestLabelledImages, kMostLabelledImages);
    const std::vector<bool> own = right_ones(labelled, most);
    const double chance = 1 / static_cast<double>(classes());
    log_.info(
        fmt::format("preprocessing: the float network is right on {:.1f} % of {} labelled images",
                    100 * share(own), own.size()));
    if (share(own) < chance + kNearChance * (1 - chance)) {
      add(fmt::format(
          "the float network is right on {:.1f} % of {} labelled images, guessing is right "
          "on {:.1f} %: {}",
          100 * share(own), own.size(), 100 * chance, best_candidate(chance)));
      return;
    }
    DatasetConfig swapped = config_.dataset;
    std::swap(swapped.channel_swap[0], swapped.channel_swap[2]);
    const std::vector<bool> other = right_ones_with(swapped, most);
    if (!is_clearly_better(other, own)) return;
    add(fmt::format(
        "the float network is right on {:.1f} % of {} labelled images, but on {:.1f} % with the "
        "channels in the other order: set ChannelSwap to [{}]",
        100 * share(own), own.size(), 100 * share(other), fmt::join(swapped.channel_swap, ", ")));
  }

  /// McNemar's test: only images that one is right on and the other is not tell them apart.
  static bool is_clearly_better(const std::vector<bool>& other, const std::vector<bool>& own) {
    double gained = 0;
    double lost = 0;
    for (std::size_t i = 0; i < own.size(); ++i) {
      gained += other[i] && !own[i] ? 1 : 0;
      lost += own[i] && !other[i] ? 1 : 0;
    }
    return gained - lost > kLeastGain * static_cast<double>(own.size()) &&
           gained - lost > kClearly * std::sqrt(gained + lost);
  }

  /// What to write instead, if one of the usual preprocessings is far above chance.
  std::string best_candidate(double chance) {
    struct Usual {
      std::vector<double> mean;  ///< red, green, blue
      std::vector<double> std;
      bool normalization;
    };
    const Usual usual[] = {{{123.675, 116.28, 103.53}, {58.395, 57.12, 57.375}, false},
                           {{127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}, false},
                           {{0, 0, 0}, {1, 1, 1}, true},
                           {{123, 117, 104}, {1, 1, 1}, false},
                           {{0, 0, 0}, {1, 1, 1}, false}};
    double best = chance + 2 * kNearChance;
    std::string advice =
        "check Mean, Std, Normalization, ChannelSwap, Labels and the model; none of the usual "
        "preprocessings does better";
    for (const Usual& each : usual) {
      for (const bool blue_first : {false, true}) {
        DatasetConfig dataset = config_.dataset;
        dataset.mean = each.mean;
        dataset.std = each.std;
        dataset.normalization = each.normalization;
        dataset.channel_swap = {2, 1, 0};
        if (blue_first) {
          dataset.channel_swap = {0, 1, 2};
          std::ranges::reverse(dataset.mean);
          std::ranges::reverse(dataset.std);
        }
        const double found = share(right_ones_with(dataset, kCandidateImages));
        if (found <= best) continue;
        best = found;
        advice = fmt::format(
            "with Mean {}, Std {}, Normalization {}, ChannelSwap [{}] it is right on {:.1f} %",
            dataset.mean, dataset.std, dataset.normalization ? "True" : "False",
            fmt::join(dataset.channel_swap, ", "), 100 * best);
      }
    }
    return advice;
  }

  const ir::Graph& graph_;
  Samples& samples_;
  const Config& config_;
  const RunOptions& run_;
  Log& log_;
  std::vector<std::string> findings_;
  std::shared_ptr<const exec::Program> program_;  ///< of the network, once there are labels
};

}  // namespace

std::vector<std::string> check_preprocessing(const ir::Graph& bound, Samples& samples,
                                             const Config& config, const RunOptions& run,
                                             Log& log) {
  return Check(bound, samples, config, run, log).run();
}

}  // namespace tvmq::driver
