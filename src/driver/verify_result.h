// The float network and the quantized one on the same images, as the report shows it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analysis/compare_outputs.h"
#include "analysis/quantized_network.h"
#include "base/log.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"
#include "report/report.h"

namespace tvmq::driver {

/// What both networks made of the same samples, or why nobody knows.
struct VerifiedOutputs {
  std::optional<analysis::OutputComparison> comparison;
  std::string_view origin;  ///< of the samples, as VerificationSamples::origin
  std::string unchecked;    ///< the reason; empty if there is a comparison
};

/// Unchecked if there are no samples, or if this program cannot run one of the networks: then the
/// result is not wrong for that.
/// Throws InputError if the float network is not worth quantizing (FloatOutputCheck).
VerifiedOutputs verify_outputs(const ir::Graph& bound, const ir::Module& quantized,
                               Samples& samples, const RunOptions& run, Log& log);

/// Fills report.verification and report.accuracy. Throws InputError if `outputs` are unchecked.
void add_outputs(const VerifiedOutputs& outputs, const Samples& samples, report::Report& report);

/// Adds the errors of layers and what saturates to a report that describe_layers() filled, measured
/// on a few of the same samples. Throws InputError if this program cannot run the network.
void verify_layers(const analysis::QuantizedNetwork& network, Samples& samples,
                   const RunOptions& run, report::Report& report, Log& log);

/// Fills report.latency: both networks on the first sample that can be read. Throws InputError if
/// this program cannot run one of them.
void measure_times(const ir::Graph& bound, const ir::Module& quantized, Samples& samples,
                   report::Report& report);

}  // namespace tvmq::driver
