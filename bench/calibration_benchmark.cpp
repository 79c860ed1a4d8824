// What calibration costs: the KL search against its definition, the statistics of a value per
// element against a plain read of memory, and a whole forward pass with statistics against one
// without.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <random>
#include <vector>

#include "base/log.h"
#include "exec/program.h"
#include "ir/infer_types.h"
#include "passes/pipeline.h"
#include "quant/calibrate.h"
#include "quant/graph_hash.h"
#include "quant/observer.h"
#include "quant/threshold.h"
#include "quant/threshold_kl.h"
#include "quant/threshold_mse.h"
#include "quant/tvm_scheme.h"
#include "relay/module_reader.h"
#include "relay/params.h"

namespace tvmq::quant {
namespace {

enum class Shape : std::uint8_t { kNormal, kRelu, kRelu6 };

std::vector<float> values_of(std::size_t count, Shape shape) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0.0F, 3.0F);
  std::vector<float> values(count);
  for (float& each : values) {
    each = normal(generator);
    if (shape != Shape::kNormal) each = std::max(each, 0.0F);
    if (shape == Shape::kRelu6) each = std::min(each, 6.0F);
  }
  return values;
}

ValueStatistics statistics_of(std::span<const float> values) {
  ValueObserver observer({.percentile = true, .histogram = true});
  observer.observe_range(values, 0);
  observer.begin_histogram(percentile_rank(values.size()));
  observer.observe_histogram(values);
  return observer.statistics();
}

// ---- thresholds: arg 0 is the shape

void kl_fast(benchmark::State& state) {
  const ValueStatistics statistics =
      statistics_of(values_of(1'000'000, static_cast<Shape>(state.range(0))));
  const std::vector<std::uint64_t> histogram = statistics.histogram.to_vector();
  for (auto _ : state) {
    benchmark::DoNotOptimize(threshold_kl(histogram, statistics.range.absmax()));
  }
}
BENCHMARK(kl_fast)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

void kl_reference(benchmark::State& state) {
  const ValueStatistics statistics =
      statistics_of(values_of(1'000'000, static_cast<Shape>(state.range(0))));
  const std::vector<std::uint64_t> histogram = statistics.histogram.to_vector();
  for (auto _ : state) {
    benchmark::DoNotOptimize(find_scale_by_kl_reference(histogram, statistics.range.absmax()));
  }
}
BENCHMARK(kl_reference)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

void mse(benchmark::State& state) {
  const ValueStatistics statistics = statistics_of(values_of(1'000'000, Shape::kRelu));
  const std::vector<std::uint64_t> histogram = statistics.histogram.to_vector();
  for (auto _ : state) {
    benchmark::DoNotOptimize(threshold_mse(histogram, statistics.range.absmax(),
                                           statistics.range.zeros,
                                           static_cast<int>(state.range(0))));
  }
}
BENCHMARK(mse)->Arg(127)->Arg(255)->Unit(benchmark::kMillisecond);

// ---- statistics per element: arg 0 is the number of elements, arg 1 the shape

