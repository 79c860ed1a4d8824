// Random small networks with random options, the same for the same seed on every machine: for
// checks of everything at once (driver/random_networks_test.cpp) and for the comparison with TVM
// (dump_random_networks.cpp, scripts/compare_with_tvm.py).
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"
#include "passes/pipeline.h"
#include "quant/tvm_scheme.h"

namespace tvmq::support {

struct RandomCase {
  /// Typed. Weights are constants; those with a name belong into a .params file. At most a few
  /// thousand elements per value, so that it runs in a moment.
  ir::Graph graph;
  passes::TvmOptLevel level = passes::TvmOptLevel::k2;
  quant::TvmQuantizeOptions options;
};

/// Which options are drawn.
enum class OptionRange : std::uint8_t {
  kAll,
  kConfiguration,  ///< those only that a configuration file can express
};

/// A random_graph() with options and a level for it.
RandomCase random_case(std::uint32_t seed, OptionRange range = OptionRange::kAll);

/// One tensor per input, elements in [-2, 2].
std::vector<ir::Tensor> random_inputs(const ir::Graph& graph, std::uint32_t seed);

}  // namespace tvmq::support
