// Random networks through everything: float graphs agree with each other, quantized graphs are well
// formed, survive a round trip through TVM's format and compute the same on both executors.
//
// TVMQ_RANDOM_NETWORKS says how many seeds (300), TVMQ_RANDOM_FIRST_SEED where to start (0).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exec/program.h"
#include "exec/reference_executor.h"
#include "ir/structural_equal.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "quant/calibrate.h"
#include "quant/channel_statistics.h"
#include "quant/equalize.h"
#include "quant/integer_scheme.h"
#include "relay/module_reader.h"
#include "relay/module_writer.h"
#include "support/random_network.h"
#include "support/random_numbers.h"

namespace tvmq {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::Tensor;
using support::RandomCase;

std::uint32_t setting(const char* name, std::uint32_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

/// Nothing may escape `body` but what it handles itself.
void for_each_seed(const std::function<void(std::uint32_t seed)>& body) {
  const std::uint32_t first = setting("TVMQ_RANDOM_FIRST_SEED", 0);
  const std::uint32_t count = setting("TVMQ_RANDOM_NETWORKS", 300);
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    try {
      body(seed);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

std::vector<Tensor> run_program(const Graph& graph, const std::vector<Tensor>& inputs) {
  return exec::Session(std::make_shared<const exec::Program>(graph)).run(inputs);
}

/// Floats may differ by `tolerance` of the largest one, everything else not at all.
void expect_equal(const std::vector<Tensor>& expected, const std::vector<Tensor>& actual,
                  float tolerance) {
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(expected[i].shape(), actual[i].shape());
    ASSERT_EQ(expected[i].dtype(), actual[i].dtype());
    if (expected[i].dtype() != ir::DType::kFloat32) {
      EXPECT_TRUE(expected[i].same_bytes(actual[i])) << "output " << i;
      continue;
    }
    const auto left = expected[i].data<float>();
    const auto right = actual[i].data<float>();
    float largest = 1e-3F;
    for (const float each : left) {
      if (std::isfinite(each)) largest = std::max(largest, std::abs(each));
    }
    for (std::size_t k = 0; k < left.size(); ++k) {
      const bool same = left[k] == right[k] || (std::isnan(left[k]) && std::isnan(right[k])) ||
                        std::abs(left[k] - right[k]) <= tolerance * largest;
      ASSERT_TRUE(same) << "output " << i << " element " << k << ": " << left[k] << " and "
                        << right[k] << " of at most " << largest;
    }
  }
}

/// Does an integer depend on a float that executors may round differently? Then its last bit may
/// differ as well.
bool integers_may_differ(const Graph& graph) {
  using ir::Op;
  std::vector<bool> inexact(graph.size(), false);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const ir::Node& node = graph[id];
    for (const NodeId input : node.inputs) inexact[id] = inexact[id] || inexact[input];
    if (node.kind != ir::NodeKind::kCall) continue;
    const auto* type = std::get_if<ir::TensorType>(&node.type);
    const bool is_float = type == nullptr || ir::is_float(type->dtype);
    if (!is_float && inexact[id]) return true;
    switch (node.op) {
      case Op::kConv2D:
      case Op::kDense:
      case Op::kAvgPool2D:
      case Op::kGlobalAvgPool2D:
      case Op::kAdaptiveAvgPool2D:
      case Op::kMean:
      case Op::kSigmoid:
      case Op::kTanh:
      case Op::kSoftmax:
        inexact[id] = inexact[id] || is_float;
        break;
      default:
        break;
    }
  }
  return false;
}

/// What must hold for every graph that comes out of a scheme.
void expect_sound(const Graph& graph, const std::vector<Tensor>& inputs) {
  ASSERT_EQ(ir::first_violation(graph), std::nullopt);
  std::string json;
  const ir::Module module{.functions = {{"main", graph}}};
  relay::write_module(module, [&](std::string_view piece) { json += piece; });
  EXPECT_EQ(ir::first_difference(module, relay::parse_module(json, "written")), std::nullopt);
  EXPECT_EQ(ir::first_difference(graph, ir::parse_graph(ir::to_text(graph))), std::nullopt);

  const std::vector<Tensor> reference = exec::run_reference(graph, inputs);
  const std::vector<Tensor> fast = run_program(graph, inputs);
  if (integers_may_differ(graph)) {
    ASSERT_EQ(reference.size(), fast.size());
  } else {
    expect_equal(reference, fast, 1e-4F);
  }
}

/// Signal to quantization noise over all float outputs, in dB.
double sqnr(const std::vector<Tensor>& wanted, const std::vector<Tensor>& found) {
  double signal = 0;
  double noise = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto left = wanted[i].data<float>();
    const auto right = found[i].data<float>();
    for (std::size_t k = 0; k < left.size(); ++k) {
      signal += double{left[k]} * left[k];
      noise += (double{left[k]} - right[k]) * (double{left[k]} - right[k]);
    }
  }
  return noise == 0 ? 200 : 10 * std::log10(signal / noise);
}

/// TVM passes a tuple that the quantized part takes as a field of another; the executors do not.
bool has_nested_tuple(const ir::Module& module) {
  for (const ir::Function& function : module.functions) {
    for (const ir::Node& node : function.graph.nodes()) {
      if (node.kind != ir::NodeKind::kTuple) continue;
      for (const NodeId field : node.inputs) {
        if (!std::holds_alternative<ir::TensorType>(function.graph[field].type)) return true;
      }
    }
  }
  return false;
}

/// The inputs of `graph` in the order of `other`, which has the same in another order:
/// TVM's partition_conversions sorts them by their first use.
std::vector<Tensor> by_name(const Graph& other, const Graph& graph,
                            const std::vector<Tensor>& inputs) {
  std::vector<Tensor> sorted;
  for (const NodeId wanted : other.inputs()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (graph[graph.inputs()[i]].name == other[wanted].name) sorted.push_back(inputs[i]);
    }
  }
  return sorted;
}

