// A float network and what quantization made of it, whatever scheme made it: which values
// correspond, and how the operands of each layer were rounded.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "quant/integer_scheme.h"
#include "quant/tvm_scheme.h"

namespace tvmq::analysis {

/// Integers lowest..highest; real = (q - zero_point) * scale.
struct Grid {
  float scale = 1;
  std::int32_t zero_point = 0;
  std::int32_t lowest = 0;
  std::int32_t highest = 255;

  /// The real values that the ends stand for.
  [[nodiscard]] float low() const;
  [[nodiscard]] float high() const;
};

/// How the operands of an nn.conv2d (NCHW, OIHW) or nn.dense were rounded.
struct OperandRounding {
  ir::NodeId input = 0;  ///< a float value of the reference
  Grid grid;             ///< of the input
  /// Writes output channel `row` of the rounded weight as real numbers.
  std::function<void(std::int64_t row, std::span<float> values)> rounded_row;
};

struct AnalysedLayer {
  ir::NodeId layer = 0;   ///< the operator in the reference
  ir::NodeId output = 0;  ///< the value of the reference that is compared: it, or it with its bias
  /// The same value in the quantized graph; nothing if it has none.
  std::optional<ir::NodeId> actual = std::nullopt;
  /// real = value of `actual` * scale, one for each channel or one for all; empty: 1.
  std::vector<float> scales = {};
  std::optional<OperandRounding> rounding = std::nullopt;  ///< nothing: float, or not known
};

/// A value of the reference that is stored as integers.
struct StoredValue {
  ir::NodeId node = 0;
  Grid grid;
};

struct QuantizedNetwork {
  ir::Graph reference;                ///< float, as it was quantized; typed
  ir::Graph actual;                   ///< typed
  std::vector<AnalysedLayer> layers;  ///< every quant::is_layer() of the reference, in order
  std::vector<StoredValue> stored;    ///< one per observed value, in the order of calibration
  /// Per node of the reference: it is computed on integers, or inside the kernel of one that is.
  std::vector<bool> integer;
};

/// Of the integer scheme.
QuantizedNetwork describe_integer(const quant::IntegerPlan& plan,
                                  const quant::IntegerParameters& parameters,
                                  const quant::IntegerOptions& options);

/// Of the scheme tvm, where layers correspond by their order and are compared without their bias.
/// `quantized` is what realize() made of the other arguments.
QuantizedNetwork describe_tvm(const quant::AnnotatedGraph& annotated,
                              std::span<const float> thresholds,
                              const quant::TvmQuantizeOptions& options, ir::Graph quantized);

}  // namespace tvmq::analysis
