#include "driver/evaluate_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "driver/samples.h"

namespace tvmq::driver {
namespace {

using analysis::AccuracyCounts;
using analysis::Share;

std::string percent(const Share& share, std::string_view sign = "") {
  const auto text = [&](double value) {
    return sign.empty() ? fmt::format("{:.2f}", 100 * value) : fmt::format("{:+.2f}", 100 * value);
  };
  return fmt::format("{} % ({} to {})", text(share.value), text(share.low), text(share.high));
}

void append_accuracy(std::string& out, std::string_view title, const AccuracyCounts& counts) {
  out += fmt::format("{:<11}top-1 {}, top-5 {}\n", title,
                     percent(analysis::share_of(counts.top1, counts.images)),
                     percent(analysis::share_of(counts.top5, counts.images)));
}

void write_share(JsonWriter& json, std::string_view key, const Share& share) {
  json.key(key).begin_object().field("value", share.value);
  json.field("low", share.low).field("high", share.high).end_object();
}

void write_accuracy(JsonWriter& json, std::string_view key, const AccuracyCounts& counts) {
  json.key(key).begin_object();
  write_share(json, "top1", analysis::share_of(counts.top1, counts.images));
  write_share(json, "top5", analysis::share_of(counts.top5, counts.images));
  json.end_object();
}

}  // namespace

Evaluation evaluate_model(const ir::Graph& model, const ir::Graph* reference, const Config& config,
                          std::int64_t most_images, const RunOptions& run, Log& log) {
  const bool labelled = config.dataset.labels.has_value();
  if (!labelled && reference == nullptr) {
    throw InputError(
        "found neither labels nor a second network, expected Dataset/Labels, --labels FILE or "
        "--against FILE: there is nothing to compare the results with");
  }
  Samples samples(model, config, run, log);
  const VerificationSamples chosen =
      labelled ? samples.verification()
               : VerificationSamples{.source = samples.source(), .origin = {}, .labels = {}};
  const std::int64_t batch_size = config.dataset.batch_size;
  const analysis::CompareOptions options{
      .title = "evaluation",
      .most_batches = most_images < 0 ? -1 : std::max<std::int64_t>(most_images / batch_size, 1),
      .threads = run.threads,
      .labels = chosen.labels};
  Evaluation result;
  if (reference == nullptr) {
    result.accuracy = analysis::evaluate_accuracy(model, chosen.source, options, log);
    result.images = result.accuracy->images;
    return result;
  }
  result.comparison = analysis::compare_outputs(*reference, model, chosen.source, options, log);
  result.images = result.comparison->images;
  if (result.comparison->accuracy) result.accuracy = result.comparison->accuracy->actual;
  for (const analysis::FlippedImage& image : result.comparison->flipped) {
    result.flipped.push_back({.file = labelled ? samples.file_of(image.image)
                                               : chosen.source.describe(image.image / batch_size),
                              .label = image.label,
                              .reference = image.reference,
                              .actual = image.actual});
  }
  return result;
}

std::string to_text(const Evaluation& evaluation, bool flips) {
  std::string out = fmt::format("images     {}\n", evaluation.images);
  if (evaluation.accuracy) append_accuracy(out, "accuracy", *evaluation.accuracy);
  if (evaluation.comparison) {
    const analysis::OutputComparison& comparison = *evaluation.comparison;
    if (comparison.accuracy) {
      append_accuracy(out, "reference", comparison.accuracy->reference);
      const analysis::PairedCounts& change = comparison.accuracy->change;
      out += fmt::format("difference top-1 {}, {} images lost, {} gained\n",
                         percent(analysis::paired_difference(change), "+"), change.lost,
                         change.gained);
    }
    if (comparison.agreement) {
      const analysis::AgreementCounts& agreement = *comparison.agreement;
      out += fmt::format("agreement  top-1 {}, top-5 {}\n",
                         percent(analysis::share_of(agreement.top1, agreement.images)),
                         percent(analysis::share_of(agreement.top5, agreement.images)));
    }
    for (const analysis::OutputError& output : comparison.outputs) {
      out += fmt::format("{}: SQNR {:.2f} dB, cosine {:.6f}, largest error {:.4g}\n", output.name,
                         output.error.sqnr_db, output.error.cosine, output.error.max_abs_error);
    }
    out += fmt::format("flipped    {} images\n", evaluation.flipped.size());
  }
  if (evaluation.accuracy) out += "in brackets: 95 % confidence intervals\n";
  if (!flips) return out;
  for (const FlippedFile& image : evaluation.flipped) {
    out += fmt::format("  {}: {} -> {}{}\n", image.file, image.reference, image.actual,
                       image.label < 0 ? "" : fmt::format(", label {}", image.label));
  }
  return out;
}

std::string to_json(const Evaluation& evaluation) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("images", evaluation.images);
  if (evaluation.accuracy) write_accuracy(json, "accuracy", *evaluation.accuracy);
  if (evaluation.comparison) {
    const analysis::OutputComparison& comparison = *evaluation.comparison;
    if (comparison.accuracy) {
      write_accuracy(json, "reference_accuracy", comparison.accuracy->reference);
      write_share(json, "difference", analysis::paired_difference(comparison.accuracy->change));
    }
    if (comparison.agreement) {
      const analysis::AgreementCounts& agreement = *comparison.agreement;
      write_share(json, "agreement_top1", analysis::share_of(agreement.top1, agreement.images));
      write_share(json, "agreement_top5", analysis::share_of(agreement.top5, agreement.images));
    }
    json.key("outputs").begin_array();
    for (const analysis::OutputError& output : comparison.outputs) {
      json.begin_object().field("name", output.name).field("sqnr_db", output.error.sqnr_db);
      json.field("cosine", output.error.cosine);
      json.field("max_abs_error", output.error.max_abs_error).end_object();
    }
    json.end_array();
    json.key("flipped").begin_array();
    for (const FlippedFile& image : evaluation.flipped) {
      json.begin_object().field("file", image.file).field("label", image.label);
      json.field("reference", image.reference).field("actual", image.actual).end_object();
    }
    json.end_array();
  }
  json.end_object();
  return out + "\n";
}

}  // namespace tvmq::driver
