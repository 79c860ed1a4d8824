// Is the network that is to be quantized worth it?
#pragma once

#include "base/log.h"
#include "driver/quantize_model.h"
#include "ir/graph.h"
#include "quant/calibrate.h"

namespace tvmq::driver {

/// Runs the float network on the first batches of `source`. InputError, naming the output and the
/// images: NaN or infinity in an output; float outputs that are bit for bit the same for samples
/// that differ. Batches that cannot be read are left out.
void check_float_outputs(const ir::Graph& bound, const quant::BatchSource& source,
                         const RunOptions& run, Log& log);

}  // namespace tvmq::driver
