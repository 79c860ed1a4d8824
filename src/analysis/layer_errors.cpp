#include "analysis/layer_errors.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "analysis/float_outputs.h"
#include "analysis/operand_errors.h"
#include "analysis/sampling.h"
#include "base/error.h"
#include "quant/calibrate_passes.h"

namespace tvmq::analysis {
namespace {

using ir::NodeId;

/// Elements of an output that are compared per batch, and positions that operands are multiplied
/// at: a few hundred thousand elements over all batches leave errors of a few hundredths of a dB.
constexpr std::int64_t kMostElements = 1 << 14;
constexpr std::int64_t kFewestPositions = 16;

/// What a tapped value of the reference is needed for; indices into the network's lists.
struct Uses {
  std::vector<std::size_t> as_input;   ///< layers
  std::vector<std::size_t> as_output;  ///< layers
  std::vector<std::size_t> as_stored;
};

struct LayerSums {
  ErrorSums accumulated;
  ErrorSums isolated;
  ErrorSums weight;
  ErrorSums activation;
};

struct BatchSums {
  std::vector<LayerSums> layers;
  std::vector<std::int64_t> saturated;
  std::vector<std::int64_t> elements;  ///< of stored values
};

/// Both networks compiled with their taps.
struct Programs {
  std::shared_ptr<const exec::Program> reference;
  std::shared_ptr<const exec::Program> actual;
  std::map<NodeId, Uses> reference_uses;
  std::map<NodeId, std::vector<std::size_t>> actual_uses;  ///< tapped node to layers
};

bool can_tap(const ir::Graph& graph, NodeId id) {
  const auto* type = std::get_if<ir::TensorType>(&graph[id].type);
  return type != nullptr && type->dtype == ir::DType::kFloat32 && !graph[id].is_constant();
}

std::vector<bool> reached(const ir::Graph& graph) {
  std::vector<bool> result(graph.size(), false);
  for (const NodeId id : ir::post_order(graph, graph.output())) result[id] = true;
  return result;
}

/// Taps need float32: integers are cast behind the network.
Programs compile(const QuantizedNetwork& network) {
  Programs programs;
  const std::vector<bool> in_reference = reached(network.reference);
  const auto tap = [&](NodeId id) -> Uses* {
    const bool possible = can_tap(network.reference, id) && in_reference[id];
    return possible ? &programs.reference_uses[id] : nullptr;
  };
  const std::vector<bool> in_actual = reached(network.actual);
  ir::Graph actual = network.actual;
  std::vector<NodeId> actual_taps;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const AnalysedLayer& layer = network.layers[i];
    Uses* output = tap(layer.output);
    if (output == nullptr) continue;
    output->as_output.push_back(i);
    if (layer.rounding) {
      if (Uses* input = tap(layer.rounding->input)) input->as_input.push_back(i);
    }
    if (!layer.actual || !in_actual[*layer.actual]) continue;
    NodeId value = *layer.actual;
    if (!can_tap(network.actual, value)) {
      value = actual.add_call(ir::Op::kCast, {value}, ir::CastAttrs{.dtype = ir::DType::kFloat32});
      actual.set_type(value, ir::TensorType{ir::DType::kFloat32,
                                            network.actual[*layer.actual].tensor_type().shape});
    }
    if (programs.actual_uses[value].empty()) actual_taps.push_back(value);
    programs.actual_uses[value].push_back(i);
  }
  for (std::size_t i = 0; i < network.stored.size(); ++i) {
    if (Uses* uses = tap(network.stored[i].node)) uses->as_stored.push_back(i);
  }
  std::vector<NodeId> reference_taps;
  for (const auto& [id, uses] : programs.reference_uses) reference_taps.push_back(id);
  const auto build = [](const ir::Graph& graph, std::vector<NodeId> taps) {
    return std::make_shared<const exec::Program>(
        graph, exec::ProgramOptions{.targets = {taps[0]}, .taps = taps});
  };
  if (!reference_taps.empty()) {
    programs.reference = build(network.reference, std::move(reference_taps));
  }
  if (!actual_taps.empty()) programs.actual = build(actual, std::move(actual_taps));
  return programs;
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) std::int64_t
count_outside(std::span<const float> elements, float low, float high) {
  std::int64_t count = 0;
  for (const float element : elements) count += element < low || element > high ? 1 : 0;
  return count;
}

/// One thread's two sessions, and what it keeps while a batch is under way.
class Worker {
 public:
  Worker(const QuantizedNetwork& network, const Programs& programs)
      : network_(network),
        programs_(programs),
        reference_(programs.reference),
        errors_(network.layers.size()),
        samples_(network.layers.size()) {
    if (programs.actual) actual_.emplace(programs.actual);
  }

