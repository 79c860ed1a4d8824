// Which operators users think of as the layers with weights.
#pragma once

#include "ir/graph.h"

namespace tvmq::quant {

/// Convolutions and matrix products, with or without a rule in TVM's quantizer.
inline bool is_layer(const ir::Node& node) {
  if (node.kind != ir::NodeKind::kCall) return false;
  switch (node.op) {
    case ir::Op::kConv1D:
    case ir::Op::kConv2D:
    case ir::Op::kConv3D:
    case ir::Op::kConv1DTranspose:
    case ir::Op::kConv2DTranspose:
    case ir::Op::kConv3DTranspose:
    case ir::Op::kDense:
    case ir::Op::kMatmul:
    case ir::Op::kBatchMatmul:
      return true;
    default:
      return false;
  }
}

}  // namespace tvmq::quant
