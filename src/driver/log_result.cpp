#include "driver/log_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "driver/verdict.h"
#include "quant/layers.h"

namespace tvmq::driver {
namespace {

std::string decibels(double value) {
  if (std::isnan(value)) return "unknown";
  return std::isinf(value) ? "infinite" : fmt::format("{:.1f} dB", value);
}

std::string percent(const report::Share& share) {
  return fmt::format("{:.1f} % ({:.1f} to {:.1f})", 100 * share.value, 100 * share.low,
                     100 * share.high);
}

void log_verification(const report::Verification& verification, Log& log) {
  for (const report::Output& output : verification.outputs) {
    log.info(fmt::format("{}: SQNR {}, cosine {:.5f}, largest error {:.4g}", output.name,
                         decibels(output.sqnr_db), output.cosine, output.max_abs_error));
  }
  if (!std::isnan(verification.top1_agreement)) {
    log.info(fmt::format("agreement with the float network: top-1 {:.1f} %, top-5 {:.1f} %",
                         100 * verification.top1_agreement, 100 * verification.top5_agreement));
  }
  if (verification.source == "calibration") {
    log.info(
        "the folder has no images besides those of the calibration: the result was checked on "
        "them, and the figures flatter");
  }
}

void log_accuracy(const report::Accuracy& accuracy, Log& log) {
  log.info(fmt::format("top-1 on {} labelled images, 95 % intervals: float {}, integer {}",
                       accuracy.images, percent(accuracy.of_float.top1),
                       percent(accuracy.of_integer.top1)));
  log.info(fmt::format("top-5: float {}, integer {}", percent(accuracy.of_float.top5),
                       percent(accuracy.of_integer.top5)));
  log.info(fmt::format("top-1 changed by {:+.1f} points ({:+.1f} to {:+.1f}); {} images flipped",
                       100 * accuracy.difference.value, 100 * accuracy.difference.low,
                       100 * accuracy.difference.high, accuracy.flipped.size()));
}

/// What its own rounding costs a layer, and which operand is to blame.
std::string blame(const report::Layer& layer) {
  std::string text = fmt::format("{}: {} by itself", layer.name, decibels(layer.isolated_sqnr_db));
  if (!std::isnan(layer.weight_sqnr_db)) {
    text += fmt::format(" (weights {}, input {})", decibels(layer.weight_sqnr_db),
                        decibels(layer.activation_sqnr_db));
  }
  return text + fmt::format(", {} with all before it", decibels(layer.accumulated_sqnr_db));
}

void log_layers(const report::Report& report, Log& log) {
  constexpr std::size_t kShown = 3;
  const char* title = "worst layers: ";
  for (const report::Layer* layer : worst_layers(report, kShown)) {
    log.info(title + blame(*layer));
    title = "              ";
  }
  for (const report::Layer& layer : report.layers) log.debug("  layer " + blame(layer));

  constexpr double kMuch = 0.001;
  const report::Activation* most = nullptr;
  std::size_t count = 0;
  for (const report::Activation& each : report.activations) {
    if (!(each.saturated > kMuch)) continue;
    ++count;
    if (most == nullptr || each.saturated > most->saturated) most = &each;
  }
  if (most != nullptr) {
    log.info(fmt::format(
        "more than {} % of the elements saturate in {} of {} values, most in {}: "
        "{:.2f} %",
        100 * kMuch, count, report.activations.size(), most->name, 100 * most->saturated));
  }
}

void log_costs(const report::Report& report, Log& log) {
  const report::Operations& operations = report.operations;
  const std::int64_t macs = operations.integer_macs + operations.float_macs;
  if (macs > 0) {
    log.info(fmt::format(
        "{:.1f} % of {:.1f} M multiplications on integers; constants {:.2f} MB of "
        "integers, {:.2f} MB of floats",
        100 * static_cast<double>(operations.integer_macs) / static_cast<double>(macs),
        static_cast<double>(macs) / 1e6, static_cast<double>(operations.integer_bytes) / 1e6,
        static_cast<double>(operations.float_bytes) / 1e6));
  }
  std::int64_t wide_macs = 0;
  std::size_t wide = 0;
  for (const report::Layer& layer : report.layers) {
    if (!layer.wide) continue;
    ++wide;
    wide_macs += layer.macs;
  }
  if (wide > 0) {
    log.info(fmt::format(
        "{} of {} layers take their input in 16 bits: {:.1f} % of the multiplications twice", wide,
        report.layers.size(),
        100 * static_cast<double>(wide_macs) /
            static_cast<double>(std::max<std::int64_t>(macs, 1))));
  }
  if (report.latency) {
    log.info(
        fmt::format("a run in this program's executor, {} thread, median: float {:.2f} ms, "
                    "integer {:.2f} ms",
                    report.latency->threads, report.latency->of_float.median_ms,
                    report.latency->of_integer.median_ms));
  }
}

}  // namespace

void log_verdict(const report::Report& report, Log& log) {
  const report::Verdict& verdict = report.verdict;
  const std::string line = fmt::format("{}: {}: {}", report.model.name,
                                       report::status_name(verdict.status), verdict.summary);
  if (verdict.status == report::Status::kGood) {
    log.info(line);
  } else {
    log.warning(line);
    for (const std::string& each : verdict.advice) {
      log.warning(fmt::format("  what may help: {}", each));
    }
  }
  if (report.verification) log_verification(*report.verification, log);
  if (report.accuracy) log_accuracy(*report.accuracy, log);
  if (report.verification) log_layers(report, log);
  log_costs(report, log);
}

void log_summary(const quant::QuantizationSummary& summary, Log& log) {
  std::size_t quantized = 0;
  std::map<std::string, std::vector<std::string>> float_by_reason;
  for (const auto& layer : summary.layers) {
    if (layer.quantized) {
      ++quantized;
      log.debug(fmt::format("  integer{}: {}", layer.wide ? ", input of 16 bits" : "",
                            quant::skip_line(layer.name)));
    } else {
      float_by_reason[layer.reason].push_back(quant::skip_line(layer.name));
    }
  }
  log.info(fmt::format(
      "integer: {} of {} layers; of the operators {} work on integers, {} on floats", quantized,
      summary.layers.size(), summary.integer_operators, summary.float_operators));
  constexpr std::size_t kNamesShown = 4;
  for (const auto& [reason, names] : float_by_reason) {
    std::string shown;
    for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
      shown += (i > 0 ? ", " : "") + names[i];
    }
    if (names.size() > kNamesShown) {
      shown += fmt::format(" and {} more", names.size() - kNamesShown);
      for (const std::string& name : names) log.debug(fmt::format("  float: {}", name));
    }
    log.info(fmt::format("float: {} ({})", shown, reason));
  }
}

}  // namespace tvmq::driver
