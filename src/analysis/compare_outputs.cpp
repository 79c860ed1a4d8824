#include "analysis/compare_outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "analysis/float_outputs.h"
#include "base/error.h"
#include "quant/calibrate_passes.h"

namespace tvmq::analysis {
namespace {

/// What one batch adds to the result.
struct BatchResult {
  std::int64_t images = 0;
  std::vector<ErrorSums> outputs;
  AgreementCounts agreement;
  PairedAccuracy accuracy;
  std::vector<FlippedImage> flipped;
};

void merge(PairedAccuracy& into, const PairedAccuracy& from) {
  into.reference.merge(from.reference);
  into.actual.merge(from.actual);
  into.change.trials += from.change.trials;
  into.change.lost += from.change.lost;
  into.change.gained += from.change.gained;
}

/// The label of each image of a batch; empty without labels.
std::span<const std::int64_t> labels_of(std::span<const std::int64_t> labels, std::int64_t batch,
                                        std::int64_t images) {
  if (labels.empty()) return {};
  const auto first = static_cast<std::size_t>(batch * images);
  if (first + static_cast<std::size_t>(images) > labels.size()) {
    throw InputError(fmt::format("found {} labels, expected at least {}: one per image",
                                 labels.size(), first + static_cast<std::size_t>(images)));
  }
  return labels.subspan(first, static_cast<std::size_t>(images));
}

void compare_classes(const ir::Tensor& reference, const ir::Tensor& actual, std::int64_t batch,
                     std::span<const std::int64_t> labels, BatchResult& result) {
  for (std::int64_t image = 0; image < result.images; ++image) {
    const auto before = top_classes(logits_of(reference, image), kTopClasses);
    const auto after = top_classes(logits_of(actual, image), kTopClasses);
    result.agreement.add(before, after);
    const std::int64_t label = labels.empty() ? -1 : labels[static_cast<std::size_t>(image)];
    if (before.front() != after.front()) {
      result.flipped.push_back({.image = batch * result.images + image,
                                .label = label,
                                .reference = before.front(),
                                .actual = after.front()});
    }
    if (labels.empty()) continue;
    result.accuracy.reference.add(before, label);
    result.accuracy.actual.add(after, label);
    ++result.accuracy.change.trials;
    result.accuracy.change.lost += before.front() == label && after.front() != label ? 1 : 0;
    result.accuracy.change.gained += before.front() != label && after.front() == label ? 1 : 0;
  }
}

BatchResult compare(std::span<const ir::Tensor> reference, std::span<const ir::Tensor> actual,
                    std::int64_t batch, bool logits, std::span<const std::int64_t> all_labels) {
  BatchResult result;
  result.outputs.resize(reference.size());
  for (std::size_t i = 0; i < reference.size(); ++i) {
    result.outputs[i].add(reference[i].data<float>(), actual[i].data<float>());
  }
  result.images = reference[0].rank() == 0 ? 1 : reference[0].shape()[0];
  if (logits) {
    compare_classes(reference[0], actual[0], batch, labels_of(all_labels, batch, result.images),
                    result);
  }
  return result;
}

OutputComparison combine(const std::vector<BatchResult>& batches, const FloatOutputs& outputs,
                         bool labelled) {
  const bool logits = is_logits(outputs.types[0]);
  OutputComparison result;
  if (logits) result.classes = outputs.types[0].shape[1];
  if (logits) result.agreement.emplace();
  if (labelled) result.accuracy.emplace();
  std::vector<ErrorSums> sums(outputs.types.size());
  for (const BatchResult& batch : batches) {
    if (batch.outputs.empty()) continue;  // could not be loaded
    result.images += batch.images;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i].merge(batch.outputs[i]);
    if (logits) result.agreement->merge(batch.agreement);
    if (labelled) merge(*result.accuracy, batch.accuracy);
    result.flipped.insert(result.flipped.end(), batch.flipped.begin(), batch.flipped.end());
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    result.outputs.push_back({.name = outputs.names[i], .error = sums[i].metrics()});
  }
  return result;
}

quant::BatchSource first_batches(const quant::BatchSource& source, std::int64_t most) {
  quant::BatchSource few = source;
  if (most >= 0) few.batches = std::min(source.batches, most);
  return few;
}

void require_some(const quant::PassResult& pass) {
  if (pass.batches > 0) return;
  throw InputError(
      fmt::format("found no sample that can be read ({} batches tried)", pass.skipped));
}

}  // namespace

