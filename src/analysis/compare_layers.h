// Two modules layer by layer, whoever made them: nothing is known but the two graphs.
//
//   layers of each  --same operator and shape, in order-->  pairs
//   batches --> Session of each --taps--> the same elements of both --> sums per channel
//
// An accumulator of integers stands for real numbers by a factor that the module need not tell, and
// equalization gives channels of float values factors, too. So each channel is compared up to the
// factor that fits best (least squares): with r the reference and a what stands for it,
//
//   factor = sum(r a) / sum(a a)        error = sum(r r) - factor sum(r a)
//
// What a wrong factor does shows in the outputs, which compare_outputs.h compares as they are.
// Sums are kept per batch and merged in order: the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "ir/graph.h"
#include "quant/calibrate.h"

namespace tvmq::analysis {

/// Values of the two graphs that correspond.
struct LayerPair {
  ir::NodeId reference = 0;        ///< the layer
  ir::NodeId actual = 0;           ///< the layer
  ir::NodeId reference_value = 0;  ///< what is compared: the layer, or it with its bias
  ir::NodeId actual_value = 0;
  bool integer = false;  ///< the actual one multiplies integers
};

struct LayerMatching {
  std::vector<LayerPair> pairs;  ///< in order of execution
  std::vector<ir::NodeId> only_reference;
  std::vector<ir::NodeId> only_actual;
};

/// Pairs convolutions and matrix products (nn.* and qnn.*) with the same operator and output shape
/// so that the order of both is kept and as many as possible are paired. With their biases if the
/// actual value is of integers, whose bias holds zero points as well, or if both have one.
/// REQUIRES: typed graphs.
LayerMatching match_layers(const ir::Graph& reference, const ir::Graph& actual);

struct ComparedLayer {
  /// Nothing if the values lie in memory in ways that do not correspond.
  std::optional<double> sqnr_db;  ///< infinite if equal up to the factors
  double cosine = 0;              ///< with the factors applied
};

struct CompareLayersOptions {
  std::string_view title = "layers";   ///< of the progress
  std::int64_t most_batches = -1;      ///< the first so many of the source; negative: all
  std::int64_t most_positions = 1024;  ///< of a layer's output and batch, with all their channels
  int threads = 0;                     ///< 0: all cores; does not change the result
};

/// One per pair. Throws InputError: graphs that take different inputs, no batch that could be
/// loaded, no kernel for an operator.
std::vector<ComparedLayer> compare_layers(const ir::Graph& reference, const ir::Graph& actual,
                                          const LayerMatching& matching,
                                          const quant::BatchSource& source,
                                          const CompareLayersOptions& options, Log& log);

}  // namespace tvmq::analysis