  BatchSums run(std::span<const ir::Tensor> inputs, std::int64_t batch) {
    sums_ = {.layers = std::vector<LayerSums>(network_.layers.size()),
             .saturated = std::vector<std::int64_t>(network_.stored.size(), 0),
             .elements = std::vector<std::int64_t>(network_.stored.size(), 0)};
    batch_ = batch;
    reference_.run(inputs, [&](const exec::TapView& view) { look_at_reference(view); });
    if (actual_) {
      actual_->run(inputs, [&](const exec::TapView& view) { look_at_actual(view); });
    }
    return std::move(sums_);
  }

 private:
  [[nodiscard]] const ir::Shape& shape_of(NodeId id) const {
    return network_.reference[id].tensor_type().shape;
  }

  /// The positions of a layer's output that are looked at in this batch.
  [[nodiscard]] std::vector<std::int64_t> positions_of(std::size_t layer) const {
    const ir::Shape& shape = shape_of(network_.layers[layer].output);
    const std::int64_t channels = shape.size() < 2 ? 1 : std::max<std::int64_t>(shape[1], 1);
    const std::int64_t total = ir::element_count(shape).value_or(0) / channels;
    return sample_positions(total, std::max(kMostElements / channels, kFewestPositions), batch_);
  }

  /// The first few of them, spread as evenly.
  static std::vector<std::int64_t> few(const std::vector<std::int64_t>& positions) {
    const auto count = static_cast<std::int64_t>(positions.size());
    const std::int64_t wanted = std::min(count, kFewestPositions);
    std::vector<std::int64_t> result;
    for (std::int64_t i = 0; i < wanted; ++i) result.push_back(positions[i * count / wanted]);
    return result;
  }

  void look_at_reference(const exec::TapView& view) {
    const Uses& uses = programs_.reference_uses.at(view.node);
    const bool in_front = has_channels_in_front(view, shape_of(view.node));
    for (const std::size_t layer : uses.as_input) {
      if (in_front) {
        errors_[layer] =
            operand_errors(network_.reference, network_.layers[layer].layer,
                           *network_.layers[layer].rounding, view, few(positions_of(layer)));
      }
    }
    for (const std::size_t i : uses.as_stored) {
      const Grid& grid = network_.stored[i].grid;
      // What rounds to the last integer is not cut off.
      sums_.saturated[i] +=
          count_outside(view.elements, grid.low() - grid.scale / 2, grid.high() + grid.scale / 2);
      sums_.elements[i] += static_cast<std::int64_t>(view.elements.size());
    }
    for (const std::size_t layer : uses.as_output) {
      samples_[layer].clear();
      if (!in_front) continue;
      const std::vector<std::int64_t> positions = positions_of(layer);
      samples_[layer] = gather(view, positions);
      if (!errors_[layer]) continue;
      add_operand_errors(gather(view, few(positions)), *errors_[layer], sums_.layers[layer]);
      errors_[layer].reset();
    }
  }

  static void add_operand_errors(std::span<const float> reference, const OperandErrors& errors,
                                 LayerSums& sums) {
    std::vector<float> actual(reference.size());
    const auto add = [&](const std::vector<float>& error, ErrorSums& to) {
      check(error.size() == reference.size(), "errors of the sampled elements");
      std::ranges::transform(reference, error, actual.begin(), std::plus<>());
      to.add(reference, actual);
    };
    add(errors.weight, sums.weight);
    add(errors.activation, sums.activation);
    add(errors.both, sums.isolated);
  }

