#include "quantize_in_memory.h"

#include <memory>
#include <string>
#include <utility>

#include "analysis/latency.h"
#include "base/error.h"
#include "base/log.h"
#include "driver/memory_budget.h"
#include "exec/program.h"
#include "ir/cost.h"
#include "ir/infer_types.h"
#include "ir/structural_equal.h"
#include "passes/pipeline.h"
#include "quant/bias_correction.h"
#include "quant/calibrate.h"
#include "quant/channel_statistics.h"
#include "quant/equalize.h"
#include "quant/integer_scheme.h"
#include "quant/interval.h"
#include "quant/tvm_scheme.h"
#include "quant/weight_rounding.h"
#include "relay/module_reader.h"
#include "relay/module_writer.h"

namespace tvmq::fuzz {
namespace {

constexpr std::size_t kMostNodes = 400;
constexpr std::uint64_t kMemory = 8'000'000;
constexpr std::int64_t kMostMultiplications = 10'000'000;
constexpr std::int64_t kBatches = 2;
/// Of more values, kl_divergence takes seconds with sanitizers.
constexpr std::size_t kMostValuesByKl = 4;

/// Samples that differ in one element.
quant::BatchSource samples_of(const ir::Graph& graph) {
  return {.batches = kBatches,
          .load =
              [inputs = analysis::made_up_inputs(graph)](std::int64_t batch) {
                std::vector<ir::Tensor> changed = inputs;
                for (ir::Tensor& each : changed) {
                  if (batch == 0 || each.dtype() != ir::DType::kFloat32 || each.size() == 0)
                    continue;
                  each = ir::Tensor::from<float>(each.shape(), each.data<float>());
                  each.mutable_data<float>()[0] += 1;
                }
                return changed;
              },
          .describe = [](std::int64_t batch) { return "batch " + std::to_string(batch); }};
}

quant::IntegerParameters find_parameters(const quant::IntegerPlan& plan,
                                         const quant::IntegerOptions& options,
                                         const quant::BatchSource& samples, Log& log) {
  constexpr auto kMode = quant::CalibMode::kMse;
  quant::IntegerParameters parameters;
  const auto table = quant::calibrate(plan.graph, plan.observed, samples,
                                      {.mode = kMode, .threads = 1, .keep_histograms = true}, log);
  for (const auto& entry : table.entries) {
    parameters.ranges.push_back(quant::interval_of(entry, kMode, options.activation_bits));
    parameters.extents.push_back(quant::extent_of(entry));
  }
  parameters.weights =
      quant::round_weights(plan, parameters.ranges, options, false, samples, {.threads = 1}, log);
  parameters.offsets = quant::correct_bias(plan, parameters, options, samples, {.threads = 1}, log);
  return parameters;
}

ir::Graph by_integers(const ir::Graph& graph, const quant::IntegerOptions& options,
                      const quant::BatchSource& samples, Log& log) {
  quant::IntegerPlan plan = quant::plan_integer(passes::prepare_for_integers(graph, log), options);
  const std::vector<ir::NodeId> values = quant::equalizable(plan);
  const auto statistics = quant::observe_channels(
      plan.graph, values, samples, {.title = "", .most_batches = kBatches, .threads = 1}, log);
  plan = quant::plan_integer(quant::equalize(plan, values, statistics, options), options);
  return quant::realize_integer(plan, find_parameters(plan, options, samples, log), options);
}

ir::Graph by_integer_scheme(const ir::Graph& graph, const quant::BatchSource& samples, Log& log) {
  return by_integers(graph, {}, samples, log);
}

/// The same with 16-bit inputs of all layers, one value per tensor and power of two weights.
ir::Graph by_wide_integers(const ir::Graph& graph, const quant::BatchSource& samples, Log& log) {
  return by_integers(graph,
                     {.weight_scale = quant::WeightScale::kPower2,
                      .weight_granularity = quant::WeightGranularity::kPerTensor,
                      .wide_layers = {"*"},
                      .one_value_at_ends = true},
                     samples, log);
}

ir::Graph by_tvm_scheme(const ir::Graph& graph, const quant::BatchSource& samples, Log& log) {
  const quant::TvmQuantizeOptions options{.skip_conv_layers = std::vector<int>{},
                                          .skip_dense_layer = false};
  const quant::AnnotatedGraph annotated =
      quant::annotate(passes::prepare(graph, passes::TvmOptLevel::k2, log), options);
  const std::vector<ir::NodeId> observed = quant::observed(annotated);
  const auto mode = observed.size() <= kMostValuesByKl ? quant::CalibMode::kKlDivergence
                                                       : quant::CalibMode::kPercentile;
  std::vector<float> thresholds;
  for (const auto& entry :
       quant::calibrate(annotated.graph, observed, samples, {.mode = mode, .threads = 1}, log)
           .entries) {
    thresholds.push_back(entry.threshold);
  }
  return quant::realize(annotated, thresholds, options, log);
}

/// Written, read back and run.
ir::Module finished(const ir::Graph& quantized, const quant::BatchSource& samples) {
  ir::Module module = quant::partition_conversions(quantized, {.dtype_input = ir::DType::kUInt8});
  std::string text;
  relay::write_module(module, [&](std::string_view piece) { text += piece; });
  const auto difference = ir::first_difference(module, relay::parse_module(text, "written"));
  check(!difference, difference.value_or(""));
  exec::Session(std::make_shared<const exec::Program>(quantized)).run(*samples.load(0));
  return module;
}

}  // namespace

std::vector<ir::Module> quantize_in_memory(ir::Graph graph) {
  std::vector<ir::Module> modules;
  if (graph.size() > kMostNodes || !graph.has_output()) return modules;
  ir::infer_types(graph);
  driver::require_memory(graph, kMemory, "input");
  if (ir::multiply_accumulates(graph) > kMostMultiplications) return modules;
  const quant::BatchSource samples = samples_of(graph);
  NullLog log;
  for (const auto scheme : {by_integer_scheme, by_wide_integers, by_tvm_scheme}) {
    try {
      modules.push_back(finished(scheme(graph, samples, log), samples));
    } catch (const InputError&) {  // another may still like it
    }
  }
  return modules;
}

}  // namespace tvmq::fuzz
