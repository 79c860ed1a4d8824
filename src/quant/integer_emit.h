// The small pieces that integer graphs are made of, as Relay operators.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/graph.h"
#include "quant/affine.h"

namespace tvmq::quant {

/// A float32 value whose last steps are put off, because they may become part of others:
/// real = node * scale, max(node, 0) * scale if rectified, and behind a ReLU6
/// min(max(node, 0) * scale, highest) * factor.
struct ScaledValue {
  ir::NodeId node = 0;
  /// A constant that broadcasts against the value (one element, or one per channel); nothing: 1.
  std::optional<ir::Tensor> scale = std::nullopt;
  bool rectified = false;
  std::optional<float> highest = std::nullopt;      ///< only of a rectified value
  std::optional<ir::Tensor> factor = std::nullopt;  ///< as scale; only where there is `highest`
};

/// Appends operators to a graph; holds nothing but the graph.
class IntegerEmitter {
 public:
  explicit IntegerEmitter(ir::Graph& graph) : graph_(graph) {}

  [[nodiscard]] ir::Graph& graph() { return graph_; }

  ir::NodeId constant(ir::Tensor value) { return graph_.add_constant(std::move(value)); }
  ir::NodeId cast(ir::NodeId value, ir::DType dtype);
  ir::NodeId add(ir::NodeId value, ir::NodeId addend);
  ir::NodeId stop_fusion(ir::NodeId value);
  /// A stored image with `sides` (top, left, bottom, right) of `value` around it.
  ir::NodeId pad(ir::NodeId image, const ir::IntList& sides, std::uint8_t value);

  /// 1 / (1 + fast_exp(-value)). TVM computes exp, and with it sigmoid, one element at a time (3 ns
  /// each, docs/tvm_kernels.md); fast_exp is a polynomial, right to seven digits, that it
  /// vectorizes.
  ir::NodeId sigmoid(ir::NodeId value);
  ir::NodeId fast_exp(ir::NodeId value);

  /// clip(value, 0, highest)
  ir::NodeId relu6(ir::NodeId value, float highest);

  /// The float32 value itself.
  ir::NodeId materialize(const ScaledValue& value);
  /// uint8 from float32: cast(clip(x / scale, lowest, highest) + zero_point + 0.5), bounds relative
  /// to the zero point; the cast truncates, so that the half rounds to nearest, halves up, whatever
  /// the target's rounding mode. The clip stands between the multiplication and the addition so
  /// that no compiler joins them into one rounding (FMA). The bounds of a ReLU or ReLU6 become
  /// those of the clip, at no cost: lowest is 0 instead of -zero_point, and the highest value of a
  /// ReLU6 seldom less than that of the grid.
  ir::NodeId quantize(const ScaledValue& value, const AffineParameters& to);
  /// The bytes of a 16-bit number, each uint8.
  struct Bytes {
    ir::NodeId high = 0;
    ir::NodeId low = 0;
  };
  /// The same with 16 bits.
  Bytes quantize_wide(const ScaledValue& value, const AffineParameters& to);
  /// value / 256, exactly.
  ir::NodeId in_wide_steps(ir::NodeId value);
  /// float32 from uint8: (q - zero_point) * scale, the multiplication put off.
  ScaledValue dequantize(ir::NodeId stored, const AffineParameters& from);

 private:
  /// The integer that a value becomes and, as its fraction, what truncation drops; float32.
  ir::NodeId levels(const ScaledValue& value, const AffineParameters& to);

  ir::Graph& graph_;
};

/// `values`, one per channel, shaped to broadcast along axis 1 of a value of `rank`.
ir::Tensor per_channel(const std::vector<float>& values, std::int64_t rank);
ir::Tensor per_channel(const std::vector<std::int32_t>& values, std::int64_t rank);

/// The product of two scales of one element or one per channel.
ir::Tensor product(const ir::Tensor& left, const ir::Tensor& right);

/// Whether `addend` has one element, or one per channel of axis 1 and 1 along every other axis of a
/// value of `shape`.
bool broadcasts_per_channel(const ir::Tensor& addend, const ir::Shape& shape);

/// An int8 weight with output channels of zeros appended, `rows` in all.
ir::Tensor with_zero_rows(const ir::Tensor& weight, std::int64_t rows);

}  // namespace tvmq::quant
