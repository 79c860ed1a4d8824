// From what a run did to the report of it.
#pragma once

#include <filesystem>

#include "driver/config.h"
#include "driver/model_files.h"
#include "driver/quantize_model.h"
#include "ir/graph.h"
#include "report/report.h"

namespace tvmq::driver {

struct ModelPaths {
  std::filesystem::path json;
  std::filesystem::path params;
};

/// What is known of the model and its files; report_layers.h and verify_outputs.h add the rest.
report::Report begin_report(const ir::Graph& bound, const ModelPaths& paths, const Config& config,
                            const RunOptions& run, const QuantizeResult& result);

/// `<Name>.report.json` and `<Name>.report.html` beside the model.
void write_reports(const report::Report& report, const WrittenModel& written);

}  // namespace tvmq::driver
