#include "passes/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "ir/infer_types.h"
#include "ir/structural_equal.h"
#include "ir/verify.h"

namespace tvmq::passes {
namespace {

constexpr std::array kPasses{
    Pass{"SimplifyInference", "normalisation and dropout as plain arithmetic", TvmOptLevel::k2,
         [](const ir::Graph& graph, ScaleFolding) { return simplify_inference(graph); }},
    Pass{"FoldConstant", "evaluate what depends on constants only", TvmOptLevel::k2,
         [](const ir::Graph& graph, ScaleFolding) { return fold_constant(graph); }},
    Pass{"BackwardFoldScaleAxis", "scales behind a layer go into its weight", TvmOptLevel::k3,
         backward_fold_scale_axis},
    Pass{"ForwardFoldScaleAxis", "scales before a layer go into its weight", TvmOptLevel::k3,
         forward_fold_scale_axis},
    Pass{"CanonicalizeOps", "bias_add as add", TvmOptLevel::k3,
         [](const ir::Graph& graph, ScaleFolding) { return canonicalize_ops(graph); }},
    Pass{"ConvertLayout", "convolutions on NCHW", TvmOptLevel::k3,
         [](const ir::Graph& graph, ScaleFolding) { return convert_layout(graph); }},
};

constexpr std::array<std::string_view, 7> kPrepareOrder{
    "SimplifyInference", "FoldConstant",    "BackwardFoldScaleAxis", "ForwardFoldScaleAxis",
    "FoldConstant",      "CanonicalizeOps", "FoldConstant"};
constexpr std::array<std::string_view, 2> kLayoutOrder{"ConvertLayout", "FoldConstant"};

const Pass& find_pass(std::string_view name) {
  const auto found = std::find_if(kPasses.begin(), kPasses.end(),
                                  [&](const Pass& pass) { return pass.name == name; });
  check(found != kPasses.end(), "the pass is in the table");
  return *found;
}

/// The result of one pass, verified. The graph before it was well-typed, so an ill-typed result is
/// the pass's fault.
ir::Graph run_pass(const Pass& pass, const ir::Graph& graph, ScaleFolding folding) {
  ir::Graph result;
  try {
    result = pass.run(graph, folding);
  } catch (const InputError& error) {
    throw InternalError(fmt::format("{} broke the graph: {}", pass.name, error.what()));
  }
  if (const auto violation = ir::first_violation(result)) {
    throw InternalError(fmt::format("{} broke the graph: {}", pass.name, *violation));
  }
  return result;
}

/// Those of the passes `names` that run at `level`, one after the other.
ir::Graph run_passes(std::span<const std::string_view> names, ir::Graph graph, TvmOptLevel level,
                     Log& log, ScaleFolding folding) {
  using Clock = std::chrono::steady_clock;
  for (const std::string_view name : names) {
    const Pass& pass = find_pass(name);
    if (pass.from_level > level) continue;
    log.throw_if_stopped();
    const Clock::time_point start = Clock::now();
    ir::Graph result = run_pass(pass, graph, folding);
    const std::chrono::duration<double, std::milli> taken = Clock::now() - start;
    const bool changed = ir::first_difference(graph, result).has_value();
    log.debug(fmt::format("{:<22} {:>11} {:8.1f} ms", name, changed ? "changed" : "(unchanged)",
                          taken.count()));
    graph = std::move(result);
  }
  return graph;
}

}  // namespace

std::span<const Pass> pass_table() { return kPasses; }

ir::Graph prepare(const ir::Graph& bound, TvmOptLevel level, Log& log, ScaleFolding folding) {
  ir::Graph graph = bound;
  ir::infer_types(graph);
  if (const auto violation = ir::first_violation(graph)) {
    throw InternalError(fmt::format("the graph to prepare is broken already: {}", *violation));
  }
  return run_passes(kPrepareOrder, std::move(graph), level, log, folding);
}

ir::Graph prepare_for_integers(const ir::Graph& bound, Log& log) {
  ir::Graph graph = prepare(bound, TvmOptLevel::k3, log, ScaleFolding::kSafe);
  return run_passes(kLayoutOrder, std::move(graph), TvmOptLevel::k3, log, ScaleFolding::kSafe);
}

}  // namespace tvmq::passes
