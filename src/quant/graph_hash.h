// A fingerprint of a network, so that a file made for one network is not used with another.
#pragma once

#include <string>

#include "ir/graph.h"

namespace tvmq::quant {

/// 128 bits as 32 hexadecimal digits over everything that defines the network: operators,
/// attributes, constants, operand order, sharing, inputs, outputs. Layer names, inferred types and
/// node numbers do not count (as in ir::first_difference). The same on every machine. Tells
/// networks apart that differ by accident, not ones that somebody made collide.
std::string graph_hash(const ir::Graph& graph);

}  // namespace tvmq::quant
