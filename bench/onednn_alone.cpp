#include "onednn_alone.h"

#include <algorithm>
#include <memory>

#include "exec/convolution_problem.h"

namespace tvmq {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kLargestActivation = std::size_t{1} << 25;

dnnl::memory::desc any(const dnnl::memory::dims& dims) {
  return {dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

/// Batch, channels, pixels.
dnnl::memory::dims canonical(const ir::Shape& shape, std::int64_t channel_axis) {
  dnnl::memory::dims dims = {shape[0], shape[channel_axis]};
  for (std::int64_t d = 1; d < static_cast<std::int64_t>(shape.size()); ++d) {
    if (d != channel_axis) dims.push_back(shape[d]);
  }
  return dims;
}

/// What oneDNN runs inside the kernel of a convolution; a constant per channel is part of its
/// weights and bias.
dnnl::primitive_attr fused(const std::vector<exec::PostOp>& post) {
  using Kind = exec::PostOp::Kind;
  dnnl::post_ops ops;
  const auto eltwise = [&](dnnl::algorithm algorithm, float alpha = 0, float beta = 0) {
    ops.append_eltwise(1.0F, algorithm, alpha, beta);
  };
  for (const exec::PostOp& each : post) {
    switch (each.kind) {
      case Kind::kRelu:
        eltwise(dnnl::algorithm::eltwise_relu, each.alpha);
        break;
      case Kind::kClip:
        eltwise(dnnl::algorithm::eltwise_clip, each.alpha, each.beta);
        break;
      case Kind::kSigmoid:
        eltwise(dnnl::algorithm::eltwise_logistic);
        break;
      case Kind::kTanh:
        eltwise(dnnl::algorithm::eltwise_tanh);
        break;
      case Kind::kSwish:
        eltwise(dnnl::algorithm::eltwise_swish, 1.0F);
        break;
      case Kind::kHardSwish:
        eltwise(dnnl::algorithm::eltwise_hardswish);
        break;
      case Kind::kAddValue:
        ops.append_sum();
        break;
      case Kind::kMultiply:
      case Kind::kAdd:
        break;
    }
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(ops);
  return attributes;
}

}  // namespace

OneDnnAlone::OneDnnAlone(const ir::Graph& graph)
    : graph_(graph),
      live_(exec::live_values(graph, graph.outputs(), {})),
      engine_(dnnl::engine::kind::cpu, 0),
      stream_(engine_),
      buffers_{std::vector<std::byte>(kLargestActivation),
               std::vector<std::byte>(kLargestActivation)} {
  for (const exec::FusedStep& step : exec::fuse(graph, live_)) {
    if (const auto* contraction = std::get_if<exec::ContractionStep>(&step)) {
      add(*contraction);
    } else if (const auto* elementwise = std::get_if<exec::ElementwiseStep>(&step)) {
      for (const std::uint32_t call : elementwise->calls) add_operator(live_.calls[call]);
    } else {
      add_operator(live_.calls[std::get<exec::SingleStep>(step).call]);
    }
  }
}

void OneDnnAlone::run() {
  for (const Layer& layer : layers_) layer.primitive.execute(stream_, layer.arguments);
  stream_.wait();
}

template <class Primitive>
void OneDnnAlone::add_layer(const typename Primitive::primitive_desc& pd,
                            std::unordered_map<int, memory> constants) {
  // Data and results take turns in two buffers, as in a chain.
  constants.emplace(DNNL_ARG_SRC, activation(pd.src_desc(), layers_.size() % 2));
  constants.emplace(DNNL_ARG_DST, activation(pd.dst_desc(), 1 - layers_.size() % 2));
  layers_.push_back({.primitive = Primitive(pd), .arguments = std::move(constants)});
}

void OneDnnAlone::add(const exec::ContractionStep& step) {
  const auto kind = dnnl::prop_kind::forward_inference;
  const dnnl::primitive_attr attributes = fused(step.post);
  if (graph_[live_.calls[step.call].node].op == ir::Op::kDense) {
    const ir::Shape& weights = live_.type(live_.calls[step.call].inputs[1]).shape;
    const ir::Shape& data = live_.type(step.data).shape;
    const dnnl::inner_product_forward::primitive_desc pd(
        {kind, any(data), any(weights), any({weights[0]}), any({data[0], weights[0]})}, attributes,
        engine_);
    add_layer<dnnl::inner_product_forward>(
        pd, {{DNNL_ARG_WEIGHTS, zeros(pd.weights_desc())}, {DNNL_ARG_BIAS, zeros(pd.bias_desc())}});
    return;
  }
  const auto found = exec::describe_convolution(graph_, live_, step);
  const auto& problem = std::get<exec::ConvolutionProblem>(found);
  memory::dims weights = problem.weights.shape();
  if (problem.groups == 1) weights.erase(weights.begin());
  memory::dims dilation = problem.dilation;
  for (memory::dim& each : dilation) --each;
  const memory::dims result = canonical(problem.result.shape, problem.result_channel_axis);
  const dnnl::convolution_forward::primitive_desc pd(
      {kind, dnnl::algorithm::convolution_direct,
       any(canonical(problem.data.shape, problem.data_channel_axis)), any(weights),
       any({result[1]}), any(result), problem.strides, dilation, problem.pad_before,
       problem.pad_after},
      attributes, engine_);
  add_layer<dnnl::convolution_forward>(
      pd, {{DNNL_ARG_WEIGHTS, zeros(pd.weights_desc())}, {DNNL_ARG_BIAS, zeros(pd.bias_desc())}});
}

void OneDnnAlone::add_operator(const exec::Call& call) {
  const ir::Node& node = graph_[call.node];
  const ir::Shape& shape = live_.type(call.inputs[0]).shape;
  switch (node.op) {
    case ir::Op::kRelu:
      return add_elementwise(call, dnnl::algorithm::eltwise_relu, 0, 0);
    case ir::Op::kClip: {
      const auto& attrs = node.attrs_as<ir::ClipAttrs>();
      return add_elementwise(call, dnnl::algorithm::eltwise_clip, static_cast<float>(attrs.a_min),
                             static_cast<float>(attrs.a_max));
    }
    case ir::Op::kSigmoid:
      return add_elementwise(call, dnnl::algorithm::eltwise_logistic, 0, 0);
    case ir::Op::kTanh:
      return add_elementwise(call, dnnl::algorithm::eltwise_tanh, 0, 0);
    case ir::Op::kAdd:
      return add_binary(call, dnnl::algorithm::binary_add);
    case ir::Op::kMultiply:
      return add_binary(call, dnnl::algorithm::binary_mul);
    case ir::Op::kMaxPool2D: {
      const auto& attrs = node.attrs_as<ir::MaxPool2DAttrs>();
      return add_pooling(call, dnnl::algorithm::pooling_max, attrs.pool_size, attrs.strides,
                         attrs.padding);
    }
    case ir::Op::kAvgPool2D: {
      const auto& attrs = node.attrs_as<ir::AvgPool2DAttrs>();
      return add_pooling(call, dnnl::algorithm::pooling_avg, attrs.pool_size, attrs.strides,
                         attrs.padding);
    }
    case ir::Op::kGlobalAvgPool2D:
    case ir::Op::kAdaptiveAvgPool2D:
    case ir::Op::kMean:
      if (shape.size() != 4) return;
      return add_pooling(call, dnnl::algorithm::pooling_avg, {shape[2], shape[3]}, {1, 1}, {0, 0});
    case ir::Op::kTranspose:
      return add_shuffle(call);
    default:
      return;
  }
}

void OneDnnAlone::add_elementwise(const exec::Call& call, dnnl::algorithm algorithm, float alpha,
                                  float beta) {
  const memory::desc desc = blocked(live_.type(call.outputs[0]).shape);
  add_layer<dnnl::eltwise_forward>(
      {{dnnl::prop_kind::forward_inference, algorithm, desc, alpha, beta}, engine_}, {});
}

/// The operand with as many elements as the result stays in its buffer, the other one is a vector
/// per channel or of the same shape.
void OneDnnAlone::add_binary(const exec::Call& call, dnnl::algorithm algorithm) {
  const ir::Shape& result = live_.type(call.outputs[0]).shape;
  ir::Shape other = live_.type(call.inputs[1]).shape;
  if (other == result) other = live_.type(call.inputs[0]).shape;
  other.insert(other.begin(), result.size() - std::min(result.size(), other.size()), 1);
  const memory::desc desc = blocked(result);
  const memory::desc other_desc = blocked(other);
  const dnnl::binary::primitive_desc pd({algorithm, desc, other_desc, desc}, engine_);
  add_layer<dnnl::binary>(pd, {{DNNL_ARG_SRC_1, zeros(other_desc)}});
}

void OneDnnAlone::add_pooling(const exec::Call& call, dnnl::algorithm algorithm,
                              const std::vector<std::int64_t>& kernel,
                              const std::vector<std::int64_t>& strides,
                              const std::vector<std::int64_t>& padding) {
  const ir::Shape& data = live_.type(call.inputs[0]).shape;
  ir::Shape result = live_.type(call.outputs[0]).shape;
  result.resize(4, 1);
  const memory::dims before = {padding[0], padding[padding.size() > 1 ? 1 : 0]};
  memory::dims after(2);
  for (std::size_t d = 0; d < 2; ++d) {  // as far as the last window reaches
    after[d] = (result[d + 2] - 1) * strides[d] + kernel[d] - data[d + 2] - before[d];
  }
  add_layer<dnnl::pooling_forward>({{dnnl::prop_kind::forward_inference, algorithm, blocked(data),
                                     blocked(result), strides, kernel, before, after},
                                    engine_},
                                   {});
}

/// (1, groups, channels / groups, height, width) to (1, channels / groups, groups, ...).
void OneDnnAlone::add_shuffle(const exec::Call& call) {
  const ir::Shape& data = live_.type(call.inputs[0]).shape;
  if (data.size() != 5) return;
  const memory::desc desc = blocked({data[0], data[1] * data[2], data[3], data[4]});
  add_layer<dnnl::shuffle_forward>(
      {{dnnl::prop_kind::forward_inference, desc, 1, static_cast<int>(data[2])}, engine_}, {});
}

dnnl::memory::desc OneDnnAlone::blocked(const ir::Shape& shape) const {
  using Tag = memory::format_tag;
  constexpr std::array<Tag, 5> kPlain = {Tag::a, Tag::a, Tag::ab, Tag::abc, Tag::abcd};
  const memory::dims dims = shape.empty() ? memory::dims{1} : shape;
  const Tag tag = dims.size() == 4 ? Tag::nChw16c : kPlain.at(dims.size());
  return {dims, memory::data_type::f32, tag};
}

dnnl::memory OneDnnAlone::activation(const memory::desc& desc, std::size_t which) {
  std::vector<std::byte>& buffer = buffers_[which];
  check(buffer.size() >= desc.get_size() + kAlignment, "a larger activation than foreseen");
  void* start = buffer.data();
  std::size_t space = buffer.size();
  return {desc, engine_, std::align(kAlignment, desc.get_size(), start, space)};
}

dnnl::memory OneDnnAlone::zeros(const memory::desc& desc) {
  memory result(desc, engine_);
  std::fill_n(static_cast<char*>(result.get_data_handle()), desc.get_size(), 0);
  return result;
}

}  // namespace tvmq
