// The float network and the quantized one on the same images, as the report shows it.
#pragma once

#include "base/log.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"
#include "report/report.h"

namespace tvmq::driver {

/// Fills report.verification and report.accuracy. Throws InputError if there are no samples, or if
/// this program cannot run one of the networks: then the result is unchecked, not wrong.
void verify_outputs(const ir::Graph& bound, const ir::Module& quantized, Samples& samples,
                    const RunOptions& run, report::Report& report, Log& log);

}  // namespace tvmq::driver
