#include "quant/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace tvmq::quant {
namespace {

/// The statistics of a constant.
ValueStatistics statistics_of_constant(const ir::Graph& graph, ir::NodeId id,
                                       StatisticsKinds kinds) {
  const ir::Tensor& value = graph[id].value;
  if (value.dtype() != ir::DType::kFloat32) {
    throw InputError(fmt::format("{}: only float32 can be calibrated, it is {}",
                                 describe(graph, id),
                                 to_string(ir::TensorType{value.dtype(), value.shape()})));
  }
  ValueObserver observer(kinds);
  if (!observer.observe_range(value.data<float>(), 0)) refuse_nonfinite(graph, id, "any sample");
  if (kinds.need_second_pass()) {
    observer.begin_histogram(percentile_rank(observer.statistics().range.count));
    observer.observe_histogram(value.data<float>());
  }
  return observer.statistics();
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

CalibrationTable table_of(const ir::Graph& graph, std::span<const ir::NodeId> observed,
                          const CalibrationCounts& counts, const CalibrateOptions& options) {
  check(options.mse_steps.empty() || options.mse_steps.size() == observed.size(),
        "one number of steps per observed value");
  check(options.bits >= 2 && options.bits <= 24, "bits of a grid");
  const ThresholdMode& mode = threshold_mode(options.mode);
  const StatisticsKinds kinds =
      options.keep_histograms ? StatisticsKinds{.percentile = true, .histogram = true} : mode.needs;
  CalibrationTable table{.mode = options.mode,
                         .graph_hash = counts.graph_hash,
                         .preprocessing = options.preprocessing,
                         .samples = static_cast<std::int64_t>(counts.ranged.size()),
                         .entries = {}};
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const int steps =
        options.mse_steps.empty() ? (1 << (options.bits - 1)) - 1 : options.mse_steps[i];
    std::optional<ValueStatistics> constant;
    if (graph[observed[i]].is_constant()) {
      constant = statistics_of_constant(graph, observed[i], kinds);
    }
    const CountedValue* counted = counts.find(observed[i]);
    check(constant || counted != nullptr, "counts of every observed value");
    const ValueStatistics& statistics = constant ? *constant : counted->statistics;
    CalibrationEntry entry = make_entry(describe(graph, observed[i]), statistics);
    entry.threshold =
        mode.threshold(statistics, {.mse_steps = steps, .global_scale = options.global_scale});
    if (kinds.percentile) entry.percentile = threshold_percentile(statistics);
    if (options.keep_histograms) entry.histogram = statistics.histogram;
    table.entries.push_back(std::move(entry));
  }
  return table;
}

CalibrationTable calibrate(const ir::Graph& graph, std::span<const ir::NodeId> observed,
                           const BatchSource& source, const CalibrateOptions& options, Log& log) {
  const ThresholdMode& mode = threshold_mode(options.mode);
  if (!mode.needs_samples) {
    CalibrationTable table{.mode = options.mode,
                           .graph_hash = graph_hash(graph),
                           .preprocessing = options.preprocessing,
                           .samples = 0,
                           .entries = {}};
    for (const ir::NodeId node : observed) {
      CalibrationEntry& entry = table.entries.emplace_back();
      entry.name = describe(graph, node);
      entry.threshold = mode.threshold({}, {.global_scale = options.global_scale});
    }
    return table;
  }
  CountOptions count{.threads = options.threads, .kinds = mode.needs};
  if (options.keep_histograms) count.kinds = {.percentile = true, .histogram = true};
  CalibrationCounts counts;
  const bool all = count_samples(graph, observed, source, count, counts, log);
  check(all, "without a plan, the samples are those of the source");
  return table_of(graph, observed, counts, options);
}

}  // namespace tvmq::quant
