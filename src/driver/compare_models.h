// Two networks layer by layer on the images of a configuration: the work of `compare`.
#pragma once

#include <string>
#include <vector>

#include "analysis/compare_layers.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "ir/graph.h"

namespace tvmq::driver {

struct LayerRow {
  std::string reference;  ///< the layer's name there
  std::string actual;     ///< the layer's name there
  std::string output;     ///< its type in the reference
  bool integer = false;   ///< multiplies integers in the actual network
  analysis::ComparedLayer error;
};

struct LayerTable {
  std::int64_t batches = 0;
  std::vector<LayerRow> rows;               ///< in order of execution
  std::vector<std::string> only_reference;  ///< layers that the other network lacks
  std::vector<std::string> only_actual;
};

/// `images`: at most so many. A reference that multiplies no integers is prepared as for
/// quantization first (scales folded, biases made additions), so that its layers are those of the
/// quantized network. Throws what analysis::compare_layers() throws, and InputError if no layer
/// corresponds to another.
LayerTable compare_models(const ir::Graph& reference, const ir::Graph& actual, const Config& config,
                          std::int64_t images, const RunOptions& run, Log& log);

/// The lowest SQNR first; what is not known last.
void sort_worst_first(std::vector<LayerRow>& rows);

std::string to_text(const LayerTable& table);
std::string to_csv(const LayerTable& table);
std::string to_json(const LayerTable& table);

}  // namespace tvmq::driver
