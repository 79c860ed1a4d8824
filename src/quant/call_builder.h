// The calls that quantization adds to a graph, one short function each.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace tvmq::quant {

/// Appends calls to `graph`; every member makes a fresh node, as TVM's helpers do.
class CallBuilder {
 public:
  explicit CallBuilder(ir::Graph& graph) : graph_(graph) {}

  ir::NodeId cast(ir::NodeId data, ir::DType dtype);
  ir::NodeId cast_hint(ir::NodeId data, ir::DType dtype);
  ir::NodeId stop_fusion(ir::NodeId data);
  ir::NodeId clip(ir::NodeId data, double low, double high);
  ir::NodeId round(ir::NodeId data);
  ir::NodeId add(ir::NodeId left, ir::NodeId right);
  ir::NodeId multiply(ir::NodeId left, ir::NodeId right);
  ir::NodeId left_shift(ir::NodeId data, ir::NodeId bits);
  ir::NodeId right_shift(ir::NodeId data, ir::NodeId bits);
  /// multiplier / 2^31 * 2^shift (see fixed_point.h).
  ir::NodeId fixed_point_multiply(ir::NodeId data, std::int32_t multiplier, std::int32_t shift);
  /// A scalar; an integer dtype keeps the low bits of `value`.
  ir::NodeId integer(ir::DType dtype, std::int64_t value);
  ir::NodeId float32(float value);

  [[nodiscard]] ir::Graph& graph() { return graph_; }

 private:
  ir::Graph& graph_;
};

}  // namespace tvmq::quant
