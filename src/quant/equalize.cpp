#include "quant/equalize.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/infer_types.h"
#include "ir/rewrite.h"
#include "quant/integer_emit.h"

namespace tvmq::quant {
namespace {

using ir::Graph;
using ir::GraphRewriter;
using ir::Node;
using ir::NodeId;
using ir::Tensor;

constexpr double kAlphas[] = {0, 0.25, 0.5, 0.75, 1};
/// A channel is enlarged by no more than this: beyond, its noise is enlarged too.
constexpr double kLeastFactor = 1.0 / 64;

using Users = std::vector<std::vector<NodeId>>;

bool is_layer(Role role) { return role == Role::kConvolution || role == Role::kDense; }

bool is_depthwise(const Node& node) {
  const auto* attrs = std::get_if<ir::Conv2DAttrs>(&node.attrs);
  return attrs != nullptr && attrs->groups > 1;
}

/// Weight elements as [output channel][input channel][kernel].
struct WeightView {
  explicit WeightView(const Tensor& weight)
      : outputs(static_cast<std::size_t>(weight.shape()[0])),
        inputs(static_cast<std::size_t>(weight.shape()[1])),
        kernel(outputs * inputs == 0
                   ? 0
                   : static_cast<std::size_t>(weight.size()) / (outputs * inputs)),
        data(weight.data<float>()) {}
  [[nodiscard]] std::span<const float> at(std::size_t output, std::size_t input) const {
    return data.subspan((output * inputs + input) * kernel, kernel);
  }
  std::size_t outputs;
  std::size_t inputs;
  std::size_t kernel;
  std::span<const float> data;
};

/// The squared error that rounding the activations and the weight adds to a layer's outputs, summed
/// over the outputs: a rounding error is uniform with variance step^2 / 12.
double estimated_error(const Node& layer, const Tensor& weight, const std::vector<double>& factors,
                       const ChannelStatistics& statistics, const IntegerOptions& options) {
  const WeightView view(weight);
  const bool depthwise = is_depthwise(layer);
  double range = 0;
  for (std::size_t c = 0; c < factors.size(); ++c) {
    range = std::max(range, statistics.absmax[c] / factors[c]);
  }
  const double activation_step = range / ((1 << options.activation_bits) - 1);
  const double weight_levels = (1 << (options.weight_bits - 1)) - 1;
  double error = 0;
  for (std::size_t o = 0; o < view.outputs; ++o) {
    double largest = 0;
    double activation_error = 0;
    double energy = 0;
    for (std::size_t i = 0; i < view.inputs; ++i) {
      const std::size_t channel = depthwise ? o : i;
      const double factor = factors[channel];
      double square = 0;
      for (const float value : view.at(o, i)) {
        const auto w = static_cast<double>(value);
        square += w * w;
        largest = std::max(largest, std::fabs(w) * factor);
      }
      activation_error += square * factor * factor;
      energy +=
          statistics.mean_square[channel] / (factor * factor) * static_cast<double>(view.kernel);
    }
    const double weight_step = largest / weight_levels;
    error += activation_error * activation_step * activation_step / 12 +
             energy * weight_step * weight_step / 12;
  }
  return error;
}

std::vector<double> factors_for(double alpha, const ChannelStatistics& statistics) {
  const double range = *std::max_element(statistics.absmax.begin(), statistics.absmax.end());
  std::vector<double> factors(statistics.absmax.size(), 1);
  for (std::size_t c = 0; c < factors.size(); ++c) {
    if (statistics.absmax[c] > 0) {
      factors[c] = std::pow(std::max(statistics.absmax[c] / range, kLeastFactor), alpha);
    }
  }
  return factors;
}

/// The factors of one value; empty if it is best left as it is.
std::vector<double> choose_factors(const Graph& graph, const std::vector<NodeId>& layers,
                                   const ChannelStatistics& statistics,
                                   const IntegerOptions& options) {
  if (statistics.absmax.empty() ||
      !(*std::max_element(statistics.absmax.begin(), statistics.absmax.end()) > 0)) {
    return {};
  }
  double best_error = 0;
  std::vector<double> best;
  for (const double alpha : kAlphas) {
    std::vector<double> factors = factors_for(alpha, statistics);
    double error = 0;
    for (const NodeId layer : layers) {
      error += estimated_error(graph[layer], graph[graph[layer].inputs[1]].value, factors,
                               statistics, options);
    }
    if (alpha == 0 || error < best_error) {
      best_error = error;
      best = alpha == 0 ? std::vector<double>() : std::move(factors);
    }
  }
  return best;
}

Tensor to_tensor(const std::vector<double>& factors, bool inverse, std::int64_t rank) {
  std::vector<float> values;
  values.reserve(factors.size());
  for (const double factor : factors) {
    values.push_back(static_cast<float>(inverse ? 1 / factor : factor));
  }
  return per_channel(values, rank);
}

/// weight * e along its input channels (its output channels if depthwise).
Tensor scale_weight(const Node& layer, const Tensor& weight, const std::vector<double>& factors) {
  const WeightView view(weight);
  Tensor result(ir::DType::kFloat32, weight.shape());
  auto to = result.mutable_data<float>();
  std::size_t position = 0;
  for (std::size_t o = 0; o < view.outputs; ++o) {
    for (std::size_t i = 0; i < view.inputs; ++i) {
      const auto factor = static_cast<float>(factors[is_depthwise(layer) ? o : i]);
      for (const float value : view.at(o, i)) to[position++] = value * factor;
    }
  }
  return result;
}

}  // namespace

std::vector<NodeId> equalizable(const IntegerPlan& plan) {
  const Users users = ir::users(plan.graph);
  std::vector<NodeId> result;
  for (const NodeId id : plan.observed) {
    const Node& node = plan.graph[id];
    const auto rank = node.tensor_type().shape.size();
    if (node.kind != ir::NodeKind::kCall || (rank != 2 && rank != 4)) continue;
    bool layer = false;
    const bool all_fit = std::all_of(users[id].begin(), users[id].end(), [&](NodeId user) {
      const Role role = plan.roles[user];
      layer = layer || is_layer(role);
      return is_layer(role) || role == Role::kAverage ||
             (role == Role::kElementwise && plan.graph[user].type == node.type);
    });
    if (layer && all_fit && id != plan.graph.output()) result.push_back(id);
  }
  return result;
}

Graph equalize(const IntegerPlan& plan, std::span<const NodeId> values,
               std::span<const ChannelStatistics> statistics, const IntegerOptions& options) {
  const Graph& graph = plan.graph;
  const Users users = ir::users(graph);
  std::vector<std::vector<double>> factors(graph.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::vector<NodeId> layers;
    for (const NodeId user : users[values[i]]) {
      if (is_layer(plan.roles[user])) layers.push_back(user);
    }
    factors[values[i]] = choose_factors(graph, layers, statistics[i], options);
  }
  const auto rank = [&](NodeId id) {
    return static_cast<std::int64_t>(graph[id].tensor_type().shape.size());
  };
  const auto times = [](GraphRewriter& r, NodeId value, Tensor factor) {
    return r.target().add_call(ir::Op::kMultiply,
                               {value, r.target().add_constant(std::move(factor))});
  };

  Graph result = ir::rewrite(graph, [&](GraphRewriter& r, NodeId id) {
    const Node& node = graph[id];
    std::vector<NodeId> inputs = r.inputs(id);
    const bool average = plan.roles[id] == Role::kAverage;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto& factor = factors[node.inputs[i]];
      if (factor.empty() || average) continue;
      if (is_layer(plan.roles[id])) {
        inputs[1] = r.target().add_constant(scale_weight(node, graph[node.inputs[1]].value, factor),
                                            graph[node.inputs[1]].name);
      } else {
        inputs[i] = times(r, inputs[i], to_tensor(factor, false, rank(node.inputs[i])));
      }
    }
    NodeId value = r.target().add_copy(node, std::move(inputs));
    if (average && !factors[node.inputs[0]].empty()) {
      value = times(r, value, to_tensor(factors[node.inputs[0]], false, rank(id)));
    }
    if (!factors[id].empty()) value = times(r, value, to_tensor(factors[id], true, rank(id)));
    return value;
  });
  ir::infer_types(result);
  return result;
}

}  // namespace tvmq::quant
