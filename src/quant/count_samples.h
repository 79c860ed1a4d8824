// Runs samples through the float network and counts what its values are, a few batches at a time if
// what was counted so far is to be kept.
//
//   batches --load--> Session (one per thread) --tap--> ValueObserver (one per value)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "ir/graph.h"
#include "quant/calibration_counts.h"

namespace tvmq::quant {

/// The samples. Both functions are called from several threads at once.
struct BatchSource {
  std::int64_t batches = 0;
  /// One tensor per graph input, in order; nothing if the batch cannot be read and is left out.
  /// Must give the same for the same number every time.
  std::function<std::optional<std::vector<ir::Tensor>>(std::int64_t batch)> load;
  /// For messages: "batch 3 (cat.jpg, dog.jpg)".
  std::function<std::string(std::int64_t batch)> describe;
  /// What the batch is called in a calibration cache: the same for the same files. No function: its
  /// number.
  std::function<std::string(std::int64_t batch)> name = {};
};

/// The names of all batches, in their order.
std::vector<std::string> names_of(const BatchSource& source);

/// How samples are counted when what was counted is kept.
struct CountOptions {
  int threads = 0;  ///< 0: as many as the machine has; does not change the result
  StatisticsKinds kinds = {.percentile = true, .histogram = true};
  /// The names of all samples that shall be counted in the end, by this source or elsewhere,
  /// sorted. The second pass begins when each has been counted in the first. Empty: those of the
  /// source.
  std::vector<std::string> planned = {};
  /// Called every few seconds, between two batches, after each pass, and when the log says to stop,
  /// while the counts are those of whole batches: a chance to write them to a file.
  std::function<void()> checkpoint = {};
};

/// Counts the planned batches of `source` that have not been counted yet, in both passes. A batch
/// that cannot be read goes to counts.unreadable, which counts as counted. The counts are empty, or
/// those of `graph` and `observed`, so far.
/// Returns whether all planned samples are counted in all passes that options.kinds needs.
/// Throws what calibrate() throws.
bool count_samples(const ir::Graph& graph, std::span<const ir::NodeId> observed,
                   const BatchSource& source, const CountOptions& options,
                   CalibrationCounts& counts, Log& log);

/// Throws the InputError that says that the value is NaN or infinite with these samples.
[[noreturn]] void refuse_nonfinite(const ir::Graph& graph, ir::NodeId node,
                                   std::string_view samples);

}  // namespace tvmq::quant
