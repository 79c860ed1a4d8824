// The program without its files: what it does with a network, from types to the quantized module.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace tvmq::fuzz {

/// What both schemes make of the network, and the integer one with 16-bit inputs of all layers,
/// calibrated on made-up samples and run once. Each is written, read back and compared on the way.
/// A scheme that ends in an InputError gives nothing; so does a network of more than a few hundred
/// nodes or a few megabytes: the same code, slower.
/// Throws InputError for a network that cannot be typed or that takes too much memory.
std::vector<ir::Module> quantize_in_memory(ir::Graph graph);

}  // namespace tvmq::fuzz
