// The float network and the quantized one on the same images, as the report shows it.
#pragma once

#include "analysis/quantized_network.h"
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

/// Adds the errors of layers and what saturates to a report that describe_layers() filled, measured
/// on a few of the same samples. Throws as verify_outputs() does.
void verify_layers(const analysis::QuantizedNetwork& network, Samples& samples,
                   const RunOptions& run, report::Report& report, Log& log);

/// Fills report.latency: both networks on the first sample that can be read. Throws as
/// verify_outputs() does.
void measure_times(const ir::Graph& bound, const ir::Module& quantized, Samples& samples,
                   report::Report& report);

}  // namespace tvmq::driver
