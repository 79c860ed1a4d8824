// What the two scale-folding passes have in common: the message that travels through the graph, how
// a scale lies along the channels of a tensor, and which axes of a weight are its channels.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"
#include "passes/passes.h"

namespace tvmq::passes {

/// "A scale along these axes of this value can be taken away", sent by the layers that could absorb
/// it. Two axes only where channels are blocked (NCHW16c).
struct ScaleMessage {
  ir::IntList axes;            ///< ascending
  bool positive_only = false;  ///< a relu lies between
  bool as_divisor = false;     ///< something will be divided by the scale
};

/// The axes of `right` that are dropped to leave only what lies along `axes` of `left`, if `right`
/// broadcasts onto `left` and varies along those axes alone; else nothing.
std::optional<ir::IntList> axes_to_squeeze(const ir::TensorType& left, const ir::TensorType& right,
                                           const ir::IntList& axes);

/// `right`, a value of type `right_type`, as a scale with one dimension per axis of `axes`
/// (squeezed, or repeated if it is a single number); nothing if it varies along other axes.
/// Appends to `graph`.
std::optional<ir::NodeId> scale_along_axes(ir::Graph& graph, const ir::TensorType& left,
                                           const ir::TensorType& right_type,
                                           const ir::IntList& axes, ir::NodeId right);

/// The inverse: `scale` shaped for broadcasting onto a tensor of `shape` along `axes`.
ir::NodeId scale_for_broadcast(ir::Graph& graph, ir::NodeId scale, const ir::Shape& shape,
                               const ir::IntList& axes);

/// Whether a message allows this scale, which may lie behind reshaping calls: TVM's
/// IsAllPositiveConstant (zero counts as positive) where positive_only, and what kSafe asks for.
bool allows(const ScaleMessage& message, const ir::Graph& graph, ir::NodeId scale,
            ScaleFolding folding);

/// A conv2d, conv3d or dense that can absorb a scale into its weight.
struct Absorber {
  ir::IntList data_axes;           ///< its input's channels; empty: takes no scale from there
  ir::IntList output_axes;         ///< its output's channels; empty likewise
  ir::IntList weight_input_axes;   ///< of the weight, where a scale of its input goes
  ir::IntList weight_output_axes;  ///< of the weight, where a scale of its output goes
};

/// Nothing for other operators, for grouped convolutions other than depthwise with one filter per
/// channel, for layouts that block only some of their channel axes, and where TVM's rewrite would
/// not be well typed.
std::optional<Absorber> absorber(const ir::Graph& graph, ir::NodeId id, ScaleFolding folding);

/// weight * scale, along `axes` of a weight of type `type`.
ir::NodeId scaled_weight(ir::Graph& graph, ir::NodeId weight, const ir::TensorType& type,
                         const ir::IntList& axes, ir::NodeId scale);

}  // namespace tvmq::passes
