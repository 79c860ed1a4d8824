// How right a network is on labelled images, and how near to another one: the work of `evaluate`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/compare_outputs.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "ir/graph.h"

namespace tvmq::driver {

/// An image whose first class is another one than in the reference.
struct FlippedFile {
  std::string file;
  std::int64_t label = -1;  ///< -1 without labels
  std::int64_t reference = 0;
  std::int64_t actual = 0;
};

struct Evaluation {
  std::int64_t images = 0;
  std::optional<analysis::AccuracyCounts> accuracy;      ///< of the network, with labels
  std::optional<analysis::OutputComparison> comparison;  ///< with a reference
  std::vector<FlippedFile> flipped;                      ///< those of the comparison, with names
};

/// Runs `model`, and `reference` if there is one, on the images of config.dataset: those of Labels,
/// else at most CalibSamples of Path. `most_images`: the first so many; negative: all.
///
/// Throws InputError: neither labels nor a reference, and what analysis::compare_outputs() throws.
Evaluation evaluate_model(const ir::Graph& model, const ir::Graph* reference, const Config& config,
                          std::int64_t most_images, const RunOptions& run, Log& log);

/// For a terminal; `flips`: a line for every flipped image.
std::string to_text(const Evaluation& evaluation, bool flips);
std::string to_json(const Evaluation& evaluation);

}  // namespace tvmq::driver
