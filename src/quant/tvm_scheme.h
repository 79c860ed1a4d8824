// The `tvm` scheme: the very graph that tvm.relay.quantize v0.19 builds for the same options, node
// for node and constant for constant (relay_quantize.md 3).
//
//   AnnotatedGraph annotated = annotate(prepared, options);          // partition + annotate
//   std::vector<NodeId> watched = observed(annotated);               // calibrate: one threshold
//   each Graph quantized = realize(annotated, thresholds, options, log);  // ends with
//   fold_constant Module module = partition_conversions(quantized, options);       // only if it
//   was asked for
//
// Where TVM itself stops with an error, an InputError names the layer, tells what TVM does there
// and which option avoids it (tvm_refusal.h lists the reasons). Where TVM builds a graph that it
// cannot compile, the same graph is built and a warning says so.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "ir/graph.h"
#include "quant/affine.h"
#include "quant/summary.h"

namespace tvmq::quant {

/// How fixed point multiplications round: halves up, or halves away from zero.
enum class Rounding : std::uint8_t { kUpward, kToNearest };
enum class PartitionConversions : std::uint8_t { kDisabled, kEnabled, kFullyIntegral };

/// TVM's QConfig; the defaults are the documented ones of this program where they differ
/// (weight_scale).
struct TvmQuantizeOptions {
  int nbit_input = 8;
  int nbit_weight = 8;
  int nbit_activation = 32;
  /// Storage types; they say nothing about the value range, which the bits above set.
  ir::DType dtype_input = ir::DType::kInt8;
  ir::DType dtype_weight = ir::DType::kInt8;
  ir::DType dtype_activation = ir::DType::kInt32;
  WeightScale weight_scale = WeightScale::kMax;
  /// Every threshold of CalibMode global_scale; in every mode the scale that a concatenation of
  /// three or more integer tensors is brought to.
  double global_scale = 8.0;
  /// Numbers of the nn.conv2d to leave alone, counted from 0 in visit order; nothing: TVM's None.
  std::optional<std::vector<int>> skip_conv_layers = std::vector<int>{0};
  bool skip_dense_layer = true;
  /// Patterns of the names of layers to leave alone (layers.h), which TVM does not have: such a
  /// layer is treated like one of skip_conv_layers.
  std::vector<std::string> skip_layers = {};
  Rounding rounding = Rounding::kUpward;
  bool round_for_shift = true;
  PartitionConversions partition_conversions = PartitionConversions::kDisabled;
};

/// Throws InputError unless the dtypes are integers and the bits lie within 2..32.
void check_options(const TvmQuantizeOptions& options);

/// TVM's QAnnotateKind, as SimulatedQuantizeAttrs::kind holds it.
enum class AnnotateKind : std::uint8_t { kNone = 0, kInput = 1, kWeight = 2, kActivation = 3 };

/// A graph with Op::kSimulatedQuantize calls (scale 0) at every place that TVM quantizes. Typed.
struct AnnotatedGraph {
  ir::Graph graph;
  /// All simulated quantize calls in the order in which TVM's calibration visits them.
  std::vector<ir::NodeId> quantizes;
  /// The layers, in visit order, as far as annotation decides over them.
  std::vector<QuantizationSummary::Layer> layers;
};

/// Partition and annotate. REQUIRES: `prepared` is typed and went through passes::prepare().
/// Throws InputError where TVM stops, and if one of options.skip_layers matches no layer.
AnnotatedGraph annotate(const ir::Graph& prepared, const TvmQuantizeOptions& options);

/// How many thresholds realize() needs: the simulated quantizes that are not of weights.
std::size_t threshold_count(const AnnotatedGraph& annotated);

/// The nodes whose values calibration observes, one per threshold, in visit order; a node appears
/// twice if it is quantized in two ways. They are nodes of annotated.graph, which exec can run
/// (annotation operators are aliases there). Only for modes that look at data: throws InputError
/// where TVM's collection of statistics stops (nothing to observe, or a constant among it).
std::vector<ir::NodeId> observed(const AnnotatedGraph& annotated);

/// The integer graph, constants folded; typed. `thresholds` in the order of observed(), for
/// global_scale all equal to it. Writes what TVM cannot compile to `log`, as warnings.
/// Throws InputError where TVM stops.
ir::Graph realize(const AnnotatedGraph& annotated, std::span<const float> thresholds,
                  const TvmQuantizeOptions& options, Log& log,
                  QuantizationSummary* summary = nullptr);

/// Splits the quantized graph into quantize_inputs, quantized_main, dequantize_outputs and a main
/// that calls them, as options.partition_conversions says; disabled: a module of `main` alone.
/// Throws InputError where TVM stops, for fully_integral with the list of what is not integer.
ir::Module partition_conversions(const ir::Graph& quantized, const TvmQuantizeOptions& options);

}  // namespace tvmq::quant
