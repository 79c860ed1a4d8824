#include "driver/quantize_model.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "base/error.h"
#include "driver/check_preprocessing.h"
#include "driver/log_result.h"
#include "driver/make_report.h"
#include "driver/report_layers.h"
#include "driver/run_scheme.h"
#include "driver/samples.h"
#include "driver/verdict.h"
#include "driver/verify_result.h"

namespace tvmq::driver {
namespace {

void log_model(const ir::Graph& graph, const Config& config, Log& log) {
  std::int64_t weights = 0;
  std::map<std::string_view, int> layers;
  for (const ir::Node& node : graph.nodes()) {
    if (node.is_constant()) weights += node.value.size();
    if (node.kind == ir::NodeKind::kCall &&
        (node.op == ir::Op::kConv2D || node.op == ir::Op::kDense)) {
      ++layers[node.op_name()];
    }
  }
  std::string inputs;
  for (const ir::NodeId id : graph.inputs()) {
    inputs += fmt::format("{}{}: {}", inputs.empty() ? "" : ", ", graph[id].name,
                          ir::to_string(graph[id].type));
  }
  std::string counts;
  for (const auto& [name, count] : layers) counts += fmt::format(", {} {}", count, name);
  log.info(fmt::format("{}: input {}; {:.2f} M weights{}", config.model.name, inputs,
                       static_cast<double>(weights) / 1e6, counts));
}

}  // namespace

QuantizeResult quantize_model(const Config& config, const RunOptions& run, Log& log) {
  const std::filesystem::path json = resolve(config.model.model_json, run.config_file);
  const std::filesystem::path params = resolve(config.model.weights_params, run.config_file);
  const ir::Graph graph = load_model(json, params);
  log_model(graph, config, log);
  Samples samples(graph, config, run, log);
  check_preprocessing(graph, samples, config, run, log);

  SchemeResult scheme = config.quantization.scheme == Scheme::kTvm
                            ? run_tvm_scheme(graph, samples, config, run, log)
                            : run_integer_scheme(graph, samples, config, run, log);
  // Before anything is written: what is not worth quantizing is refused here.
  const VerifiedOutputs outputs = verify_outputs(graph, scheme.module, samples, run, log);
  QuantizeResult result;
  result.summary = std::move(scheme.summary);
  log.throw_if_stopped();
  result.written =
      write_model(scheme.module, config.quantization.output_directory, config.model.name);
  if (scheme.plan) {
    quant::write_accuracy_plan(*scheme.plan);
    log.info(fmt::format("accuracy control: the plan is kept in {}", scheme.plan->file.string()));
  }

  report::Report& report = result.report;
  report = begin_report(graph, {.json = json, .params = params}, config, run, result);
  report.calibration = std::move(scheme.calibration);
  report.accuracy_control = std::move(scheme.accuracy_control);
  describe_layers(scheme.network, result.summary, scheme.table, report);
  std::string unchecked;
  try {
    add_outputs(outputs, samples, report);
    verify_layers(scheme.network, samples, run, report, log);
    measure_times(graph, scheme.module, samples, report);
  } catch (const InputError& error) {
    unchecked = error.what();
  }
  report.verdict = judge(report, config, unchecked);

  log_verdict(report, log);
  log_summary(result.summary, log);
  write_reports(report, result.written);
  log.info(fmt::format("written: {} ({:.2f} MB), {}", result.written.json.string(),
                       static_cast<double>(result.written.json_bytes) / 1e6,
                       result.written.params.string()));
  return result;
}

}  // namespace tvmq::driver
