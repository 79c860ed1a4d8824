// The error that a layer makes if it alone works on rounded operands, at some positions of its
// output.
//
// A convolution is linear in both operands: with rounded input x + dx and weight w + dw
//
//   only the weight rounded:   dw * x
//   only the input rounded:    w * dx
//   both:                      dw * x + w * dx + dw * dx
//
// so that three products of patches, at a few positions, tell all three errors, without running the
// network again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/quantized_network.h"
#include "exec/program.h"
#include "ir/graph.h"

namespace tvmq::analysis {

/// Each [position][output channel].
struct OperandErrors {
  std::vector<float> weight;
  std::vector<float> activation;
  std::vector<float> both;
};

/// `input` is the view of rounding.input, `positions` are of the layer's output (sampling.h).
/// REQUIRES: has_channels_in_front() of the input, and a layer that has a rounding.
OperandErrors operand_errors(const ir::Graph& graph, ir::NodeId layer,
                             const OperandRounding& rounding, const exec::TapView& input,
                             std::span<const std::int64_t> positions);

}  // namespace tvmq::analysis
