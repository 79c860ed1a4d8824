// The part of a report that goes layer by layer and value by value.
#pragma once

#include "analysis/layer_errors.h"
#include "analysis/quantized_network.h"
#include "quant/calibration_table.h"
#include "quant/summary.h"
#include "report/report.h"

namespace tvmq::driver {

/// report.layers, report.activations, report.graph, report.operations and model.macs from what is
/// known without running anything. `table` has one entry per network.stored, or none.
void describe_layers(const analysis::QuantizedNetwork& network,
                     const quant::QuantizationSummary& summary,
                     const quant::CalibrationTable& table, report::Report& report);

/// Adds what was measured to what describe_layers() made.
void add_layer_errors(const analysis::LayerErrors& errors, report::Report& report);

/// The bins of an entry that its values lie in, joined so that there are at most
/// report::kMostHistogramBins; nothing without a histogram.
std::optional<report::Histogram> coarse_histogram(const quant::CalibrationEntry& entry);

}  // namespace tvmq::driver
