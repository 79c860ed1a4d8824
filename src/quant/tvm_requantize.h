// Integers from one scale to another, in TVM's operators (relay_quantize.md 3.4).
#pragma once

#include "quant/call_builder.h"
#include "quant/tvm_scales.h"

namespace tvmq::quant {

/// A value in the integer domain: it stands for data * scale.
struct Integers {
  ir::NodeId data = 0;
  ir::NodeId scale_node = 0;  ///< the float32 scalar in the graph; shared where TVM shares it
  float scale = 0;
  /// What TVM takes the dtype of `data` to be. kFloat32: whole numbers not yet cast.
  ir::DType dtype = ir::DType::kVoid;
};

/// What the two functions below work for, for messages and shapes.
struct RequantizeSite {
  const ir::Graph& graph;  ///< the annotated graph, typed
  ir::NodeId call;         ///< the operator that needs the new scale
  ir::NodeId operand;      ///< the value that changes; its type gives the shape
};

/// from.data at the scale to.scale, held within to.low..to.high. The result keeps from.dtype.
///   equal scales      clip(x)
///   ratio 2^n         clip(right_shift(x + 2^(n-1), n)), or clip(left_shift(x, -n))
///   any other ratio   cast(clip(fixed_point(cast(x, int64)))), dtype)
ir::NodeId requantize(CallBuilder& build, const Integers& from, const QuantizeParameters& to,
                      const TvmQuantizeOptions& options, const RequantizeSite& site);

/// `data` of `dtype` from the scale `from` to the finer scale `to`, wrapping if it does not fit.
/// Equal scales: `data` itself. Throws InputError if `to` is coarser.
ir::NodeId refine(CallBuilder& build, ir::NodeId data, float from, float to, ir::DType dtype,
                  const TvmQuantizeOptions& options, const RequantizeSite& site);

}  // namespace tvmq::quant
