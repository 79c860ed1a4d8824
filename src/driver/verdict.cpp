#include "driver/verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tvmq::driver {
namespace {

constexpr std::size_t kLayersNamed = 3;
/// A layer that loses less than this by itself is not what makes a network bad.
constexpr double kHarmlessLayerDb = 35;

/// What a layer is ranked by; unknown ones come last.
double badness(const report::Layer& layer) {
  const double sqnr =
      std::isnan(layer.isolated_sqnr_db) ? layer.accumulated_sqnr_db : layer.isolated_sqnr_db;
  return std::isnan(sqnr) ? std::numeric_limits<double>::infinity() : sqnr;
}

/// Of the worst output. NaN if one is not finite.
double worst_sqnr(const report::Verification& verification) {
  double worst = std::numeric_limits<double>::infinity();
  for (const report::Output& output : verification.outputs) {
    if (std::isnan(output.sqnr_db)) return output.sqnr_db;
    worst = std::min(worst, output.sqnr_db);
  }
  return worst;
}

std::string figures(const report::Verification& verification, double sqnr) {
  std::string text = fmt::format("SQNR of the outputs {}",
                                 std::isinf(sqnr) ? "infinite" : fmt::format("{:.1f} dB", sqnr));
  if (!std::isnan(verification.top1_agreement)) {
    text += fmt::format(", top-1 agreement {:.1f} %", 100 * verification.top1_agreement);
  }
  return text + fmt::format(" on {} images", verification.images);
}

/// The value that saturates most, if that is more than a percent; null otherwise.
const report::Activation* most_saturated(const report::Report& report) {
  constexpr double kMuch = 0.01;
  const report::Activation* most = nullptr;
  for (const report::Activation& each : report.activations) {
    if (each.saturated > (most == nullptr ? kMuch : most->saturated)) most = &each;
  }
  return most;
}

std::vector<std::string> advice(const report::Report& report, const Config& config) {
  const QuantizationConfig& quantization = config.quantization;
  std::vector<std::string> lines;
  if (quantization.scheme == Scheme::kTvm) {
    lines.emplace_back(
        "Scheme integer: a scale per channel and zero points lose far less than TVM's own "
        "quantizer");
  }
  if (quantization.calib_mode != CalibMode::kMse) {
    lines.emplace_back("CalibMode mse: ranges with the least squared error");
  }
  if (quantization.equalization == false) {
    lines.emplace_back("Equalization True: channels of very different ranges");
  }
  if (quantization.bias_correction == false) {
    lines.emplace_back("BiasCorrection True: means that rounding moves");
  }
  if (quantization.activation_bits < 8 || quantization.weight_bits < 8) {
    lines.emplace_back("ActivationBits and WeightBits of 8");
  }
  if (const report::Activation* most = most_saturated(report)) {
    lines.push_back(fmt::format(
        "CalibMode minmax or percentile, or more calibration images: {:.1f} % of {} lie "
        "beyond the range that was found",
        100 * most->saturated, most->name));
  }
  std::vector<std::string> names;
  for (const report::Layer* layer : worst_layers(report, kLayersNamed)) {
    if (badness(*layer) >= kHarmlessLayerDb) break;
    names.push_back(fmt::format("{} ({:.1f} dB)", layer->name, badness(*layer)));
  }
  if (!names.empty()) {
    lines.push_back(fmt::format("SkipLayers: leaving the worst layers in floating point: {}",
                                fmt::join(names, ", ")));
  }
  if (report.verification && report.verification->source == "calibration") {
    lines.emplace_back(
        "more images in Dataset/Path than CalibSamples, so that some are left to check with");
  }
  return lines;
}

}  // namespace

std::vector<const report::Layer*> worst_layers(const report::Report& report, std::size_t most) {
  std::vector<const report::Layer*> layers;
  for (const report::Layer& layer : report.layers) {
    if (layer.integer && std::isfinite(badness(layer))) layers.push_back(&layer);
  }
  std::ranges::stable_sort(layers, {}, [](const report::Layer* each) { return badness(*each); });
  if (layers.size() > most) layers.resize(most);
  return layers;
}

report::Verdict judge(const report::Report& report, const Config& config,
                      const std::string& reason) {
  using report::Status;
  if (!report.verification) {
    return {.status = Status::kUnchecked,
            .summary = reason,
            .advice = {"give Dataset/Path images to check the result on"}};
  }
  const report::Verification& verification = *report.verification;
  const double sqnr = worst_sqnr(verification);
  if (std::isnan(sqnr)) {
    return {.status = Status::kBad,
            .summary = "outputs that are not finite numbers",
            .advice = advice(report, config)};
  }
  const bool classifier = !std::isnan(verification.top1_agreement);
  const bool bad =
      sqnr < kLeastSqnrDb && (!classifier || verification.top1_agreement < kLeastAgreement);
  report::Verdict verdict{.status = bad ? Status::kBad : Status::kGood,
                          .summary = figures(verification, sqnr)};
  if (bad) {
    verdict.summary += fmt::format(
        ", expected at least {} dB{}", kLeastSqnrDb,
        classifier ? fmt::format(" or an agreement of {:.0f} %", 100 * kLeastAgreement) : "");
    verdict.advice = advice(report, config);
  }
  return verdict;
}

}  // namespace tvmq::driver
