// Which operators behind a contraction become part of it. Internal to exec.
#pragma once

#include <span>

#include "exec/program_fuse.h"

namespace tvmq::exec {

/// Extends `step`, a float contraction whose result has its channels in dimension `axis`, by as
/// many of the following operators as possible. `position[value]` is the call at whose place a
/// value will be computed: what is added must be there before.
void absorb_epilogue(const ir::Graph& graph, const LiveValues& live,
                     std::span<const std::int64_t> position, std::size_t axis,
                     ContractionStep& step);

}  // namespace tvmq::exec