void expect_names_a_layer(const InputError& error) {
  const std::string text = error.what();
  EXPECT_TRUE(text.find('#') != std::string::npos || text.find('\'') != std::string::npos ||
              text.find("float32") != std::string::npos || text.find("int") != std::string::npos ||
              text.find("nothing to calibrate") != std::string::npos)
      << text;
}

/// Whether a pool has a window of nothing but padding, or the like: what comes of its lowest number
/// depends on the order of operations, and it cannot be calibrated.
bool not_finite(const Graph& graph, const std::vector<Tensor>& inputs) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].kind != ir::NodeKind::kCall ||
        !std::holds_alternative<ir::TensorType>(graph[id].type)) {
      continue;
    }
    Graph until = graph;
    until.set_output(id);
    const std::vector<Tensor> values = exec::run_reference(until, inputs);
    for (const float each : values[0].data<float>()) {
      // Also what a sum of many would overflow from.
      if (!(std::abs(each) < 1e30F)) return true;
    }
  }
  return false;
}

TEST(RandomNetworks, PreparedGraphsComputeWhatTheNetworkComputes) {
  for_each_seed([](std::uint32_t seed) {
    const RandomCase random = support::random_case(seed);
    ASSERT_EQ(ir::first_violation(random.graph), std::nullopt);
    const std::vector<Tensor> inputs = support::random_inputs(random.graph, seed);
    const std::vector<Tensor> expected = exec::run_reference(random.graph, inputs);
    if (not_finite(random.graph, inputs)) return;
    expect_equal(expected, run_program(random.graph, inputs), 1e-4F);
    NullLog log;
    // TVM's own folding of scales does not always keep the function.
    const Graph prepared =
        passes::prepare(random.graph, random.level, log, passes::ScaleFolding::kSafe);
    expect_equal(expected, exec::run_reference(prepared, inputs), 1e-3F);
    expect_equal(expected, run_program(prepared, inputs), 1e-3F);
  });
}

TEST(RandomNetworks, TvmSchemeGivesSoundGraphsOrNamesTheLayer) {
  int quantized_count = 0;
  for_each_seed([&](std::uint32_t seed) {
    const RandomCase random = support::random_case(seed);
    const std::vector<Tensor> inputs = support::random_inputs(random.graph, seed);
    NullLog log;
    const Graph prepared = passes::prepare(random.graph, random.level, log);
    if (not_finite(prepared, inputs)) return;
    try {
      const quant::AnnotatedGraph annotated = quant::annotate(prepared, random.options);
      ASSERT_EQ(ir::first_violation(annotated.graph), std::nullopt);
      // Before calibration, what marks quantization passes values through.
      const std::vector<Tensor> expected = exec::run_reference(prepared, inputs);
      expect_equal(expected, exec::run_reference(annotated.graph, inputs), 1e-5F);
      expect_equal(expected, run_program(annotated.graph, inputs), 1e-4F);

      support::RandomNumbers numbers(seed);
      std::vector<float> thresholds(quant::threshold_count(annotated),
                                    static_cast<float>(random.options.global_scale));
      if (numbers.once_in(2)) {
        for (float& each : thresholds) each = numbers.uniform(0.5F, 9.0F);
      }
      const Graph quantized = quant::realize(annotated, thresholds, random.options, log);
      expect_sound(quantized, inputs);
      ++quantized_count;

      const ir::Module module = quant::partition_conversions(quantized, random.options);
      if (module.functions.size() > 1 && !has_nested_tuple(module)) {
        expect_equal(exec::run_reference(quantized, inputs),
                     exec::run_reference(module, by_name(module.main(), quantized, inputs)), 0);
      }
    } catch (const InputError& error) {
      expect_names_a_layer(error);
    }
  });
  EXPECT_GT(quantized_count, static_cast<int>(setting("TVMQ_RANDOM_NETWORKS", 300) / 2));
}

