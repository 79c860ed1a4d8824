// How long a run of a network takes in this program's executor, on the machine at hand.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace tvmq::analysis {

struct LatencyOptions {
  int threads = 1;                         ///< inside operators
  std::int64_t most_runs = 50;             ///< of each network, beside one to warm up
  std::chrono::milliseconds budget{1500};  ///< no run is begun later; at least one is done
  /// Called after each round with the runs done of most_runs; at the end with all of them.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

/// Of runs one after another, in milliseconds.
struct LatencyTimes {
  std::int64_t runs = 0;
  double median_ms = 0;
  double min_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
};

/// The statistics of at least one duration in milliseconds.
LatencyTimes latency_times(std::vector<double> milliseconds);

/// Runs the networks in turn on the same inputs, so that what else the machine does hits all of
/// them; the result in their order. Compiling is not counted. Throws what exec::Program throws.
std::vector<LatencyTimes> measure_latency(std::span<const ir::Graph* const> graphs,
                                          std::span<const ir::Tensor> inputs,
                                          const LatencyOptions& options);

/// Runs per second of so many sessions at once, one thread each, which is how many images are best
/// worked on. `progress` is called now and then with the milliseconds gone, of those that are to be
/// measured. Throws as above. REQUIRES: sessions >= 1.
double measure_throughput(
    const ir::Graph& graph, std::span<const ir::Tensor> inputs, int sessions,
    std::chrono::milliseconds time,
    const std::function<void(std::int64_t done, std::int64_t total)>& progress = {});

/// Numbers for the inputs of a network that nobody gave, for measuring times: floats of a regular
/// pattern within -1..1, integers 1. Throws InputError for an input of another or no known type.
std::vector<ir::Tensor> made_up_inputs(const ir::Graph& graph);

}  // namespace tvmq::analysis
