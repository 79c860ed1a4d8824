// One function per Scheme: float graph in, quantized module out.
#pragma once

#include "base/log.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"
#include "quant/summary.h"
#include "report/report.h"

namespace tvmq::driver {

struct SchemeResult {
  ir::Module module;
  quant::QuantizationSummary summary;
  report::Calibration calibration;
};

/// The graph that tvm.relay.quantize builds for the same options (quant/tvm_scheme.h).
SchemeResult run_tvm_scheme(const ir::Graph& bound, Samples& samples, const Config& config,
                            const RunOptions& run, Log& log);

/// Our own: per-channel weights, uint8 activations (quant/integer_scheme.h).
SchemeResult run_integer_scheme(const ir::Graph& bound, Samples& samples, const Config& config,
                                const RunOptions& run, Log& log);

}  // namespace tvmq::driver
