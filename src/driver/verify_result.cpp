#include "driver/verify_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <utility>

#include "analysis/latency.h"
#include "analysis/layer_errors.h"
#include "analysis/operator_times.h"
#include "base/error.h"
#include "driver/check_float_outputs.h"
#include "driver/report_layers.h"
#include "ir/inline_functions.h"

namespace tvmq::driver {
namespace {

/// Layer errors are to take less time than calibration, which runs the float network at least once
/// per sample; a batch here costs about three runs of it.
std::int64_t layer_error_batches(const report::Calibration& calibration, std::int64_t batch_size) {
  constexpr std::int64_t kFewest = 4;
  constexpr std::int64_t kMost = 32;
  return std::clamp(calibration.samples / batch_size / 4, kFewest, kMost);
}

report::Times times(const analysis::LatencyTimes& measured) {
  return {.median_ms = measured.median_ms, .min_ms = measured.min_ms, .p90_ms = measured.p90_ms};
}

report::Share share(std::int64_t hits, std::int64_t images) {
  const analysis::Share result = analysis::share_of(hits, images);
  return {.value = result.value, .low = result.low, .high = result.high};
}

report::TopShares shares(const analysis::AccuracyCounts& counts) {
  return {.top1 = share(counts.top1, counts.images), .top5 = share(counts.top5, counts.images)};
}

report::Accuracy accuracy(const analysis::OutputComparison& comparison, const Samples& samples) {
  const analysis::PairedAccuracy& paired = *comparison.accuracy;
  const analysis::Share difference = analysis::paired_difference(paired.change);
  report::Accuracy result{
      .images = paired.reference.images,
      .of_float = shares(paired.reference),
      .of_integer = shares(paired.actual),
      .difference = {.value = difference.value, .low = difference.low, .high = difference.high}};
  for (const analysis::FlippedImage& image : comparison.flipped) {
    result.flipped.push_back({.file = samples.file_of(image.image),
                              .label = image.label,
                              .of_float = image.reference,
                              .of_integer = image.actual});
  }
  return result;
}

/// Runs of each network to time its operators in, about so long together.
constexpr std::int64_t kMostOperatorRuns = 20;
constexpr double kOperatorMilliseconds = 300;

/// A row for each layer, in the order of the float network, then one for each other operator.
std::vector<report::OperatorTime> operator_times(const ir::Graph& bound, const ir::Graph& integer,
                                                 std::span<const ir::Tensor> inputs,
                                                 const report::Latency& latency) {
  const auto steps_of = [&](const ir::Graph& graph, double median_ms) {
    const auto runs = static_cast<std::int64_t>(kOperatorMilliseconds / std::max(median_ms, 1.0));
    return analysis::measure_operators(
        graph, inputs,
        {.threads = latency.threads, .runs = std::clamp<std::int64_t>(runs, 3, kMostOperatorRuns)});
  };
  std::vector<report::OperatorTime> layers;
  std::vector<report::OperatorTime> others;
  const auto add = [&](const std::vector<analysis::StepTime>& steps,
                       double report::OperatorTime::*time) {
    for (const analysis::StepTime& step : steps) {
      auto& rows = step.layer.empty() ? others : layers;
      const std::string& name = step.layer.empty() ? step.op : step.layer;
      auto row = std::ranges::find(rows, name, &report::OperatorTime::name);
      if (row == rows.end()) row = rows.insert(rows.end(), {.name = name, .op = step.op});
      double& sum = (*row).*time;
      sum = std::isnan(sum) ? step.median_us : sum + step.median_us;
    }
  };
  add(steps_of(bound, latency.of_float.median_ms), &report::OperatorTime::float_us);
  add(steps_of(integer, latency.of_integer.median_ms), &report::OperatorTime::integer_us);
  layers.insert(layers.end(), others.begin(), others.end());
  return layers;
}

}  // namespace

VerifiedOutputs verify_outputs(const ir::Graph& bound, const ir::Module& quantized,
                               Samples& samples, const RunOptions& run, Log& log) {
  VerifiedOutputs result;
  FloatOutputCheck float_outputs(bound);
  quant::BatchSource source;
  try {
    const VerificationSamples chosen = samples.verification();
    source = chosen.source;
    result.origin = chosen.origin;
    result.comparison =
        analysis::compare_outputs(bound, ir::inline_functions(quantized), chosen.source,
                                  {.title = "verification",
                                   .threads = run.threads,
                                   .labels = chosen.labels,
                                   .look_at_reference =
                                       [&](std::int64_t batch, std::span<const ir::Tensor> inputs,
                                           std::span<const ir::Tensor> outputs) {
                                         float_outputs.look(batch, inputs, outputs);
                                       }},
                                  log);
  } catch (const InputError& error) {
    result.unchecked = error.what();
  }
  if (float_outputs.batches() > 0) float_outputs.require_sound(source);
  // The float network ran there anyway; on more samples only if those were few.
  if (samples.calibrated() &&
      float_outputs.batches() < batches_to_look_at(samples.source().batches)) {
    check_float_outputs(bound, samples.source(), run, log);
  }
  return result;
}

void add_outputs(const VerifiedOutputs& outputs, const Samples& samples, report::Report& report) {
  if (!outputs.comparison) throw InputError(outputs.unchecked);
  const analysis::OutputComparison& comparison = *outputs.comparison;
  report::Verification verification{.images = comparison.images,
                                    .source = std::string(outputs.origin)};
  if (comparison.agreement) {
    const auto images = static_cast<double>(comparison.agreement->images);
    verification.top1_agreement = static_cast<double>(comparison.agreement->top1) / images;
    verification.top5_agreement = static_cast<double>(comparison.agreement->top5) / images;
  }
  for (const analysis::OutputError& output : comparison.outputs) {
    verification.outputs.push_back({.name = output.name,
                                    .sqnr_db = output.error.sqnr_db,
                                    .cosine = output.error.cosine,
                                    .max_abs_error = output.error.max_abs_error});
  }
  report.verification = std::move(verification);
  if (comparison.accuracy) report.accuracy = accuracy(comparison, samples);
}

void verify_layers(const analysis::QuantizedNetwork& network, Samples& samples,
                   const RunOptions& run, report::Report& report, Log& log) {
  const std::int64_t batches = layer_error_batches(report.calibration, samples.batch_size());
  const auto start = std::chrono::steady_clock::now();
  const analysis::LayerErrors errors =
      analysis::measure_layer_errors(network, samples.verification().source,
                                     {.most_batches = batches, .threads = run.threads}, log);
  add_layer_errors(errors, report);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  log.info(fmt::format("layer errors: {} layers on {} batches, {:.1f} s", report.layers.size(),
                       errors.batches, seconds.count()));
}

void measure_times(const ir::Graph& bound, const ir::Module& quantized, Samples& samples,
                   report::Report& report) {
  const quant::BatchSource source = samples.verification().source;
  std::optional<std::vector<ir::Tensor>> inputs;
  for (std::int64_t batch = 0; batch < source.batches && !inputs; ++batch) {
    inputs = source.load(batch);
  }
  if (!inputs) return;
  const ir::Graph integer = ir::inline_functions(quantized);
  const ir::Graph* const graphs[] = {&bound, &integer};
  const analysis::LatencyOptions options;
  const auto measured = analysis::measure_latency(graphs, *inputs, options);
  report.latency = report::Latency{
      .threads = options.threads, .of_float = times(measured[0]), .of_integer = times(measured[1])};
  report.latency->operators = operator_times(bound, integer, *inputs, *report.latency);
}

}  // namespace tvmq::driver