void per_element(benchmark::State& state, std::size_t elements) {
  state.counters["time/element"] = benchmark::Counter(
      static_cast<double>(elements),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void read_memory(benchmark::State& state) {
  const std::vector<float> values =
      values_of(static_cast<std::size_t>(state.range(0)), static_cast<Shape>(state.range(1)));
  for (auto _ : state) {
    std::uint64_t sum = 0;
    const auto* words = reinterpret_cast<const std::uint32_t*>(values.data());
    for (std::size_t i = 0; i < values.size(); ++i) sum += words[i];
    benchmark::DoNotOptimize(sum);
  }
  per_element(state, values.size());
}

void observe(benchmark::State& state, StatisticsKinds kinds, bool second_pass) {
  const std::vector<float> values =
      values_of(static_cast<std::size_t>(state.range(0)), static_cast<Shape>(state.range(1)));
  ValueObserver observer(kinds);
  observer.observe_range(values, 0);
  observer.begin_histogram(percentile_rank(values.size()));
  for (auto _ : state) {
    if (second_pass) {
      observer.observe_histogram(values);
    } else {
      benchmark::DoNotOptimize(observer.observe_range(values, 0));
    }
  }
  per_element(state, values.size());
}

void sizes_and_shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({1 << 20, 0})->Args({1 << 20, 1})->Args({1 << 20, 2})->Args({1 << 15, 1});
}
BENCHMARK(read_memory)->Apply(sizes_and_shapes);
BENCHMARK_CAPTURE(observe, range, StatisticsKinds{}, false)->Apply(sizes_and_shapes);
BENCHMARK_CAPTURE(observe, range_and_percentile, StatisticsKinds{.percentile = true}, false)
    ->Apply(sizes_and_shapes);
BENCHMARK_CAPTURE(observe, histogram, StatisticsKinds{.histogram = true}, true)
    ->Apply(sizes_and_shapes);
BENCHMARK_CAPTURE(observe, percentile_second_pass, StatisticsKinds{.percentile = true}, true)
    ->Apply(sizes_and_shapes);

// ---- a whole network

/// squeezenet1.1, what TVM observes in it, and one random sample.
struct Network {
  ir::Graph graph;
  std::vector<ir::NodeId> observed;
  std::vector<ir::Tensor> inputs;
};

std::optional<Network> squeezenet() {
  const auto folder = std::filesystem::path(TVMQ_SHARED_DIR) / "models/squeezenet1.1";
  if (!std::filesystem::exists(folder)) return std::nullopt;
  NullLog log;
  const ir::Module module = relay::read_module(folder / "squeezenet1.1.json");
  ir::Graph bound =
      relay::bind_params(module.main(), relay::read_params(folder / "squeezenet1.1.params"));
  ir::infer_types(bound);
  Network network;
  const ir::Graph prepared = passes::prepare(bound, passes::TvmOptLevel::k2, log);
  const AnnotatedGraph annotated = annotate(prepared, {});
  network.graph = annotated.graph;
  network.observed = observed(annotated);
  const ir::TensorType& type = network.graph[network.graph.inputs().at(0)].tensor_type();
  ir::Tensor input(type.dtype, type.shape);
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0.0F, 60.0F);
  for (float& each : input.mutable_data<float>()) each = normal(generator);
  network.inputs = {input};
  return network;
}

/// What happens to each tapped value.
enum class TapWork : std::uint8_t { kNotTapped, kNone, kRange, kRangeAndPercentile, kHistogram };

/// arg 0: TapWork. The figure to hold: a calibration that runs every sample twice, once for the
/// range and once for the histogram, takes at most 20 % more than two forward passes, that is
/// (forward/2 + forward/4) / (2 forward/0) <= 1.2.
void forward(benchmark::State& state) {
  const std::optional<Network> network = squeezenet();
  if (!network) {
    state.SkipWithError("no models here");
    return;
  }
  const auto work = static_cast<TapWork>(state.range(0));
  std::vector<ir::NodeId> unique = network->observed;
  std::sort(unique.begin(), unique.end());
  unique.erase(std::unique(unique.begin(), unique.end()), unique.end());

  std::vector<std::unique_ptr<ValueObserver>> observers(network->graph.size());
  for (const ir::NodeId node : unique) {
    observers[node] = std::make_unique<ValueObserver>(
        StatisticsKinds{.percentile = work == TapWork::kRangeAndPercentile,
                        .histogram = work == TapWork::kHistogram});
  }
  const auto program = std::make_shared<const exec::Program>(
      network->graph,
      exec::ProgramOptions{
          .targets = {unique.back()},
          .taps = work == TapWork::kNotTapped ? std::vector<ir::NodeId>{} : unique});
  exec::Session session(program);
  std::size_t elements = 0;
  session.run(network->inputs, [&](const exec::TapView& view) {
    elements += view.elements.size();
    observers[view.node]->observe_range(view.elements, 0);
  });
  for (const ir::NodeId node : unique) observers[node]->begin_histogram();

  const exec::Tap tap = [&](const exec::TapView& view) {
    if (work == TapWork::kHistogram) {
      observers[view.node]->observe_histogram(view.elements);
    } else if (work == TapWork::kRange || work == TapWork::kRangeAndPercentile) {
      observers[view.node]->observe_range(view.elements, 0);
    }
  };
  for (auto _ : state) benchmark::DoNotOptimize(session.run(network->inputs, tap));
  state.counters["tapped"] = static_cast<double>(unique.size());
  state.counters["elements"] = static_cast<double>(elements);
}
BENCHMARK(forward)->DenseRange(0, 4)->Unit(benchmark::kMillisecond);

void hash(benchmark::State& state) {
  const std::optional<Network> network = squeezenet();
  if (!network) {
    state.SkipWithError("no models here");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(graph_hash(network->graph));
}
BENCHMARK(hash)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tvmq::quant
