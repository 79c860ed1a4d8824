// Two networks on the same samples: how far their outputs are from each other, and with labels how
// often each is right.
//
//   batches --load--> reference Session, actual Session (a pair per thread) --> sums per batch
//
// What a batch gives is kept by itself and merged in the order of batches: the same bits for any
// number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/accuracy.h"
#include "analysis/error_metrics.h"
#include "base/log.h"
#include "ir/graph.h"
#include "quant/calibrate.h"

namespace tvmq::analysis {

struct CompareOptions {
  std::string_view title = "verification";  ///< of the progress
  std::int64_t most_batches = -1;           ///< the first so many of the source; negative: all
  int threads = 0;                          ///< 0: all cores; does not change the result
  /// The class of every image: element batch * N + i is image i of a batch of N. Empty: no labels.
  std::span<const std::int64_t> labels = {};
  /// Called, from any thread, with the inputs of each batch and what the reference made of them.
  std::function<void(std::int64_t batch, std::span<const ir::Tensor> inputs,
                     std::span<const ir::Tensor> outputs)>
      look_at_reference = nullptr;
};

struct OutputError {
  std::string name;  ///< "output 0 (dense 'fc')"
  ErrorMetrics error;
};

/// An image whose first class changed.
struct FlippedImage {
  std::int64_t image = 0;  ///< batch * N + its place in the batch
  std::int64_t label = -1;
  std::int64_t reference = 0;  ///< the first class there
  std::int64_t actual = 0;
};

struct PairedAccuracy {
  AccuracyCounts reference;
  AccuracyCounts actual;
  PairedCounts change;  ///< of the first class
};

struct OutputComparison {
  std::int64_t batches = 0;  ///< seen
  std::int64_t skipped = 0;  ///< that could not be loaded
  std::int64_t images = 0;
  std::vector<OutputError> outputs;
  /// Nothing unless the first output holds logits (float_outputs.h: is_logits).
  std::optional<AgreementCounts> agreement;
  std::int64_t classes = 0;                ///< of the logits
  std::optional<PairedAccuracy> accuracy;  ///< with labels
  std::vector<FlippedImage> flipped;       ///< in the order of images; label -1 without labels
};

/// Runs both on the same batches. The graphs must be typed and take the same inputs; a module of
/// several functions goes through ir::inline_functions() first.
///
/// Throws InputError: graphs that take different inputs or give outputs of different shapes, labels
/// for a network without logits, fewer labels than images, a label that is no class, no batch that
/// could be loaded, no kernel for an operator.
OutputComparison compare_outputs(const ir::Graph& reference, const ir::Graph& actual,
                                 const quant::BatchSource& source, const CompareOptions& options,
                                 Log& log);

/// Throws InputError unless every label is a class of the first output of `graph`, which is typed.
void require_classes(const ir::Graph& graph, std::span<const std::int64_t> labels);

/// How often one network is right. Throws what compare_outputs() throws. REQUIRES: labels.
AccuracyCounts evaluate_accuracy(const ir::Graph& graph, const quant::BatchSource& source,
                                 const CompareOptions& options, Log& log);

}  // namespace tvmq::analysis
