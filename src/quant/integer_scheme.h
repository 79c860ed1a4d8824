// The `integer` scheme: our own quantizer, made for accuracy and for the kernels that TVM has.
//
//   IntegerPlan plan = plan_integer(prepared, options);         // which values become uint8
//   std::vector<Interval> ranges = ...                          // calibrate: one per plan.observed
//   ir::Graph quantized = realize_integer(plan, {.ranges = ranges}, options, &summary);
//
// Activations are uint8 with a zero point, weights int8 symmetric per output channel, accumulators
// and biases int32. Between two stored uint8 values everything elementwise is computed in float32
// on the accumulator, in one kernel that TVM fuses:
//
//   before:  conv2d - add(bias) - relu - conv2d
//   after:   conv2d(u8, s8) -> int32                       the accumulator
//            add(int32 bias, holds -zero_point * sum(W))
//            cast float32 - multiply(s_x * s_w per channel) - relu
//            multiply(1/s) - clip(-z, 255 - z) - add(z + 0.5) - cast uint8        the next input
//
// A wide layer takes its input in 16 bits, as two uint8 tensors of high and low bytes: both are
// multiplied with the layer's weight, and the float32 sum of both accumulators goes on as above.
// TVM has no fast kernel of 16-bit operands; two products of bytes take half the time of one of
// float32.
//
// This keeps exact ReLU bounds, any elementwise function and residual sums without a second
// rounding. Emission follows relay_quantize.md 5.4.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "quant/affine.h"
#include "quant/summary.h"

namespace tvmq::quant {

struct IntegerOptions {
  int activation_bits = 8;  ///< 2..8
  int weight_bits = 8;      ///< 2..8
  WeightScale weight_scale = WeightScale::kMax;
  WeightGranularity weight_granularity = WeightGranularity::kPerChannel;
  /// Numbers of the nn.conv2d to leave float, counted from 0 in visit order.
  std::vector<int> skip_conv_layers = {};
  bool skip_dense_layer = false;
  /// Patterns of the names of layers to leave float, see layers.h.
  std::vector<std::string> skip_layers = {};
  /// Patterns of the names of layers that take their input in 16 bits, where they can.
  std::vector<std::string> wide_layers = {};
  /// No wide layer where integers begin and end: a partitioned module (PartitionConversions) hands
  /// on one value there.
  bool one_value_at_ends = false;
  /// Whether TVM has an 8-bit matrix product for the target (target.h); else nn.dense stays float.
  bool dense_kernels = true;
};

/// What a node of the float graph is to the integer graph.
enum class Role : std::uint8_t {
  kFloat,        ///< computed in float32: no integer form, or not worth one
  kConvolution,  ///< nn.conv2d on uint8 x int8
  kDense,        ///< nn.dense on uint8 x int8
  kElementwise,  ///< float32 inside the kernel of its operand
  kView,         ///< moves or renames elements at no cost: reshape, squeeze, ...
  kMove,         ///< a kernel that only selects or moves elements: max_pool2d, pad, split, ...
  kConcatenate,
  kAverage,  ///< global_avg_pool2d and its other spellings, avg_pool2d
};

/// A layer on integers: it has a weight and a bias.
constexpr bool is_layer(Role role) { return role == Role::kConvolution || role == Role::kDense; }

/// What was decided about the float graph.
struct IntegerPlan {
  ir::Graph graph;           ///< the float graph, typed
  std::vector<Role> roles;   ///< per node
  std::vector<bool> stored;  ///< per node: integer kernels read its value, as uint8
  /// Per node: an integer layer that takes its input in 16 bits, as two bytes, and multiplies each.
  std::vector<bool> wide;
  /// Per node: stored values that share scale and zero point have the same number.
  std::vector<ir::NodeId> groups;
  /// The values whose ranges calibration finds. A group's range unites those of its members.
  std::vector<ir::NodeId> observed;
  std::vector<QuantizationSummary::Layer> layers;
};

/// REQUIRES: `prepared` is typed and went through passes::prepare() at level 3.
/// Throws InputError if one of options.skip_layers matches no layer, or a weight that would become
/// integers is not finite.
IntegerPlan plan_integer(const ir::Graph& prepared, const IntegerOptions& options);

/// Per node of plan.graph: what is added to a layer's bias, per output channel; empty for nothing.
using BiasOffsets = std::vector<std::vector<float>>;

/// The numbers that calibration finds for a plan.
struct IntegerParameters {
  std::vector<Interval> ranges;  ///< one per plan.observed
  /// One per plan.observed: all that was seen. 16 bits cover that with some room; without it, the
  /// range.
  std::vector<Interval> extents = {};
  /// Per node of plan.graph: the weight of the layer there, rounded; a layer without (no scales)
  /// gets its weights rounded to the nearest. May be empty.
  std::vector<QuantizedWeight> weights = {};
  BiasOffsets offsets = {};  ///< may be empty
};

/// The weight of the integer layer `layer` of the plan, rounded: what `parameters` has, else to the
/// nearest.
QuantizedWeight layer_weight(const IntegerPlan& plan, const IntegerParameters& parameters,
                             const IntegerOptions& options, ir::NodeId layer);

/// How each stored value of the plan is stored, per node; a group's members alike.
std::vector<AffineParameters> stored_parameters(const IntegerPlan& plan,
                                                std::span<const Interval> ranges, int bits);

/// How the input of plan.wide layers is stored, per node that is one of plan.observed.
std::vector<AffineParameters> wide_stored_parameters(const IntegerPlan& plan,
                                                     const IntegerParameters& parameters);

/// Where the output of an integer layer is, bias included, before any activation.
struct IntegerLayer {
  ir::NodeId layer = 0;        ///< the nn.conv2d or nn.dense of plan.graph
  ir::NodeId float_value = 0;  ///< its output with its bias in plan.graph
  ir::NodeId accumulator = 0;  ///< the same in the integer graph, float32, to be scaled:
  std::vector<float> scales;   ///< real = accumulator * scale of the channel
};

/// A layer that stayed float, in plan.graph and in the integer graph.
struct FloatLayer {
  ir::NodeId layer = 0;
  ir::NodeId node = 0;
};

struct IntegerGraph {
  ir::Graph graph;  ///< typed
  std::vector<IntegerLayer> layers;
  std::vector<FloatLayer> float_layers;
};

/// The integer graph as it is emitted, with what it left behind: for measurements on it.
IntegerGraph emit_integer(const IntegerPlan& plan, const IntegerParameters& parameters,
                          const IntegerOptions& options);

/// The same without what the result does not need; typed.
ir::Graph realize_integer(const IntegerPlan& plan, const IntegerParameters& parameters,
                          const IntegerOptions& options, QuantizationSummary* summary = nullptr);

}  // namespace tvmq::quant