  void look_at_actual(const exec::TapView& view) {
    for (const std::size_t layer : programs_.actual_uses.at(view.node)) {
      const std::vector<float>& reference = samples_[layer];
      const ir::Shape& shape = shape_of(network_.layers[layer].output);
      if (reference.empty() || !has_channels_in_front(view, shape)) continue;
      std::vector<float> actual = gather(view, positions_of(layer));
      const std::vector<float>& scales = network_.layers[layer].scales;
      if (!scales.empty()) {
        const auto channels = static_cast<std::size_t>(view.channels);
        for (std::size_t i = 0; i < actual.size(); ++i) {
          actual[i] *= scales.size() == 1 ? scales[0] : scales[i % channels];
        }
      }
      if (actual.size() == reference.size()) {
        sums_.layers[layer].accumulated.add(reference, actual);
      }
    }
  }

  const QuantizedNetwork& network_;
  const Programs& programs_;
  exec::Session reference_;
  std::optional<exec::Session> actual_;
  std::int64_t batch_ = 0;
  std::vector<std::optional<OperandErrors>> errors_;  ///< until the layer's output comes
  std::vector<std::vector<float>> samples_;           ///< of the reference's outputs
  BatchSums sums_;
};

LayerErrors combine(const std::vector<BatchSums>& batches, const QuantizedNetwork& network) {
  std::vector<LayerSums> layers(network.layers.size());
  std::vector<std::int64_t> saturated(network.stored.size(), 0);
  std::vector<std::int64_t> elements(network.stored.size(), 0);
  for (const BatchSums& batch : batches) {
    if (batch.layers.empty() && batch.saturated.empty()) continue;  // could not be loaded
    for (std::size_t i = 0; i < layers.size(); ++i) {
      layers[i].accumulated.merge(batch.layers[i].accumulated);
      layers[i].isolated.merge(batch.layers[i].isolated);
      layers[i].weight.merge(batch.layers[i].weight);
      layers[i].activation.merge(batch.layers[i].activation);
    }
    for (std::size_t i = 0; i < saturated.size(); ++i) {
      saturated[i] += batch.saturated[i];
      elements[i] += batch.elements[i];
    }
  }
  LayerErrors result;
  const auto metrics = [](const ErrorSums& sums) {
    return sums.empty() ? std::nullopt : std::optional(sums.metrics());
  };
  for (const LayerSums& sums : layers) {
    result.layers.push_back({.accumulated = metrics(sums.accumulated),
                             .isolated = metrics(sums.isolated),
                             .weight = metrics(sums.weight),
                             .activation = metrics(sums.activation)});
  }
  for (std::size_t i = 0; i < saturated.size(); ++i) {
    result.saturated.push_back(elements[i] == 0 ? 0
                                                : static_cast<double>(saturated[i]) /
                                                      static_cast<double>(elements[i]));
  }
  return result;
}

}  // namespace

LayerErrors measure_layer_errors(const QuantizedNetwork& network, const quant::BatchSource& source,
                                 const LayerErrorOptions& options, Log& log) {
  const Programs programs = compile(network);
  if (!programs.reference) return combine({}, network);
  quant::BatchSource few = source;
  few.batches = std::min(source.batches, options.most_batches);
  std::vector<BatchSums> results(static_cast<std::size_t>(few.batches));
  const auto make_worker = [&]() -> quant::WorkOnBatch {
    return [&, worker = std::make_shared<Worker>(network, programs)](
               std::span<const ir::Tensor> inputs, std::int64_t batch) {
      results[static_cast<std::size_t>(batch)] = worker->run(inputs, batch);
      return true;
    };
  };
  const quant::PassResult pass = quant::run_batches(
      few, {.title = options.title, .threads = options.threads}, make_worker, log);
  if (pass.batches == 0) throw InputError("found no sample that can be read");
  LayerErrors result = combine(results, network);
  result.batches = pass.batches;
  return result;
}

}  // namespace tvmq::analysis
