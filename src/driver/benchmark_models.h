// How fast networks are in this program's own executor: the work of `benchmark`.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/latency.h"
#include "analysis/operator_times.h"
#include "base/log.h"
#include "ir/graph.h"

namespace tvmq::driver {

struct BenchmarkOptions {
  std::int64_t runs = 50;  ///< of each network
  int threads = 1;         ///< inside operators for latency; sessions at once for throughput
  /// No run is begun later; throughput is measured as long, for each network.
  std::chrono::milliseconds budget{30000};
  std::chrono::milliseconds throughput_time{2000};
};

struct NetworkTimes {
  analysis::LatencyTimes latency;
  double batches_per_second = 0;  ///< of `threads` sessions of one thread each
  std::vector<analysis::StepTime> steps;
};

struct Benchmark {
  int threads = 1;
  std::int64_t batch = 1;  ///< images per run
  NetworkTimes model;
  std::optional<NetworkTimes> reference;
};

/// The two in turn, so that what else the machine does hits both. On made-up inputs.
/// Throws InputError: networks that take different inputs, no kernel for an operator.
Benchmark benchmark_models(const ir::Graph& model, const ir::Graph* reference,
                           const BenchmarkOptions& options, Log& log);

/// `steps`: a line for every kernel.
std::string to_text(const Benchmark& benchmark, bool steps);
std::string to_json(const Benchmark& benchmark);

}  // namespace tvmq::driver
