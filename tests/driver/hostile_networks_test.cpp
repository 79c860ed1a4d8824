// Networks that are well formed and hold numbers that make no sense: NaN and infinity in weights
// and activations, scales of zero, tensors without elements. Each is refused by name, or computed;
// what both executors do with them is defined (scripts/sanitizers.sh runs this).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "analysis/latency.h"
#include "base/error.h"
#include "base/log.h"
#include "driver/check_float_outputs.h"
#include "exec/program.h"
#include "exec/reference_executor.h"
#include "ir/infer_types.h"
#include "ir/text.h"
#include "passes/pipeline.h"
#include "quant/calibrate.h"
#include "quant/integer_scheme.h"
#include "quant/interval.h"
#include "quant/tvm_scheme.h"

namespace tvmq::driver {
namespace {

using testing::HasSubstr;

struct Case {
  const char* name;
  const char* text;
  const char* message;  ///< a part of what quantizing it ends in; "none" if it succeeds
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

quant::BatchSource samples_of(const ir::Graph& graph) {
  return {.batches = 2,
          .load = [inputs = analysis::made_up_inputs(graph)](std::int64_t) { return inputs; },
          .describe = [](std::int64_t batch) { return "batch " + std::to_string(batch); }};
}

/// By both executors.
void run(const ir::Graph& graph) {
  const std::vector<ir::Tensor> inputs = analysis::made_up_inputs(graph);
  exec::run_reference(graph, inputs);
  exec::Session(std::make_shared<const exec::Program>(graph)).run(inputs);
}

void quantize(const ir::Graph& graph) {
  NullLog log;
  const quant::BatchSource samples = samples_of(graph);
  const quant::IntegerOptions options;
  const quant::IntegerPlan plan =
      quant::plan_integer(passes::prepare_for_integers(graph, log), options);
  quant::IntegerParameters parameters;
  for (const auto& entry :
       quant::calibrate(plan.graph, plan.observed, samples,
                        {.mode = quant::CalibMode::kMse, .keep_histograms = true}, log)
           .entries) {
    parameters.ranges.push_back(quant::interval_of(entry, quant::CalibMode::kMse, 8));
  }
  run(quant::realize_integer(plan, parameters, options));
  check_float_outputs(graph, samples, {.config_file = {}, .threads = 1, .settings = {}}, log);

  const quant::TvmQuantizeOptions tvm{.skip_conv_layers = std::vector<int>{},
                                      .skip_dense_layer = false};
  const quant::AnnotatedGraph annotated =
      quant::annotate(passes::prepare(graph, passes::TvmOptLevel::k2, log), tvm);
  const std::vector<float> thresholds(quant::threshold_count(annotated), 1.0F);
  run(quant::realize(annotated, thresholds, tvm, log));
}

std::string outcome(const char* text) {
  try {
    ir::Graph graph = ir::parse_graph(text);
    ir::infer_types(graph);
    run(graph);
    quantize(graph);
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

class HostileNetworks : public testing::TestWithParam<Case> {};

TEST_P(HostileNetworks, AreRefusedByNameOrComputed) {
  EXPECT_THAT(outcome(GetParam().text), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Weights, HostileNetworks,
    testing::Values(
        Case{"nan",
             "graph(%x: float32(1, 4)) { %w = constant float32(2, 4) [1, 2, nan, 4, 5, 6, 7, 8] "
             "%r = nn.dense(%x, %w) {units = 2} \"fc\" return %r }",
             "NaN or infinity"},
        Case{"infinity",
             "graph(%x: float32(1, 4)) { %w = constant float32(2, 4) [1, 2, inf, 4, 5, 6, 7, 8] "
             "%r = nn.dense(%x, %w) {units = 2} \"fc\" return %r }",
             "NaN or infinity"},
        Case{"zero",
             "graph(%x: float32(1, 4)) { %w = constant float32(2, 4) splat 0 "
             "%r = nn.dense(%x, %w) {units = 2} \"fc\" return %r }",
             "none"},
        Case{"largest",
             "graph(%x: float32(1, 4)) { %w = constant float32(2, 4) splat 3.4028235e38 "
             "%r = nn.dense(%x, %w) {units = 2} \"fc\" return %r }",
             "NaN or infinity"},
        Case{"denormal",
             "graph(%x: float32(1, 4)) { %w = constant float32(2, 4) splat 1e-45 "
             "%r = nn.dense(%x, %w) {units = 2} \"fc\" return %r }",
             "none"},
        Case{"batch norm of variance -1",
             "graph(%x: float32(1, 2, 4, 4)) { %w = constant float32(2, 2, 1, 1) splat 1 "
             "%c = nn.conv2d(%x, %w) {kernel_size = [1, 1], channels = 2} "
             "%g = constant float32(2) splat 1 %v = constant float32(2) splat -1 "
             "%b = nn.batch_norm(%c, %g, %g, %g, %v) %r = field 0 of(%b) return %r }",
             "NaN or infinity"}));

INSTANTIATE_TEST_SUITE_P(
    Activations, HostileNetworks,
    testing::Values(
        Case{
            "logarithm of what is negative",
            "graph(%x: float32(1, 4)) { %l = log(%x) \"the log\" %w = constant float32(2, 4) splat "
            "1 %r = nn.dense(%l, %w) {units = 2} return %r }",
            "NaN or infinity"},
        Case{"exponential of what is large",
             "graph(%x: float32(1, 4)) { %c = constant float32() [1e5] %m = multiply(%x, %c) "
             "%m2 = abs(%m) %e = exp(%m2) %w = constant float32(2, 4) splat 1 "
             "%r = nn.dense(%e, %w) {units = 2} return %r }",
             "NaN or infinity"},
        Case{"cast of what no integer holds",
             "graph(%x: float32(1, 4)) { %c = constant float32() [1e30] %m = multiply(%x, %c) "
             "%i = cast(%m) {dtype = int8} %f = cast(%i) {dtype = float32} return %f }",
             ""},
        Case{"integer division by zero",
             "graph(%x: int32(1, 4)) { %c = constant int32() [0] %d = divide(%x, %c) \"the "
             "division\" "
             "return %d }",
             "the division"},
        Case{"shift by more than there are bits",
             "graph(%x: int32(1, 4)) { %c = constant int32() [77] %d = left_shift(%x, %c) "
             "%e = right_shift(%d, %c) return %e }",
             ""},
        Case{"the smallest integer by -1",
             "graph(%x: int32(1)) { %m = constant int32() [-2147483648] %c = constant int32() [-1] "
             "%d = divide(%m, %c) %a = add(%d, %x) %b = abs(%m) %r = subtract(%a, %b) return %r }",
             ""}));

/// Planned and emitted with made-up ranges, since nothing can run them.
TEST(HostileNetworks, OperatorsThatNobodyKnows) {
  for (const char* text :
       {"graph(%x: float32(1, 4)) { %o = opaque \"no.such\"() %w = constant float32(2, 4) splat "
        "1 "
        "%r = nn.dense(%x, %w) {units = 2} %s = add(%r, %o) return %s }",
        "graph(%x: float32(1, 4)) { %w = constant float32(2, 4) splat 1 "
        "%d = nn.dense(%x, %w) {units = 2} %o = opaque \"no.such\"(%d) "
        "%c = constant float32() [2] %m = multiply(%o, %c) %r = nn.relu(%m) return %r }"}) {
    NullLog log;
    ir::Graph graph = ir::parse_graph(text);
    ir::infer_types(graph);
    const quant::IntegerPlan plan =
        quant::plan_integer(passes::prepare_for_integers(graph, log), {});
    const std::vector<quant::Interval> ranges(plan.observed.size(), {-1, 1});
    EXPECT_TRUE(quant::realize_integer(plan, {.ranges = ranges}, {}).has_output());
  }
}

#define TVMQ_QUANTIZED(scale, zero)                                                             \
  "graph(%x: float32(1, 4)) { %s = constant float32() [" scale "] %z = constant int32() [" zero \
  "] %q = qnn.quantize(%x, %s, %z) {out_dtype = uint8} "                                        \
  "%i = cast(%q) {dtype = int32} "                                                              \
  "%t = qnn.requantize(%i, %s, %z, %s, %z) {out_dtype = int8} "                                 \
  "%a = qnn.add(%q, %q, %s, %z, %s, %z, %s, %z) "                                               \
  "%d = qnn.dequantize(%a, %s, %z) {out_dtype = float32} "                                      \
  "%e = qnn.dequantize(%t, %s, %z) {out_dtype = float32} %r = add(%d, %e) return %r }"

INSTANTIATE_TEST_SUITE_P(Scales, HostileNetworks,
                         testing::Values(Case{"one", TVMQ_QUANTIZED("1", "0"), ""},
                                         Case{"zero", TVMQ_QUANTIZED("0", "0"), ""},
                                         Case{"negative", TVMQ_QUANTIZED("-1", "0"), ""},
                                         Case{"nan", TVMQ_QUANTIZED("nan", "0"), ""},
                                         Case{"infinity", TVMQ_QUANTIZED("inf", "0"), ""},
                                         Case{"denormal", TVMQ_QUANTIZED("1e-45", "0"), ""},
                                         Case{"zero point", TVMQ_QUANTIZED("1", "2147483647"), ""},
                                         Case{"zero point below",
                                              TVMQ_QUANTIZED("1e30", "-2147483648"), ""}));

INSTANTIATE_TEST_SUITE_P(
    WithoutElements, HostileNetworks,
    testing::Values(
        Case{"dense",
             "graph(%x: float32(0, 4)) { %w = constant float32(2, 4) splat 1 "
             "%r = nn.dense(%x, %w) {units = 2} return %r }",
             "no elements"},
        Case{"dense of nothing",
             "graph(%x: float32(2, 0)) { %w = constant float32(2, 0) [] "
             "%r = nn.dense(%x, %w) {units = 2} return %r }",
             ""},
        Case{"convolution",
             "graph(%x: float32(0, 2, 4, 4)) { %w = constant float32(2, 2, 1, 1) splat 1 "
             "%r = nn.conv2d(%x, %w) {kernel_size = [1, 1], channels = 2} return %r }",
             "no elements"},
        Case{"convolution of no channels",
             "graph(%x: float32(1, 0, 4, 4)) { %w = constant float32(2, 0, 1, 1) [] "
             "%r = nn.conv2d(%x, %w) {kernel_size = [1, 1], channels = 2} return %r }",
             ""},
        Case{"batch product",
             "graph(%x: float32(0, 2, 2), %y: float32(0, 2, 2)) { %r = nn.batch_matmul(%x, %y) "
             "return %r }",
             ""},
        Case{"mean", "graph(%x: float32(2, 0)) { %r = mean(%x) {axis = [1]} return %r }", ""},
        Case{"largest", "graph(%x: float32(2, 0)) { %r = max(%x) {axis = [1]} return %r }", ""},
        Case{"softmax", "graph(%x: float32(2, 0)) { %r = nn.softmax(%x) return %r }", ""},
        Case{"pool",
             "graph(%x: float32(1, 0, 4, 4)) { %r = nn.max_pool2d(%x) {pool_size = [2, 2]} "
             "return %r }",
             ""},
        Case{"elementwise", "graph(%x: float32(0)) { %y = add(%x, %x) %r = nn.relu(%y) return %r }",
             ""},
        Case{"concatenation",
             "graph(%x: float32(1, 0)) { %t = tuple(%x, %x) %r = concatenate(%t) {axis = 1} "
             "return %r }",
             ""}));

}  // namespace
}  // namespace tvmq::driver
