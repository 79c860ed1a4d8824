// What the program does with a network before it needs samples.
#pragma once

#include "ir/graph.h"

namespace tvmq::fuzz {

/// Types, the memory it would take, the passes of both schemes and their plans. Networks of more
/// than a few hundred nodes or a few megabytes are let go: the same code, only slower.
void prepare_and_plan(ir::Graph graph);

}  // namespace tvmq::fuzz
