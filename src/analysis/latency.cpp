#include "analysis/latency.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "exec/program.h"

namespace tvmq::analysis {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

LatencyTimes latency_times(std::vector<double> milliseconds) {
  check(!milliseconds.empty(), "a run");
  std::ranges::sort(milliseconds);
  const std::size_t count = milliseconds.size();
  // The smallest time that nine of ten runs do not exceed.
  const auto p90 = static_cast<std::size_t>(std::ceil(0.9 * static_cast<double>(count))) - 1;
  return {.runs = static_cast<std::int64_t>(count),
          .median_ms = (milliseconds[(count - 1) / 2] + milliseconds[count / 2]) / 2,
          .min_ms = milliseconds.front(),
          .p90_ms = milliseconds[p90]};
}

std::vector<LatencyTimes> measure_latency(std::span<const ir::Graph* const> graphs,
                                          std::span<const ir::Tensor> inputs,
                                          const LatencyOptions& options) {
  std::vector<std::unique_ptr<exec::Session>> sessions;
  for (const ir::Graph* graph : graphs) {
    sessions.push_back(std::make_unique<exec::Session>(std::make_shared<const exec::Program>(
        *graph, exec::ProgramOptions{.targets = {}, .taps = {}, .threads = options.threads})));
  }
  std::vector<std::vector<double>> times(graphs.size());
  const auto start = Clock::now();
  for (auto& session : sessions) session->run(inputs);
  for (std::int64_t run = 0; run < options.most_runs; ++run) {
    if (run > 0 && Clock::now() - start > options.budget) break;
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      const auto begin = Clock::now();
      sessions[i]->run(inputs);
      times[i].push_back(milliseconds_since(begin));
    }
  }
  std::vector<LatencyTimes> result;
  for (std::vector<double>& each : times) result.push_back(latency_times(std::move(each)));
  return result;
}

}  // namespace tvmq::analysis
