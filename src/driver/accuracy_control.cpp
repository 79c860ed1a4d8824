#include "driver/accuracy_control.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "analysis/compare_outputs.h"
#include "analysis/latency.h"
#include "base/error.h"
#include "driver/layer_ranking.h"
#include "quant/graph_hash.h"
#include "quant/layers.h"

namespace tvmq::driver {
namespace {

/// Enough to tell which layers matter: ranking runs the network once per layer.
constexpr std::int64_t kRankingImages = 16;
/// A run over all images each; those that cost most are tried first.
constexpr std::size_t kMostGivenBack = 12;
/// Runs of each network, to tell what its layers cost.
constexpr std::int64_t kTimedRuns = 10;

/// What one choice of layers gives.
struct Measured {
  double sqnr_db = std::numeric_limits<double>::infinity();  ///< of the worst output
  double drop = 0;  ///< top-1, float - integer, in percentage points; 0 without labels
};

std::string figures(const Measured& measured, const QuantizationConfig& bound) {
  std::string text =
      std::isinf(measured.sqnr_db) ? "infinite SQNR" : fmt::format("{:.2f} dB", measured.sqnr_db);
  if (bound.max_accuracy_drop) text += fmt::format(", top-1 {:+.2f} points", -measured.drop);
  return text;
}

std::string describe_bound(const QuantizationConfig& bound) {
  std::vector<std::string> parts;
  if (bound.max_accuracy_drop) {
    parts.push_back(fmt::format("MaxAccuracyDrop {}", *bound.max_accuracy_drop));
  }
  if (bound.min_sqnr) parts.push_back(fmt::format("MinSqnr {}", *bound.min_sqnr));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The plan in PlanFile; nothing if the key is not set or the file does not exist.
std::optional<quant::AccuracyPlan> kept_plan(const Config& config, const ir::Graph& bound) {
  const auto& path = config.quantization.plan_file;
  std::error_code ignored;
  if (!path || !std::filesystem::exists(*path, ignored)) return std::nullopt;
  return quant::read_accuracy_plan(*path, bound);
}

/// Where a new plan is kept: PlanFile, else `<Name>.plan.json` beside the model.
std::filesystem::path plan_path(const Config& config) {
  const QuantizationConfig& quantization = config.quantization;
  return quantization.plan_file.value_or(quantization.output_directory /
                                         (config.model.name + ".plan.json"));
}

class Control {
 public:
  Control(const ir::Graph& bound, const CalibratedNetwork& network, Samples& samples,
          const Config& config, const RunOptions& run, Log& log)
      : bound_(bound),
        network_(network),
        samples_(samples),
        config_(config),
        run_(run),
        log_(log),
        verification_(samples.verification()),
        candidates_(integer_layers(network)) {}

  AccuracyControlResult run() {
    const std::string bound = describe_bound(config_.quantization);
    if (const auto plan = kept_plan(config_, bound_)) return follow(*plan, bound);
    before_ = measure({});
    log_.info(fmt::format("accuracy control: {}: {} with all {} layers on integers", bound,
                          figures(before_, config_.quantization), candidates_.size()));
    std::vector<std::size_t> chosen;
    if (!holds(before_)) {
      rank();
      chosen = search(bound);
      give_back(chosen);
    }
    AccuracyControlResult result = finish(chosen, bound, true);
    chosen.resize(result.report.steps.size());
    if (!chosen.empty()) log_.info("accuracy control: the same by hand: " + by_hand(chosen));
    MoreExactLayers layers = layers_of(chosen);
    result.plan = quant::AccuracyPlan{.file = plan_path(config_),
                                      .graph_hash = quant::graph_hash(bound_),
                                      .bound = bound,
                                      .wide_layers = std::move(layers.wide),
                                      .float_layers = std::move(layers.in_float)};
    return result;
  }

 private:
  [[nodiscard]] bool holds(const Measured& measured) const {
    const QuantizationConfig& bound = config_.quantization;
    // Not "<": an SQNR that is no number holds nothing.
    if (bound.min_sqnr && !(measured.sqnr_db >= *bound.min_sqnr)) return false;
    constexpr double kRounding = 1e-9;  // of a difference of two shares, in points
    return !bound.max_accuracy_drop || measured.drop <= *bound.max_accuracy_drop + kRounding;
  }

  [[nodiscard]] MoreExactLayers layers_of(const std::vector<std::size_t>& chosen) const {
    MoreExactLayers layers;
    for (const std::size_t i : chosen) {
      const RankedLayer& each = candidates_[i];
      (each.kept == Kept::kWide ? layers.wide : layers.in_float).push_back(each.name);
    }
    return layers;
  }
  /// The choice as lines of the configuration.
  [[nodiscard]] std::string by_hand(const std::vector<std::size_t>& chosen) const {
    const MoreExactLayers layers = layers_of(chosen);
    std::vector<std::string> parts;
    const auto add = [&](std::string_view key, const std::vector<std::string>& names) {
      if (names.empty()) return;
      std::vector<std::string> lines;
      lines.reserve(names.size());
      for (const std::string& name : names) lines.push_back(quant::skip_line(name));
      parts.push_back(fmt::format("{} {}", key, fmt::join(lines, ", ")));
    };
    std::vector<std::string> wide = layers.wide;
    for (const RankedLayer& each : candidates_) {
      const bool in_float = std::ranges::find(layers.in_float, each.name) != layers.in_float.end();
      if (each.is_wide && !in_float) wide.push_back(each.name);
    }
    // WideLayers takes the place of what is chosen without it.
    add("WideLayers", layers.wide.empty() ? layers.wide : wide);
    add("SkipLayers", layers.in_float);
    return fmt::format("{}", fmt::join(parts, "; "));
  }
  [[nodiscard]] double macs_of(const std::vector<std::size_t>& chosen) const {
    return std::accumulate(chosen.begin(), chosen.end(), 0.0,
                           [&](double sum, std::size_t i) { return sum + candidates_[i].macs; });
  }

  CalibratedNetwork network_with(const MoreExactLayers& layers, Biases biases = Biases::kAnew) {
    return with_more_exact(network_, layers, biases, samples_, config_, run_, log_);
  }

  Measured measure(const CalibratedNetwork& network, std::int64_t most_batches) {
    const ir::Graph graph =
        quant::realize_integer(network.plan, network.parameters, network.options);
    const bool with_labels = config_.quantization.max_accuracy_drop.has_value() && most_batches < 0;
    const analysis::OutputComparison comparison = analysis::compare_outputs(
        bound_, graph, verification_.source,
        {.title = "accuracy control",
         .most_batches = most_batches,
         .threads = run_.threads,
         .labels = with_labels ? verification_.labels : std::span<const std::int64_t>{}},
        log_);
    Measured measured;
    for (const analysis::OutputError& output : comparison.outputs) {
      if (!(output.error.sqnr_db >= measured.sqnr_db)) measured.sqnr_db = output.error.sqnr_db;
    }
    if (comparison.accuracy) {
      const auto& accuracy = *comparison.accuracy;
      measured.drop = 100 * static_cast<double>(accuracy.reference.top1 - accuracy.actual.top1) /
                      static_cast<double>(std::max<std::int64_t>(accuracy.reference.images, 1));
    }
    return measured;
  }
  Measured measure(const std::vector<std::size_t>& chosen) {
    return measure(network_with(layers_of(chosen)), -1);
  }

  void rank() {
    const std::int64_t batches =
        std::max<std::int64_t>(1, kRankingImages / config_.dataset.batch_size);
    rank_layers(
        network_,
        [&](const MoreExactLayers& layers) { return network_with(layers, Biases::kAsTheyAre); },
        [&](const CalibratedNetwork& network) { return measure(network, batches).sqnr_db; },
        candidates_, log_);
  }

  /// The fewest of the worst with which the bound holds: doubled until it does, then halved. What
  /// more layers give is taken as at least what fewer do.
  std::vector<std::size_t> search(const std::string& bound) {
    std::size_t fails = 0;
    std::size_t works = 0;
    for (std::size_t count = 1; works == 0;) {
      if (holds_with_worst(count)) {
        works = count;
      } else if (count < candidates_.size()) {
        fails = count;
        count = std::min(2 * count, candidates_.size());
      } else if (only_float()) {
        fails = 0;
        count = 1;
      } else {
        throw InputError(fmt::format(
            "{}: it does not hold with any layer on integers ({} with all layers on integers); ask "
            "for less, or check what the log says about the preprocessing",
            bound, figures(before_, config_.quantization)));
      }
    }
    while (works - fails > 1) {
      const std::size_t middle = fails + (works - fails) / 2;
      (holds_with_worst(middle) ? works : fails) = middle;
    }
    return worst(works);
  }

  /// 16 bits are not enough: all go to floating point. False if they did before.
  bool only_float() {
    const bool any =
        std::ranges::find(candidates_, Kept::kWide, &RankedLayer::kept) != candidates_.end();
    for (RankedLayer& each : candidates_) each.kept = Kept::kFloat;
    return any;
  }

  static std::vector<std::size_t> worst(std::size_t count) {
    std::vector<std::size_t> indices(count);
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    return indices;
  }
  bool holds_with_worst(std::size_t count) {
    if (candidates_.empty()) return false;
    const std::vector<std::size_t> chosen = worst(std::min(count, candidates_.size()));
    const Measured measured = measure(chosen);
    const MoreExactLayers layers = layers_of(chosen);
    log_.info(fmt::format(
        "accuracy control: {} with the worst {} of {} layers more exact, {} by 16 bits, "
        "{} in floating point: {:.1f} % of the multiply-accumulates",
        figures(measured, config_.quantization), chosen.size(), candidates_.size(),
        layers.wide.size(), layers.in_float.size(), 100 * macs_of(chosen)));
    return holds(measured);
  }

  void give_back(std::vector<std::size_t>& chosen) {
    std::vector<std::size_t> dearest = chosen;
    std::stable_sort(dearest.begin(), dearest.end(), [&](std::size_t a, std::size_t b) {
      return candidates_[a].macs > candidates_[b].macs;
    });
    if (dearest.size() > kMostGivenBack) dearest.resize(kMostGivenBack);
    for (const std::size_t each : dearest) {
      std::vector<std::size_t> fewer = chosen;
      std::erase(fewer, each);
      if (fewer.empty()) continue;  // without any it does not hold
      const Measured measured = measure(fewer);
      if (!holds(measured)) continue;
      log_.info(fmt::format("accuracy control: {} goes back to integers, {} without it",
                            quant::skip_line(candidates_[each].name),
                            figures(measured, config_.quantization)));
      chosen = std::move(fewer);
    }
  }

  /// The steps that lead from all integers to the choice, each with what it bought. `stops`: as
  /// soon as the bound holds.
  AccuracyControlResult finish(const std::vector<std::size_t>& chosen, const std::string& bound,
                               bool stops) {
    AccuracyControlResult result{
        .network = network_, .report = {.bound = bound, .steps = {}}, .plan = std::nullopt};
    Measured last = before_;
    std::vector<std::size_t> so_far;
    for (const std::size_t each : chosen) {
      so_far.push_back(each);
      const CalibratedNetwork step_network = std::move(result.network);
      result.network = network_with(layers_of(so_far));
      const Measured now = measure(result.network, -1);
      const double share = candidates_[each].macs;
      const bool wide = candidates_[each].kept == Kept::kWide;
      report::ControlStep step{
          .layer = candidates_[each].name,
          .kept = wide ? "16 bits" : "float",
          .gain = fmt::format("{} -> {}", figures(last, config_.quantization),
                              figures(now, config_.quantization)),
          .cost =
              fmt::format("{:.2f} % of the multiply-accumulates, {:+.1f} % of the time of a run",
                          100 * share, 100 * more_time(step_network, result.network))};
      log_.info(fmt::format("accuracy control: {} {}: {}; costs {}", quant::skip_line(step.layer),
                            wide ? "with 16 bits" : "in floating point", step.gain, step.cost));
      result.report.steps.push_back(std::move(step));
      last = now;
      if (stops && holds(now)) break;
    }
    return result;
  }

  /// How much longer a run takes, as a share; in this program's executor, on one thread.
  double more_time(const CalibratedNetwork& before, const CalibratedNetwork& after) {
    const ir::Graph graphs[] = {
        quant::realize_integer(before.plan, before.parameters, before.options),
        quant::realize_integer(after.plan, after.parameters, after.options)};
    const ir::Graph* const both[] = {&graphs[0], &graphs[1]};
    const auto inputs = analysis::made_up_inputs(graphs[0]);
    const auto times =
        analysis::measure_latency(both, inputs, {.threads = 1, .most_runs = kTimedRuns});
    return times[1].min_ms / times[0].min_ms - 1;
  }

  AccuracyControlResult follow(const quant::AccuracyPlan& plan, const std::string& bound) {
    std::vector<std::size_t> chosen;
    const auto choose = [&](const std::vector<std::string>& names, Kept kept) {
      for (const std::string& name : names) {
        const auto place = std::ranges::find(candidates_, name, &RankedLayer::name);
        if (place == candidates_.end()) {
          throw InputError(fmt::format(
              "{}: '{}' is no layer that would be on integers otherwise; delete the file to search "
              "anew",
              plan.file.string(), name));
        }
        place->kept = kept;
        chosen.push_back(static_cast<std::size_t>(place - candidates_.begin()));
      }
    };
    choose(plan.wide_layers, Kept::kWide);
    choose(plan.float_layers, Kept::kFloat);
    before_ = measure({});
    const Measured measured = measure(chosen);
    if (!holds(measured)) {
      throw InputError(fmt::format(
          "{}: with its {} layers more exact {} does not hold ({}); delete the file to search anew",
          plan.file.string(), chosen.size(), bound, figures(measured, config_.quantization)));
    }
    log_.info(fmt::format("accuracy control: the plan of {}, no search: {}", plan.file.string(),
                          figures(measured, config_.quantization)));
    return finish(chosen, bound, false);
  }

  const ir::Graph& bound_;
  const CalibratedNetwork& network_;
  Samples& samples_;
  const Config& config_;
  const RunOptions& run_;
  Log& log_;
  VerificationSamples verification_;
  std::vector<RankedLayer> candidates_;  ///< after rank(): the worst layer first
  Measured before_;
};

}  // namespace

bool controls_accuracy(const Config& config) {
  return config.quantization.max_accuracy_drop || config.quantization.min_sqnr;
}

AccuracyControlResult control_accuracy(const ir::Graph& bound, const CalibratedNetwork& network,
                                       Samples& samples, const Config& config,
                                       const RunOptions& run, Log& log) {
  return Control(bound, network, samples, config, run, log).run();
}

}  // namespace tvmq::driver
