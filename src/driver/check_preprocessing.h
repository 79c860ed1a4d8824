// Looks at what the network is going to be given before time is spent on it: the commonest reason
// for a bad result is preprocessing that is not the one that the network was trained with.
//
//   inputs      nearly constant (normalised twice), beyond what any network is trained on, raw
//   pixels first layer its outputs against the statistics that a batch normalisation behind it
//   remembers labels      an accuracy near chance; a much better one with the channels in the other
//   order
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "driver/samples.h"
#include "ir/graph.h"

namespace tvmq::driver {

/// What is suspicious, a sentence each with what to change in the configuration; empty if nothing
/// is. Also written to the log, as warnings. Of images only: arrays are used as they are.
/// Does nothing if neither labels nor images are given, or the calibration is in a cache already.
/// Throws InputError: samples that cannot be opened.
std::vector<std::string> check_preprocessing(const ir::Graph& bound, Samples& samples,
                                             const Config& config, const RunOptions& run, Log& log);

}  // namespace tvmq::driver