void require_classes(const ir::Graph& graph, std::span<const std::int64_t> labels) {
  if (labels.empty()) return;
  const ir::Type& type = graph[graph.outputs().at(0)].type;
  const auto* tensor = std::get_if<ir::TensorType>(&type);
  if (tensor == nullptr || !is_logits(*tensor)) {
    throw InputError(fmt::format(
        "labels need a network whose first output is one number per class, found {}; leave the "
        "labels out",
        ir::to_string(type)));
  }
  const std::int64_t classes = tensor->shape[1];
  for (const std::int64_t label : labels) {
    if (label >= 0 && label < classes) continue;
    throw InputError(fmt::format(
        "found the class {} among the labels, expected 0 to {}: the network has {} classes", label,
        classes - 1, classes));
  }
}

OutputComparison compare_outputs(const ir::Graph& reference, const ir::Graph& actual,
                                 const quant::BatchSource& source, const CompareOptions& options,
                                 Log& log) {
  require_same_inputs(reference, actual);
  const FloatOutputs before = compile_float_outputs(reference);
  const FloatOutputs after = compile_float_outputs(actual);
  if (before.types != after.types || before.types.empty()) {
    throw InputError(fmt::format(
        "found outputs that do not correspond ({} and {} of them), expected the same shapes; "
        "compare a network with its own quantized form",
        before.types.size(), after.types.size()));
  }
  require_classes(reference, options.labels);
  const bool logits = is_logits(before.types[0]);
  const quant::BatchSource few = first_batches(source, options.most_batches);

  std::vector<BatchResult> results(static_cast<std::size_t>(few.batches));
  const auto make_worker = [&]() -> quant::WorkOnBatch {
    return [&, left = std::make_shared<exec::Session>(before.program),
            right = std::make_shared<exec::Session>(after.program)](
               std::span<const ir::Tensor> inputs, std::int64_t batch) {
      const std::vector<ir::Tensor> outputs = left->run(inputs);
      if (options.look_at_reference) options.look_at_reference(batch, inputs, outputs);
      results[static_cast<std::size_t>(batch)] =
          compare(outputs, right->run(inputs), batch, logits, options.labels);
      return true;
    };
  };
  const quant::PassResult pass = quant::run_batches(
      few, {.title = options.title, .threads = options.threads}, make_worker, log);
  require_some(pass);
  OutputComparison result = combine(results, before, !options.labels.empty());
  result.batches = pass.batches;
  result.skipped = pass.skipped;
  return result;
}

AccuracyCounts evaluate_accuracy(const ir::Graph& graph, const quant::BatchSource& source,
                                 const CompareOptions& options, Log& log) {
  check(!options.labels.empty(), "labels to compare with");
  const FloatOutputs outputs = compile_float_outputs(graph);
  require_classes(graph, options.labels);
  const quant::BatchSource few = first_batches(source, options.most_batches);

  std::vector<AccuracyCounts> results(static_cast<std::size_t>(few.batches));
  const auto make_worker = [&]() -> quant::WorkOnBatch {
    return [&, session = std::make_shared<exec::Session>(outputs.program)](
               std::span<const ir::Tensor> inputs, std::int64_t batch) {
      const ir::Tensor logits = session->run(inputs)[0];
      const std::int64_t images = logits.shape()[0];
      const auto labels = labels_of(options.labels, batch, images);
      for (std::int64_t i = 0; i < images; ++i) {
        results[static_cast<std::size_t>(batch)].add(top_classes(logits_of(logits, i), kTopClasses),
                                                     labels[static_cast<std::size_t>(i)]);
      }
      return true;
    };
  };
  require_some(quant::run_batches(few, {.title = options.title, .threads = options.threads},
                                  make_worker, log));
  AccuracyCounts total;
  for (const AccuracyCounts& each : results) total.merge(each);
  return total;
}

}  // namespace tvmq::analysis
