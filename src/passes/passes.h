// Float graph to equivalent float graph: the passes that TVM runs before its quantizer
// (relay_quantize.md 2), with TVM's results node for node and constant for constant.
//
// Every pass takes a typed graph (ir/infer_types.h) and returns a new, typed, compact one. What a
// pass does not touch stays the same node, and a node is built anew only where something below it
// changed: sharing in the result is TVM's sharing. Passes look only at nodes that the output
// reaches. They throw nothing for a well-typed graph; where TVM v0.19 aborts, they leave the place
// as it is. The order that makes sense is in passes/pipeline.h.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace tvmq::passes {

/// Normalisation and dropout as the arithmetic that they are at inference:
///
///   batch_norm(x, gamma, beta, mean, var).0
///     ->  s = 1 / sqrt(var + eps) * gamma;  x * expand_dims(s) + expand_dims(-mean * s + beta)
///   dropout(x).0      ->  x
///   layer_norm(x, g, b)     ->  (x - mean(x)) / sqrt(variance(x) + eps) * g + b
///   instance_norm, group_norm, l2_normalize: likewise, see the .cpp
///
/// A batch_norm or dropout stays where a field other than 0 of its result is used. Float16 and
/// operands of unknown type stay as they are.
ir::Graph simplify_inference(const ir::Graph& graph);

/// Calls on constants become constants, one reference kernel at a time (one rounding per
/// operation):
///
///   x * sqrt([4.0]), (a, b).1   ->  x * [2.0], b
///
/// Not folded: calls without arguments (zeros), qnn operators, opaque operators except shape_of and
/// ndarray_size of a known shape, calls whose value does not exist (division by integer zero), and
/// results out of proportion to the model (see the .cpp).
ir::Graph fold_constant(const ir::Graph& graph);

/// What the scale-folding passes do where TVM's own result is another function than before.
enum class ScaleFolding : std::uint8_t {
  /// TVM's graph, mistakes included: a scale of 0 becomes a divisor (inf, NaN), a negative scale
  /// passes the relu on the right of an addition, the middle axis of a dense on 3-d data counts as
  /// its channels, a computed scale makes a computed weight.
  kAsTvm,
  /// Only folds that keep the function, only scales that are constants, and no divisors of very
  /// different size (they would make channels of very different ranges).
  kSafe,
};

/// A per-channel scale behind a conv2d, conv3d or dense moves into its weight, through relu,
/// leaky_relu (positive scales only), add, subtract and bias_add, if every value on the way has one
/// consumer:
///
///   relu(conv2d(x, w) + b) * s   ->   relu(conv2d(x, w * expand_dims(s)) + b * s)
///
/// Not through clip, concatenate, pooling; not into grouped convolutions other than depthwise ones
/// with one filter per channel, nor into weights of partly blocked layouts.
/// Run fold_constant before (scales are looked at) and after (weights become constants again).
ir::Graph backward_fold_scale_axis(const ir::Graph& graph,
                                   ScaleFolding folding = ScaleFolding::kAsTvm);

/// A per-channel scale before convolutions and dense layers moves into their weights, through the
/// same operators except bias_add, if all consumers of every value on the way can take it:
///
///   conv2d(relu(x * s + b), w)   ->   conv2d(relu(x + b / s), w * expand_dims(s))
///
/// Must run after backward_fold_scale_axis, which is the better of the two for conv-bn-relu-conv.
ir::Graph forward_fold_scale_axis(const ir::Graph& graph,
                                  ScaleFolding folding = ScaleFolding::kAsTvm);

/// bias_add(x, b, axis)  ->  x + expand_dims(b). Must run after the scale-folding passes, which
/// know bias_add.
ir::Graph canonicalize_ops(const ir::Graph& graph);

/// Convolutions on NHWC become convolutions on NCHW with OIHW weights, and what lies between them
/// follows: pooling, elementwise steps, concatenation, padding, means over height and width.
///
///   conv2d(x, w) {NHWC, HWIO}
///     ->  transpose(conv2d(transpose(x, [0, 3, 1, 2]), transpose(w, [3, 2, 0, 1])), [0, 2, 3, 1])
///
/// Inputs and outputs of the network keep their layout; so does every step not named above, between
/// transposes. A transpose between the two layouts vanishes where both forms are there. Other
/// layouts, and depthwise weights with several filters per channel, stay. Run fold_constant after
/// (weights become constants again).
ir::Graph convert_layout(const ir::Graph& graph);

}  // namespace tvmq::passes
