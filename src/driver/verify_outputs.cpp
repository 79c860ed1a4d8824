#include "driver/verify_outputs.h"

#include "analysis/compare_outputs.h"
#include "ir/inline_functions.h"

namespace tvmq::driver {
namespace {

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

}  // namespace

void verify_outputs(const ir::Graph& bound, const ir::Module& quantized, Samples& samples,
                    const RunOptions& run, report::Report& report, Log& log) {
  const VerificationSamples chosen = samples.verification();
  const analysis::OutputComparison comparison = analysis::compare_outputs(
      bound, ir::inline_functions(quantized), chosen.source,
      {.title = "verification", .threads = run.threads, .labels = chosen.labels}, log);
  report::Verification verification{.images = comparison.images,
                                    .source = std::string(chosen.origin)};
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

}  // namespace tvmq::driver
