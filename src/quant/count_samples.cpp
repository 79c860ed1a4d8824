#include "quant/count_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>

#include "base/error.h"
#include "base/interrupted.h"
#include "exec/program.h"
#include "quant/calibrate_passes.h"
#include "quant/graph_hash.h"
#include "quant/threshold.h"

namespace tvmq::quant {
namespace {

/// The observed values that depend on samples, each once, in order.
std::vector<ir::NodeId> varying(const ir::Graph& graph, std::span<const ir::NodeId> observed) {
  std::vector<ir::NodeId> nodes;
  std::vector<bool> known(graph.size(), false);
  for (const ir::NodeId node : observed) {
    if (known.at(node) || graph[node].is_constant()) continue;
    known[node] = true;
    nodes.push_back(node);
  }
  return nodes;
}

/// Compiles what `nodes` need.
std::shared_ptr<const exec::Program> compile(const ir::Graph& graph,
                                             const std::vector<ir::NodeId>& nodes) {
  exec::ProgramOptions options;
  options.taps = nodes;
  // A run returns something: the smallest of the values it computes anyway.
  const auto elements = [&](ir::NodeId node) {
    const auto* type = std::get_if<ir::TensorType>(&graph[node].type);
    if (type == nullptr) {
      throw InputError(fmt::format("{}: only a tensor can be calibrated, its type is {}",
                                   describe(graph, node), to_string(graph[node].type)));
    }
    return ir::element_count(type->shape).value_or(std::numeric_limits<std::int64_t>::max());
  };
  options.targets = {*std::min_element(nodes.begin(), nodes.end(), [&](ir::NodeId a, ir::NodeId b) {
    return elements(a) < elements(b);
  })};
  return std::make_shared<const exec::Program>(graph, std::move(options));
}

/// How long what was counted may stay unwritten.
constexpr std::chrono::seconds kCheckpointEvery{5};
/// Batches between two looks at the clock, at first.
constexpr std::int64_t kFirstChunk = 4;

/// Both passes of count_samples().
class Counter {
 public:
  Counter(const ir::Graph& graph, const std::vector<ir::NodeId>& nodes, const BatchSource& source,
          const CountOptions& options, const std::vector<std::string>& planned,
          CalibrationCounts& counts, Log& log)
      : graph_(graph),
        nodes_(nodes),
        source_(source),
        options_(options),
        planned_(planned),
        counts_(counts),
        log_(log),
        program_(compile(graph, nodes)),
        names_(names_of(source)),
        observer_of_(graph.size(), nullptr) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      observers_.push_back(
          std::make_unique<ValueObserver>(options.kinds, std::move(counts.values[i].statistics)));
      observer_of_[nodes[i]] = observers_[i].get();
    }
  }
  /// Puts the statistics where they belong.
  ~Counter() { exchange(); }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  bool run() {
    const bool two_passes = options_.kinds.need_second_pass();
    first_pass(two_passes ? "calibration, pass 1 of 2" : "calibration");
    if (!each_is_in(planned_, counts_.ranged, counts_.unreadable)) return false;
    if (!two_passes) return true;
    if (counts_.binned.empty()) {
      for (const auto& each : observers_) {
        each->begin_histogram(percentile_rank(each->statistics().range.count));
      }
    }
    second_pass("calibration, pass 2 of 2");
    return counts_.binned == counts_.ranged;
  }

 private:
  void exchange() {
    for (std::size_t i = 0; i < observers_.size(); ++i) {
      observers_[i]->swap_statistics(counts_.values[i].statistics);
    }
  }
  void checkpoint() {
    if (!options_.checkpoint) return;
    exchange();
    options_.checkpoint();
    exchange();
    written_ = std::chrono::steady_clock::now();
  }

  [[nodiscard]] std::vector<std::int64_t> batches_if(
      const std::function<bool(const std::string&)>& wanted) const {
    std::vector<std::int64_t> batches;
    for (std::int64_t i = 0; i < source_.batches; ++i) {
      if (wanted(names_[static_cast<std::size_t>(i)])) batches.push_back(i);
    }
    return batches;
  }
  static bool contains(const std::vector<std::string>& sorted, const std::string& name) {
    return std::binary_search(sorted.begin(), sorted.end(), name);
  }

  void first_pass(std::string_view title) {
    const auto todo = batches_if([&](const std::string& name) {
      return contains(planned_, name) && !contains(counts_.ranged, name) &&
             !contains(counts_.unreadable, name);
    });
    const std::size_t unreadable_before = counts_.unreadable.size();
    count(title, todo, counts_.ranged, [&](const exec::TapView& view, std::int64_t batch) {
      return observer_of_[view.node]->observe_range(view.elements, batch);
    });
    if (counts_.ranged.empty()) {
      throw InputError(fmt::format(
          "calibration: none of {} batches could be read; see the warnings above, or check Path",
          source_.batches));
    }
    if (const std::size_t skipped = counts_.unreadable.size() - unreadable_before; skipped > 0) {
      log_.warning(fmt::format("calibration: {} of {} batches could not be read and are left out",
                               skipped, source_.batches));
    }
  }

  void second_pass(std::string_view title) {
    const auto todo = batches_if([&](const std::string& name) {
      return contains(counts_.ranged, name) && !contains(counts_.binned, name);
    });
    const std::size_t seen =
        count(title, todo, counts_.binned, [&](const exec::TapView& view, std::int64_t /*batch*/) {
          observer_of_[view.node]->observe_histogram(view.elements);
          return true;
        });
    if (seen == todo.size()) return;
    throw InputError(fmt::format(
        "calibration: {} batches could be read the first time, {} the second time; do not change "
        "the samples while they are in use, then try again",
        todo.size(), seen));
  }

