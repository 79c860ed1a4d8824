// The program: one Config in, one quantized model out.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "driver/config.h"
#include "driver/model_files.h"
#include "quant/summary.h"
#include "report/report.h"

namespace tvmq::driver {

struct RunOptions {
  std::filesystem::path config_file;  ///< relative paths are tried from its folder too
  int threads = 0;                    ///< 0: as many as the machine has; never changes the result
  Settings settings = {};             ///< goes into the report as it is
};

struct QuantizeResult {
  WrittenModel written;
  quant::QuantizationSummary summary;
  report::Report report;  ///< as written beside the model; report.verdict says if it is any good
};

/// Reads, prepares, annotates, calibrates, realizes, writes, checks what was written, and reports:
/// `<Name>.json`, `<Name>.params`, `<Name>.report.json`, `<Name>.report.html`.
/// Throws InputError for anything wrong with what the config names; nothing is written then. A
/// result that is bad is written, too: the report says so.
QuantizeResult quantize_model(const Config& config, const RunOptions& run, Log& log);

}  // namespace tvmq::driver
