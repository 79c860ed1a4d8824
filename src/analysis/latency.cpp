#include "analysis/latency.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <thread>

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
  // The smallest time that this share of the runs does not exceed.
  const auto percentile = [&](std::size_t percent) {
    return milliseconds[(percent * count + 99) / 100 - 1];
  };
  return {.runs = static_cast<std::int64_t>(count),
          .median_ms = (milliseconds[(count - 1) / 2] + milliseconds[count / 2]) / 2,
          .min_ms = milliseconds.front(),
          .p90_ms = percentile(90),
          .p99_ms = percentile(99)};
}

std::vector<LatencyTimes> measure_latency(std::span<const ir::Graph* const> graphs,
                                          std::span<const ir::Tensor> inputs,
                                          const LatencyOptions& options) {
  std::vector<std::unique_ptr<exec::Session>> sessions;
  sessions.reserve(graphs.size());
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
    if (options.progress) options.progress(run + 1, options.most_runs);
  }
  if (options.progress) options.progress(options.most_runs, options.most_runs);
  std::vector<LatencyTimes> result;
  result.reserve(times.size());
  for (std::vector<double>& each : times) result.push_back(latency_times(std::move(each)));
  return result;
}

double measure_throughput(const ir::Graph& graph, std::span<const ir::Tensor> inputs, int sessions,
                          std::chrono::milliseconds time,
                          const std::function<void(std::int64_t, std::int64_t)>& progress) {
  check(sessions >= 1, "a session");
  const auto program = std::make_shared<const exec::Program>(graph);
  std::vector<std::unique_ptr<exec::Session>> all;
  all.reserve(static_cast<std::size_t>(sessions));
  for (int i = 0; i < sessions; ++i) all.push_back(std::make_unique<exec::Session>(program));
  for (auto& session : all) session->run(inputs);  // the same error as in a thread, but here
  std::vector<std::int64_t> runs(all.size());
  const auto start = Clock::now();
  {
    std::vector<std::jthread> threads;
    threads.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      threads.emplace_back([&, i] {
        do {
          all[i]->run(inputs);
          ++runs[i];
        } while (Clock::now() - start < time);
      });
    }
    constexpr std::chrono::milliseconds kTick{100};
    for (auto gone = kTick; progress && gone < time; gone += kTick) {
      std::this_thread::sleep_until(start + gone);
      progress(gone.count(), time.count());
    }
  }
  const double seconds = milliseconds_since(start) / 1e3;
  if (progress) progress(time.count(), time.count());
  return static_cast<double>(std::reduce(runs.begin(), runs.end())) / seconds;
}

std::vector<ir::Tensor> made_up_inputs(const ir::Graph& graph) {
  std::vector<ir::Tensor> inputs;
  inputs.reserve(graph.inputs().size());
  for (const ir::NodeId id : graph.inputs()) {
    const auto* type = std::get_if<ir::TensorType>(&graph[id].type);
    if (type == nullptr || !ir::element_count(type->shape)) {
      throw InputError(fmt::format("input '{}': found {}, expected a tensor whose size is known",
                                   graph[id].name, ir::to_string(graph[id].type)));
    }
    ir::Tensor tensor(type->dtype, type->shape);
    if (type->dtype == ir::DType::kFloat32) {
      constexpr int kPeriod = 101;  // a prime, so that rows differ
      constexpr float kHalf = 50;
      std::int64_t i = 0;
      for (float& value : tensor.mutable_data<float>()) {
        value = static_cast<float>(i++ % kPeriod) / kHalf - 1;
      }
    } else if (ir::is_integer(type->dtype)) {
      std::memset(tensor.mutable_bytes(), 0, tensor.byte_size());
      const std::size_t size = ir::dtype_size(type->dtype);  // the lowest byte comes first
      for (std::size_t i = 0; i < tensor.byte_size(); i += size) {
        tensor.mutable_bytes()[i] = std::byte{1};
      }
    } else {
      throw InputError(fmt::format("input '{}': found {}, expected float32 or integers",
                                   graph[id].name, ir::to_string(*type)));
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

}  // namespace tvmq::analysis
