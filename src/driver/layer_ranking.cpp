#include "driver/layer_ranking.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/cost.h"
#include "quant/layers.h"

namespace tvmq::driver {
namespace {

/// 16 bits are chosen unless floating point gains more by so large a share of its gain, and by so
/// many dB: what few images tell of a layer that matters little is chance.
constexpr double kClearShare = 0.2;
constexpr double kClearDb = 0.3;

}  // namespace

std::vector<RankedLayer> integer_layers(const CalibratedNetwork& network) {
  const ir::Graph& graph = network.plan.graph;
  const double all = std::max<double>(1, static_cast<double>(ir::multiply_accumulates(graph)));
  const std::vector<std::string> names = quant::layer_names(graph);
  std::vector<RankedLayer> layers;
  for (ir::NodeId id = 0; id < graph.size(); ++id) {
    if (!quant::is_layer(network.plan.roles[id])) continue;
    const auto macs = static_cast<double>(ir::multiply_accumulates(graph, id));
    layers.push_back({.name = names[id], .macs = macs / all, .is_wide = network.plan.wide[id]});
  }
  return layers;
}

void rank_layers(const CalibratedNetwork& network, const MakeMoreExact& more_exact,
                 const MeasureSqnr& measure, std::vector<RankedLayer>& layers, Log& log) {
  const double none_db = measure(network);
  const auto wide_layers = std::ranges::count(network.plan.wide, true);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    log.progress("ranking layers", static_cast<std::int64_t>(i),
                 static_cast<std::int64_t>(layers.size()));
    RankedLayer& each = layers[i];
    each.alone_db = measure(more_exact({.wide = {}, .in_float = {each.name}}));
    if (each.is_wide) continue;
    const CalibratedNetwork wide = more_exact({.wide = {each.name}, .in_float = {}});
    if (std::ranges::count(wide.plan.wide, true) == wide_layers) continue;  // it cannot
    each.wide_db = measure(wide);
    const double clear = std::max(kClearDb, kClearShare * (each.alone_db - none_db));
    if (each.alone_db - *each.wide_db <= clear) each.kept = Kept::kWide;
  }
  std::ranges::stable_sort(layers, std::ranges::greater(), &RankedLayer::alone_db);
  for (const RankedLayer& each : layers) {
    log.debug(
        fmt::format("accuracy control: {:.2f} dB with {} alone in floating point{}", each.alone_db,
                    quant::skip_line(each.name),
                    each.wide_db ? fmt::format(", {:.2f} dB with 16 bits", *each.wide_db) : ""));
  }
}

}  // namespace tvmq::driver
