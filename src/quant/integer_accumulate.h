// Integer kernels: what turns stored uint8 values into int32 sums.
//
//   conv2d or dense      sum of q * w, uint8 x int8
//   mean over an image   sum of q
//   avg_pool2d           sum of q over each window: a depthwise convolution with weights of 1
//
// The forms are those that TVM v0.19 runs fastest (docs/tvm_kernels.md).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/graph.h"
#include "quant/affine.h"
#include "quant/integer_emit.h"

namespace tvmq::quant {

/// int32 sums and what they are worth, per output channel: real = (node + correction) * scale, and
/// of a 16-bit input real = (node + correction + low / 256) * scale.
struct Accumulator {
  ir::NodeId node = 0;
  std::optional<ir::NodeId> low = std::nullopt;  ///< the sums over the low bytes
  std::vector<float> scales;
  std::vector<std::int32_t> correction;  ///< -zero_point * sum(W)
};

struct LayerOperands {
  ir::NodeId data = 0;                           ///< uint8: the stored value, or its high bytes
  std::optional<ir::NodeId> low = std::nullopt;  ///< uint8: its low bytes, if it has 16 bits
  AffineParameters from;                         ///< how it is stored
  QuantizedWeight weight;
};

/// The nn.conv2d or nn.dense `layer` on integers.
Accumulator accumulate(IntegerEmitter& emitter, const ir::Node& layer,
                       const LayerOperands& operands);

/// Whether average() can take the place of `pool`, a call of nn.avg_pool2d on `image` (its type's
/// shape): NCHW, not dilated, and no window that ceil_mode lets reach beyond the padding.
bool can_average(const ir::AvgPool2DAttrs& attrs, const ir::Shape& image, const ir::Shape& result);

/// The average `node` (Role::kAverage) of `data`, stored as `from`, an image of the shape `image`:
/// exact sums on int32; 1 / count is part of the scale.
ScaledValue average(IntegerEmitter& emitter, const ir::Node& node, const ir::Shape& image,
                    ir::NodeId data, const AffineParameters& from);

}  // namespace tvmq::quant
