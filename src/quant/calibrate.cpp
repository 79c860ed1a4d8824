#include "quant/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "exec/program.h"
#include "quant/calibrate_passes.h"

namespace tvmq::quant {
namespace {

/// The observed values, each node once: observers, and which of them belongs to an entry.
struct ObservedValues {
  std::vector<ir::NodeId> nodes;
  std::vector<std::unique_ptr<ValueObserver>> observers;  ///< one per node
  std::vector<std::size_t> of_entry;                      ///< index into nodes per entry
};

ObservedValues observe_each_once(const ir::Graph& graph, std::span<const ir::NodeId> observed,
                                 StatisticsKinds kinds) {
  constexpr std::size_t kNone = ~std::size_t{0};
  ObservedValues values;
  std::vector<std::size_t> index_of(graph.size(), kNone);
  for (const ir::NodeId node : observed) {
    std::size_t& index = index_of.at(node);
    if (index == kNone) {
      index = values.nodes.size();
      values.nodes.push_back(node);
      values.observers.push_back(std::make_unique<ValueObserver>(kinds));
    }
    values.of_entry.push_back(index);
  }
  return values;
}

/// Compiles what the observed values need; nothing if all of them are constants.
std::shared_ptr<const exec::Program> compile(const ir::Graph& graph, const ObservedValues& values) {
  exec::ProgramOptions options;
  for (const ir::NodeId node : values.nodes) {
    if (!graph[node].is_constant()) options.taps.push_back(node);
  }
  if (options.taps.empty()) return nullptr;
  // A run returns something: the smallest of the values it computes anyway.
  const auto elements = [&](ir::NodeId node) {
    const auto* type = std::get_if<ir::TensorType>(&graph[node].type);
    if (type == nullptr) {
      throw InputError(fmt::format("{}: only a tensor can be calibrated, its type is {}",
                                   describe(graph, node), to_string(graph[node].type)));
    }
    return ir::element_count(type->shape).value_or(std::numeric_limits<std::int64_t>::max());
  };
  options.targets = {
      *std::min_element(options.taps.begin(), options.taps.end(),
                        [&](ir::NodeId a, ir::NodeId b) { return elements(a) < elements(b); })};
  return std::make_shared<const exec::Program>(graph, std::move(options));
}

/// Constants among the observed values, as sample batch 0.
template <class Observe>
void observe_constants(const ir::Graph& graph, const ObservedValues& values, Observe&& observe) {
  for (std::size_t i = 0; i < values.nodes.size(); ++i) {
    const ir::Node& node = graph[values.nodes[i]];
    if (!node.is_constant()) continue;
    if (node.value.dtype() != ir::DType::kFloat32) {
      throw InputError(fmt::format(
          "{}: only float32 can be calibrated, it is {}", describe(graph, values.nodes[i]),
          to_string(ir::TensorType{node.value.dtype(), node.value.shape()})));
    }
    observe(*values.observers[i], node.value.data<float>());
  }
}

void require_finite(const ir::Graph& graph, const ObservedValues& values,
                    const BatchSource& source) {
  const auto worst = std::min_element(values.observers.begin(), values.observers.end(),
                                      [](const auto& a, const auto& b) {
                                        return a->statistics().range.first_nonfinite_batch <
                                               b->statistics().range.first_nonfinite_batch;
                                      });
  if (worst == values.observers.end()) return;
  const std::int64_t batch = (*worst)->statistics().range.first_nonfinite_batch;
  if (batch == RangeStatistics::kNone) return;
  const ir::NodeId node = values.nodes[static_cast<std::size_t>(worst - values.observers.begin())];
  throw InputError(fmt::format(
      "{}: NaN or infinity with {}: its range cannot be calibrated; leave these samples out, or "
      "check the model's weights and the preprocessing (Mean, Std, Normalization)",
      describe(graph, node), graph[node].is_constant() ? "any sample" : source.describe(batch)));
}

/// Both passes over the samples; returns how many batches were seen.
std::int64_t collect(const ir::Graph& graph, ObservedValues& values, const BatchSource& source,
                     const CalibrateOptions& options, StatisticsKinds kinds, Log& log) {
  const std::shared_ptr<const exec::Program> program = compile(graph, values);
  std::vector<ValueObserver*> observer_of(graph.size(), nullptr);
  for (std::size_t i = 0; i < values.nodes.size(); ++i) {
    observer_of[values.nodes[i]] = values.observers[i].get();
  }
  const bool two_passes = kinds.need_second_pass();
  const auto run = [&](std::string_view title, const ObserveBatch& observe) {
    if (program == nullptr) return PassResult{};
    return run_pass(program, source, {.title = title, .threads = options.threads}, observe, log);
  };

  observe_constants(graph, values, [](ValueObserver& observer, std::span<const float> elements) {
    observer.observe_range(elements, 0);
  });
  const PassResult first = run(two_passes ? "calibration, pass 1 of 2" : "calibration",
                               [&](const exec::TapView& view, std::int64_t batch) {
                                 return observer_of[view.node]->observe_range(view.elements, batch);
                               });
  require_finite(graph, values, source);
  if (program != nullptr && first.batches == 0) {
    throw InputError(fmt::format(
        "calibration: none of {} batches could be read; see the warnings above, or check Path",
        source.batches));
  }
  if (first.skipped > 0) {
    log.warning(fmt::format("calibration: {} of {} batches could not be read and are left out",
                            first.skipped, source.batches));
  }
  if (!two_passes) return first.batches;

  for (const auto& each : values.observers) {
    each->begin_histogram(percentile_rank(each->statistics().range.count));
  }
  observe_constants(graph, values, [](ValueObserver& observer, std::span<const float> elements) {
    observer.observe_histogram(elements);
  });
  const PassResult second =
      run("calibration, pass 2 of 2", [&](const exec::TapView& view, std::int64_t /*batch*/) {
        observer_of[view.node]->observe_histogram(view.elements);
        return true;
      });
  if (second.batches != first.batches) {
    throw InputError(fmt::format(
        "calibration: {} batches could be read the first time, {} the second time; do not change "
        "the samples while they are in use, then try again",
        first.batches, second.batches));
  }
  return first.batches;
}

CalibrationEntry make_entry(std::string name, const ValueStatistics& statistics) {
  const RangeStatistics& range = statistics.range;
  if (range.count == 0) {
    throw InputError(fmt::format("{}: has no elements, there is nothing to calibrate", name));
  }
  CalibrationEntry entry;
  entry.name = std::move(name);
  entry.absmax = range.absmax();
  entry.min = range.min;
  entry.max = range.max;
  entry.count = static_cast<std::int64_t>(range.count);
  entry.zeros = static_cast<std::int64_t>(range.zeros);
  return entry;
}

}  // namespace

CalibrationTable calibrate(const ir::Graph& graph, std::span<const ir::NodeId> observed,
                           const BatchSource& source, const CalibrateOptions& options, Log& log) {
  check(options.mse_steps.empty() || options.mse_steps.size() == observed.size(),
        "one number of steps per observed value");
  check(options.bits >= 2 && options.bits <= 24, "bits of a grid");
  const ThresholdMode& mode = threshold_mode(options.mode);
  const auto steps = [&](std::size_t entry) {
    return options.mse_steps.empty() ? (1 << (options.bits - 1)) - 1 : options.mse_steps[entry];
  };
  CalibrationTable table{.mode = options.mode,
                         .graph_hash = graph_hash(graph),
                         .preprocessing = options.preprocessing,
                         .samples = 0,
                         .parameters = {},
                         .entries = {}};
  if (!mode.needs_samples) {
    for (const ir::NodeId node : observed) {
      CalibrationEntry& entry = table.entries.emplace_back();
      entry.name = describe(graph, node);
      entry.threshold = mode.threshold({}, {.global_scale = options.global_scale});
    }
    return table;
  }

  const StatisticsKinds kinds =
      options.keep_histograms ? StatisticsKinds{.percentile = true, .histogram = true} : mode.needs;
  ObservedValues values = observe_each_once(graph, observed, kinds);
  table.samples = collect(graph, values, source, options, kinds, log);
  for (std::size_t i = 0; i < observed.size(); ++i) {
    log.throw_if_stopped();
    const ValueStatistics& statistics = values.observers[values.of_entry[i]]->statistics();
    CalibrationEntry entry = make_entry(describe(graph, observed[i]), statistics);
    entry.threshold =
        mode.threshold(statistics, {.mse_steps = steps(i), .global_scale = options.global_scale});
    if (kinds.percentile) entry.percentile = threshold_percentile(statistics);
    if (options.keep_histograms) entry.histogram = statistics.histogram;
    table.entries.push_back(std::move(entry));
  }
  return table;
}

}  // namespace tvmq::quant
