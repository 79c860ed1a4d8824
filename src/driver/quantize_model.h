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

namespace tvmq::driver {

struct RunOptions {
  std::filesystem::path config_file;  ///< relative paths are tried from its folder too
  int threads = 0;                    ///< 0: as many as the machine has; never changes the result
};

struct QuantizeResult {
  WrittenModel written;
  quant::QuantizationSummary summary;
};

/// Reads, prepares, annotates, calibrates, realizes, writes, and checks what was written.
/// Throws InputError for anything wrong with what the config names; nothing is written then.
QuantizeResult quantize_model(const Config& config, const RunOptions& run, Log& log);

}  // namespace tvmq::driver
