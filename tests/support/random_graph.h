// Small networks of the layers that CNNs are made of, wired at random.
#pragma once

#include "ir/graph.h"
#include "support/random_numbers.h"

namespace tvmq::support {

/// Convolutions (grouped, depthwise, dilated, strided, NCHW and NHWC), matrix products, biases,
/// batch normalisation, sums and products with constants on either side and of two branches,
/// activations, pools, concatenations, splits, slices, pads, reshapes and transposes; one or two
/// inputs, one or two outputs, shared values and shared weights. Typed; the same numbers give the
/// same network on every machine.
ir::Graph random_graph(RandomNumbers& random);

}  // namespace tvmq::support
