#include "driver/quantize_model.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "driver/run_scheme.h"

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

void log_summary(const quant::QuantizationSummary& summary, Log& log) {
  std::size_t quantized = 0;
  std::map<std::string, std::vector<std::string>> float_by_reason;
  for (const auto& layer : summary.layers) {
    if (layer.quantized) {
      ++quantized;
      log.debug(fmt::format("  integer: {}", layer.name));
    } else {
      float_by_reason[layer.reason].push_back(layer.name);
    }
  }
  log.info(fmt::format(
      "integer: {} of {} layers; of the operators {} work on integers, {} on floats", quantized,
      summary.layers.size(), summary.integer_operators, summary.float_operators));
  constexpr std::size_t kNamesShown = 4;
  for (const auto& [reason, names] : float_by_reason) {
    std::string shown;
    for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
      shown += (i > 0 ? ", " : "") + names[i];
    }
    if (names.size() > kNamesShown) {
      shown += fmt::format(" and {} more", names.size() - kNamesShown);
      for (const std::string& name : names) log.debug(fmt::format("  float: {}", name));
    }
    log.info(fmt::format("float: {} ({})", shown, reason));
  }
}

}  // namespace

QuantizeResult quantize_model(const Config& config, const RunOptions& run, Log& log) {
  const ir::Graph graph = load_model(resolve(config.model.model_json, run.config_file),
                                     resolve(config.model.weights_params, run.config_file));
  log_model(graph, config, log);

  const SchemeResult scheme = config.quantization.scheme == Scheme::kTvm
                                  ? run_tvm_scheme(graph, config, run, log)
                                  : run_integer_scheme(graph, config, run, log);
  log_summary(scheme.summary, log);

  QuantizeResult result{.written = write_model(scheme.module, config.quantization.output_directory,
                                               config.model.name),
                        .summary = scheme.summary};
  log.info(fmt::format("written: {} ({:.2f} MB), {}", result.written.json.string(),
                       static_cast<double>(result.written.json_bytes) / 1e6,
                       result.written.params.string()));
  return result;
}

}  // namespace tvmq::driver