quant::BatchSource samples(const Graph& graph) {
  return {.batches = 4,
          .load =
              [&graph](std::int64_t batch) {
                return support::random_inputs(graph, 1000 + static_cast<std::uint32_t>(batch));
              },
          .describe = [](std::int64_t batch) { return std::to_string(batch); }};
}

Graph quantize_to_integers(const quant::IntegerPlan& plan, const quant::IntegerOptions& options) {
  NullLog log;
  std::vector<quant::Interval> ranges;
  for (const auto& entry : quant::calibrate(plan.graph, plan.observed, samples(plan.graph),
                                            {.mode = quant::CalibMode::kMinMax, .threads = 1}, log)
                               .entries) {
    ranges.push_back({entry.min, entry.max});
  }
  return quant::realize_integer(plan, {.ranges = ranges}, options);
}

/// In dB. Of 6,000 networks one has less than 10: its last ReLU leaves next to nothing.
constexpr double kLeastSqnr = 3;

/// Is there something to compare with? Nothing can be said of outputs that hardly vary.
bool degenerate(const std::vector<Tensor>& outputs) {
  for (const Tensor& each : outputs) {
    float largest = 0;
    for (const float value : each.data<float>()) largest = std::max(largest, std::abs(value));
    if (!(largest > 1e-3F && largest < 1e6F)) return true;
  }
  return false;
}

TEST(RandomNetworks, IntegerSchemeGivesSoundGraphsCloseToTheNetwork) {
  for_each_seed([](std::uint32_t seed) {
    const RandomCase random = support::random_case(seed);
    NullLog log;
    const Graph prepared = passes::prepare_for_integers(random.graph, log);
    quant::IntegerOptions options{.weight_scale = random.options.weight_scale,
                                  .skip_dense_layer = random.options.skip_dense_layer};
    if (random.options.skip_conv_layers) {
      options.skip_conv_layers = *random.options.skip_conv_layers;
    }
    quant::IntegerPlan plan = quant::plan_integer(prepared, options);
    const std::vector<Tensor> inputs = *samples(prepared).load(0);
    const std::vector<Tensor> expected = exec::run_reference(random.graph, inputs);
    if (not_finite(prepared, inputs)) return;

    const Graph quantized = quantize_to_integers(plan, options);
    expect_sound(quantized, inputs);
    const double plain = sqnr(expected, exec::run_reference(quantized, inputs));

    const std::vector<NodeId> values = quant::equalizable(plan);
    const auto statistics =
        quant::observe_channels(plan.graph, values, samples(plan.graph),
                                {.title = "", .most_batches = 4, .threads = 1}, log);
    const Graph equalized = quant::equalize(plan, values, statistics, options);
    expect_equal(expected, exec::run_reference(equalized, inputs), 1e-3F);
    plan = quant::plan_integer(equalized, options);
    const Graph better = quantize_to_integers(plan, options);
    expect_sound(better, inputs);
    const double after = sqnr(expected, exec::run_reference(better, inputs));
    double wide = after;
    if (std::ranges::any_of(plan.layers, &quant::QuantizationSummary::Layer::quantized)) {
      options.wide_layers = {"*"};
      const Graph best = quantize_to_integers(quant::plan_integer(equalized, options), options);
      expect_sound(best, inputs);
      wide = sqnr(expected, exec::run_reference(best, inputs));
    }
    if (!degenerate(expected)) {
      EXPECT_GT(plain, kLeastSqnr);
      EXPECT_GT(after, kLeastSqnr);
      EXPECT_GT(wide, kLeastSqnr);
    }
  });
}

}  // namespace
}  // namespace tvmq
