// Some elements of a tapped value, the same ones however the value lies in memory.
//
// Errors of layers need not look at every pixel. A position is a place n * inner + i in the batch
// and the plane, with all its channels; positions are spread evenly and differ from batch to batch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "exec/program.h"

namespace tvmq::analysis {

/// `most` different positions of `total`, all if there are no more; the same for the same batch.
std::vector<std::int64_t> sample_positions(std::int64_t total, std::int64_t most,
                                           std::int64_t batch);

/// The positions that a value of a layer has: the elements of one channel.
std::int64_t position_count(const exec::TapView& view);

/// Whether the channels of the view are those of dimension 1, of a value of `shape`: what the
/// functions below want. Not so for values that lie in memory with their last dimension innermost.
bool has_channels_in_front(const exec::TapView& view, const ir::Shape& shape);

/// [position][channel]. REQUIRES: positions < position_count(view).
std::vector<float> gather(const exec::TapView& view, std::span<const std::int64_t> positions);

}  // namespace tvmq::analysis