  /// Runs the batches `todo` and adds their names to `counted`; returns how many could be read. In
  /// several parts if there are checkpoints between them.
  std::size_t count(std::string_view title, std::span<const std::int64_t> todo,
                    std::vector<std::string>& counted, const ObserveBatch& observe) {
    std::size_t seen = 0;
    std::size_t chunk = options_.checkpoint ? static_cast<std::size_t>(kFirstChunk) : todo.size();
    for (std::size_t first = 0; first < todo.size();) {
      const auto part = todo.subspan(first, std::min(chunk, todo.size() - first));
      const auto start = std::chrono::steady_clock::now();
      PassOptions pass{.title = title,
                       .threads = options_.threads,
                       .done_before = static_cast<std::int64_t>(first),
                       .done_after = static_cast<std::int64_t>(todo.size() - first - part.size())};
      seen += count_part(part, pass, counted, observe);
      first += part.size();
      const auto now = std::chrono::steady_clock::now();
      if (now - start < kCheckpointEvery / 2) chunk *= 2;
      if (now - written_ > kCheckpointEvery && first < todo.size()) checkpoint();
    }
    if (!todo.empty()) checkpoint();
    return seen;
  }

  std::size_t count_part(std::span<const std::int64_t> part, PassOptions& pass,
                         std::vector<std::string>& counted, const ObserveBatch& observe) {
    std::atomic<std::size_t> begun = 0;
    std::vector<std::string> finished;
    const auto number = [&](std::int64_t i) { return part[static_cast<std::size_t>(i)]; };
    const auto name = [&](std::int64_t i) { return names_[static_cast<std::size_t>(number(i))]; };
    pass.finished = [&](std::int64_t i) { finished.push_back(name(i)); };
    std::vector<char> read(part.size(), 0);
    const BatchSource source{.batches = static_cast<std::int64_t>(part.size()),
                             .load =
                                 [&](std::int64_t i) {
                                   auto inputs = source_.load(number(i));
                                   if (inputs) ++begun;
                                   read[static_cast<std::size_t>(i)] = inputs ? 1 : 0;
                                   return inputs;
                                 },
                             .describe = {}};
    const auto keep = [&] {
      counted.insert(counted.end(), finished.begin(), finished.end());
      std::ranges::sort(counted);
    };
    try {
      run_pass(
          program_, source, pass,
          [&](const exec::TapView& view, std::int64_t i) { return observe(view, number(i)); },
          log_);
    } catch (const Interrupted&) {
      // All batches that were begun are finished, unless one failed as well.
      if (begun == finished.size()) {
        keep();
        checkpoint();
      }
      throw;
    }
    require_finite();
    keep();
    if (&counted == &counts_.ranged) {
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (read[i] == 0) counts_.unreadable.push_back(name(static_cast<std::int64_t>(i)));
      }
      std::ranges::sort(counts_.unreadable);
    }
    return finished.size();
  }

  void require_finite() const {
    const auto worst =
        std::min_element(observers_.begin(), observers_.end(), [](const auto& a, const auto& b) {
          return a->statistics().range.first_nonfinite_batch <
                 b->statistics().range.first_nonfinite_batch;
        });
    const std::int64_t batch = (*worst)->statistics().range.first_nonfinite_batch;
    if (batch == RangeStatistics::kNone) return;
    refuse_nonfinite(graph_, nodes_[static_cast<std::size_t>(worst - observers_.begin())],
                     source_.describe(batch));
  }

  const ir::Graph& graph_;
  const std::vector<ir::NodeId>& nodes_;
  const BatchSource& source_;
  const CountOptions& options_;
  const std::vector<std::string>& planned_;
  CalibrationCounts& counts_;
  Log& log_;
  std::shared_ptr<const exec::Program> program_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<ValueObserver>> observers_;
  std::vector<ValueObserver*> observer_of_;
  std::chrono::steady_clock::time_point written_ = std::chrono::steady_clock::now();
};

}  // namespace

void refuse_nonfinite(const ir::Graph& graph, ir::NodeId node, std::string_view samples) {
  throw InputError(fmt::format(
      "{}: NaN or infinity with {}: its range cannot be calibrated; leave these samples out, or "
      "check the model's weights and the preprocessing (Mean, Std, Normalization)",
      describe(graph, node), samples));
}

std::vector<std::string> names_of(const BatchSource& source) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(source.batches));
  for (std::int64_t i = 0; i < source.batches; ++i) {
    names.push_back(source.name ? source.name(i) : fmt::format("{:08}", i));
  }
  return names;
}

bool count_samples(const ir::Graph& graph, std::span<const ir::NodeId> observed,
                   const BatchSource& source, const CountOptions& options,
                   CalibrationCounts& counts, Log& log) {
  const std::vector<ir::NodeId> nodes = varying(graph, observed);
  if (counts.graph_hash.empty()) {
    counts.graph_hash = graph_hash(graph);
    for (const ir::NodeId node : nodes) {
      counts.values.push_back({.node = node, .name = describe(graph, node)});
    }
  }
  check(std::ranges::equal(nodes, counts.values, {}, {}, &CountedValue::node),
        "counts of the observed values");
  if (nodes.empty()) return true;
  std::vector<std::string> planned = options.planned;
  if (planned.empty()) {
    planned = names_of(source);
    std::ranges::sort(planned);
  }
  return Counter(graph, nodes, source, options, planned, counts, log).run();
}

}  // namespace tvmq::quant
