#include "driver/make_report.h"

#include <utility>

#include "ir/cost.h"
#include "report/html.h"

namespace tvmq::driver {
namespace {

report::Model model_of(const ir::Graph& bound, const ModelPaths& paths, const Config& config) {
  report::Model model{
      .name = config.model.name, .json = paths.json.string(), .params = paths.params.string()};
  for (const ir::NodeId id : bound.inputs()) {
    const auto* type = std::get_if<ir::TensorType>(&bound[id].type);
    if (type == nullptr) continue;
    model.inputs.push_back({.name = bound[id].name,
                            .shape = type->shape,
                            .dtype = std::string(ir::dtype_name(type->dtype))});
  }
  model.weights = ir::constant_elements(bound);
  return model;
}

}  // namespace

report::Report begin_report(const ir::Graph& bound, const ModelPaths& paths, const Config& config,
                            const RunOptions& run, const QuantizeResult& result) {
  report::Report report;
  report.program = "quantization_tvm " TVMQ_VERSION;
  report.model = model_of(bound, paths, config);
  report.configuration = run.settings;
  report.scheme = config.quantization.scheme == Scheme::kTvm ? "tvm" : "integer";
  report.sizes = {.float_json = static_cast<std::int64_t>(bytes_on_disk(paths.json)),
                  .float_params = static_cast<std::int64_t>(bytes_on_disk(paths.params)),
                  .integer_json = static_cast<std::int64_t>(result.written.json_bytes),
                  .integer_params = static_cast<std::int64_t>(result.written.params_bytes)};
  return report;
}

void write_reports(const report::Report& report, const WrittenModel& written) {
  report::write_json(report, written.report_json);
  report::write_html(report, written.report_html);
}

}  // namespace tvmq::driver
