#include "driver/benchmark_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/float_outputs.h"
#include "base/json.h"

namespace tvmq::driver {
namespace {

struct OperatorSum {
  std::int64_t kernels = 0;
  double microseconds = 0;
};

std::map<std::string, OperatorSum> by_operator(const NetworkTimes& times) {
  std::map<std::string, OperatorSum> sums;
  for (const analysis::StepTime& step : times.steps) {
    OperatorSum& sum = sums[step.op];
    ++sum.kernels;
    sum.microseconds += step.median_us;
  }
  return sums;
}

void append_times(std::string& out, std::string_view title, const NetworkTimes& times,
                  std::int64_t batch) {
  out += fmt::format("{:<10}{:>11.3f}{:>11.3f}{:>11.3f}{:>11.3f}{:>7}{:>13.1f}\n", title,
                     times.latency.median_ms, times.latency.min_ms, times.latency.p90_ms,
                     times.latency.p99_ms, times.latency.runs,
                     times.batches_per_second * static_cast<double>(batch));
}

void append_operators(std::string& out, std::string_view title, const NetworkTimes& times) {
  const auto sums = by_operator(times);
  std::vector<std::pair<std::string, OperatorSum>> sorted(sums.begin(), sums.end());
  std::ranges::stable_sort(sorted, [](const auto& left, const auto& right) {
    return left.second.microseconds > right.second.microseconds;
  });
  double total = 0;
  for (const auto& [op, sum] : sorted) total += sum.microseconds;
  out += fmt::format("\n{:<30}{:>8}{:>12}{:>8}\n", title, "kernels", "us", "share");
  for (const auto& [op, sum] : sorted) {
    out += fmt::format("  {:<28}{:>8}{:>12.1f}{:>6.1f} %\n", op, sum.kernels, sum.microseconds,
                       total > 0 ? 100 * sum.microseconds / total : 0);
  }
}

void append_steps(std::string& out, std::string_view title, const NetworkTimes& times) {
  out += fmt::format("\n{} by kernel, us\n", title);
  for (const analysis::StepTime& step : times.steps) {
    out += fmt::format("{:>10.1f}  {}\n", step.median_us, step.text);
  }
}

void write_times(JsonWriter& json, std::string_view key, const NetworkTimes& times,
                 std::int64_t batch) {
  json.key(key).begin_object().field("runs", times.latency.runs);
  json.field("median_ms", times.latency.median_ms).field("min_ms", times.latency.min_ms);
  json.field("p90_ms", times.latency.p90_ms).field("p99_ms", times.latency.p99_ms);
  json.field("images_per_second", times.batches_per_second * static_cast<double>(batch));
  json.key("kernels").begin_array();
  for (const analysis::StepTime& step : times.steps) {
    json.begin_object().field("op", step.op).field("text", step.text);
    json.field("median_us", step.median_us).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

Benchmark benchmark_models(const ir::Graph& model, const ir::Graph* reference,
                           const BenchmarkOptions& options, Log& log) {
  std::vector<const ir::Graph*> graphs = {&model};
  if (reference != nullptr) {
    analysis::require_same_inputs(*reference, model);
    graphs.push_back(reference);
  }
  const std::vector<ir::Tensor> inputs = analysis::made_up_inputs(model);
  const auto progress = [&](std::string_view title) {
    return
        [&log, title](std::int64_t done, std::int64_t total) { log.progress(title, done, total); };
  };
  const auto latencies = analysis::measure_latency(graphs, inputs,
                                                   {.threads = options.threads,
                                                    .most_runs = options.runs,
                                                    .budget = options.budget,
                                                    .progress = progress("latency")});
  std::vector<NetworkTimes> times(graphs.size());
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    constexpr std::int64_t kOperatorRuns = 20;
    times[i].latency = latencies[i];
    times[i].steps = analysis::measure_operators(
        *graphs[i], inputs,
        {.threads = options.threads,
         .runs = std::clamp<std::int64_t>(latencies[i].runs, 1, kOperatorRuns),
         .progress = progress("operators")});
    times[i].batches_per_second = analysis::measure_throughput(
        *graphs[i], inputs, options.threads, options.throughput_time, progress("throughput"));
  }
  const ir::Shape& shape = inputs.at(0).shape();
  Benchmark result{.threads = options.threads,
                   .batch = shape.empty() ? 1 : shape[0],
                   .model = std::move(times[0]),
                   .reference = std::nullopt};
  if (reference != nullptr) result.reference = std::move(times[1]);
  return result;
}

std::string to_text(const Benchmark& benchmark, bool steps) {
  std::string out = fmt::format(
      "{} threads, batches of {}, in this program's executor (not TVM's)\n"
      "{:<10}{:>11}{:>11}{:>11}{:>11}{:>7}{:>13}\n",
      benchmark.threads, benchmark.batch, "", "median ms", "min ms", "p90 ms", "p99 ms", "runs",
      "images/s");
  append_times(out, "model", benchmark.model, benchmark.batch);
  if (benchmark.reference) {
    append_times(out, "reference", *benchmark.reference, benchmark.batch);
    out += fmt::format("the model is {:.2f} times as fast (medians; {:.2f} by the fastest runs)\n",
                       benchmark.reference->latency.median_ms / benchmark.model.latency.median_ms,
                       benchmark.reference->latency.min_ms / benchmark.model.latency.min_ms);
  }
  append_operators(out, "model", benchmark.model);
  if (benchmark.reference) append_operators(out, "reference", *benchmark.reference);
  if (!steps) return out;
  append_steps(out, "model", benchmark.model);
  if (benchmark.reference) append_steps(out, "reference", *benchmark.reference);
  return out;
}

std::string to_json(const Benchmark& benchmark) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("threads", benchmark.threads).field("batch", benchmark.batch);
  write_times(json, "model", benchmark.model, benchmark.batch);
  if (benchmark.reference) write_times(json, "reference", *benchmark.reference, benchmark.batch);
  json.end_object();
  return out + "\n";
}

}  // namespace tvmq::driver
