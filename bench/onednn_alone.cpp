#include "onednn_alone.h"

#include <algorithm>
#include <memory>

#include "exec/convolution_problem.h"
#include "exec/elementwise.h"

namespace tvmq {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kLargestActivation = std::size_t{1} << 25;

dnnl::memory::data_type type_of(ir::DType dtype) {
  switch (dtype) {
    case ir::DType::kUInt8:
      return dnnl::memory::data_type::u8;
    case ir::DType::kInt8:
      return dnnl::memory::data_type::s8;
    case ir::DType::kInt32:
      return dnnl::memory::data_type::s32;
    default:
      return dnnl::memory::data_type::f32;
  }
}

dnnl::memory::desc any(const dnnl::memory::dims& dims, ir::DType dtype = ir::DType::kFloat32) {
  return {dims, type_of(dtype), dnnl::memory::format_tag::any};
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
      integer_(std::ranges::any_of(live_.calls,
                                   [&](const exec::Call& call) {
                                     return live_.type(call.outputs[0]).dtype == ir::DType::kUInt8;
                                   })),
      buffers_{std::vector<std::byte>(kLargestActivation),
               std::vector<std::byte>(kLargestActivation)} {
  for (const exec::FusedStep& step : exec::fuse(graph, live_, true)) {
    if (const auto* contraction = std::get_if<exec::ContractionStep>(&step)) {
      add(*contraction);
    } else if (const auto* elementwise = std::get_if<exec::ElementwiseStep>(&step)) {
      add(*elementwise);
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
  if (step.prologue) add(*step.prologue);
  const auto kind = dnnl::prop_kind::forward_inference;
  const exec::Call& call = live_.calls[step.call];
  const ir::TensorType& weights = live_.type(call.inputs[1]);
  const ir::TensorType& data = live_.type(step.data);
  const ir::TensorType& stored = live_.type(step.epilogue ? step.epilogue->output : step.output);
  const dnnl::primitive_attr attributes =
      data.dtype == ir::DType::kFloat32 ? fused(step.post) : integer_attributes(step, stored);
  if (graph_[call.node].op == ir::Op::kDense) {
    const std::int64_t units = weights.shape[0];
    const dnnl::inner_product_forward::primitive_desc pd(
        {kind, any(data.shape, data.dtype), any(weights.shape, weights.dtype), any({units}),
         any({data.shape[0], units}, stored.dtype)},
        attributes, engine_);
    add_layer<dnnl::inner_product_forward>(
        pd, {{DNNL_ARG_WEIGHTS, zeros(pd.weights_desc())}, {DNNL_ARG_BIAS, zeros(pd.bias_desc())}});
    return;
  }
  const auto found = exec::describe_convolution(graph_, live_, step);
  const auto& problem = std::get<exec::ConvolutionProblem>(found);
  memory::dims weight_dims = problem.weights.shape();
  if (problem.groups == 1) weight_dims.erase(weight_dims.begin());
  memory::dims dilation = problem.dilation;
  for (memory::dim& each : dilation) --each;
  const memory::dims result = canonical(problem.result.shape, problem.result_channel_axis);
  const dnnl::convolution_forward::primitive_desc pd(
      {kind, dnnl::algorithm::convolution_direct,
       any(canonical(problem.data.shape, problem.data_channel_axis), data.dtype),
       any(weight_dims, weights.dtype), any({result[1]}), any(result, stored.dtype),
       problem.strides, dilation, problem.pad_before, problem.pad_after},
      attributes, engine_);
  std::unordered_map<int, memory> constants = {{DNNL_ARG_WEIGHTS, zeros(pd.weights_desc())},
                                               {DNNL_ARG_BIAS, zeros(pd.bias_desc())}};
  const dnnl::post_ops ops = attributes.get_post_ops();
  for (int i = 0; i < ops.len(); ++i) {
    if (ops.kind(i) != dnnl::primitive::kind::binary) continue;
    dnnl::algorithm algorithm{};
    memory::desc other;
    ops.get_params_binary(i, algorithm, other);
    constants.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(i) | DNNL_ARG_SRC_1, zeros(other));
  }
  add_layer<dnnl::convolution_forward>(pd, std::move(constants));
}

/// A scale per channel, then what the epilogue contains: a sigmoid, bounds, another value.
dnnl::primitive_attr OneDnnAlone::integer_attributes(const exec::ContractionStep& step,
                                                     const ir::TensorType& result) const {
  constexpr int kPerChannel = 1 << 1;
  const ir::TensorType& weights = live_.type(live_.calls[step.call].inputs[1]);
  const ir::Shape& sums = live_.type(step.output).shape;
  const bool dense = sums.size() == 2;
  const std::int64_t channels = dense ? weights.shape[0] : sums[1];
  dnnl::primitive_attr attributes;
  attributes.set_output_scales(kPerChannel,
                               std::vector<float>(static_cast<std::size_t>(channels), 0.01F));
  if (!step.epilogue) return attributes;
  dnnl::post_ops ops;
  bool swish = false;
  bool adds = false;
  for (const std::uint32_t index : step.epilogue->calls) {
    const exec::Call& call = live_.calls[index];
    const ir::Op op = graph_[call.node].op;
    swish = swish || op == ir::Op::kFastExp || op == ir::Op::kSigmoid;
    if (op == ir::Op::kRelu) ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0, 0);
    for (const exec::ValueId input : call.inputs) {
      const exec::Value& value = live_[input];
      const bool inside = std::ranges::any_of(step.epilogue->calls, [&](std::uint32_t other) {
        return live_.calls[other].outputs[0] == input;
      });
      adds = adds ||
             (!value.is_constant() && !inside && input != step.output && value.type.shape == sums);
    }
  }
  if (swish) ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_swish, 1.0F, 0.0F);
  if (adds && !dense) {
    ops.append_binary(dnnl::algorithm::binary_add, blocked({result.dtype, sums}));
  }
  attributes.set_post_ops(ops);
  return attributes;
}

/// Floats: operator by operator. Integers: one conversion, or one product of two values.
void OneDnnAlone::add(const exec::ElementwiseStep& step) {
  const ir::TensorType& result = live_.type(step.output);
  if (result.dtype == ir::DType::kFloat32) {
    for (const std::uint32_t call : step.calls) add_operator(live_.calls[call]);
    return;
  }
  const std::vector<exec::ValueId> operands = exec::elementwise_operands(live_, step);
  if (operands.empty() || ir::element_count(result.shape).value_or(0) == 0) return;
  const memory::desc to = blocked(result);
  if (operands.size() == 1) {
    const memory::desc from = blocked({live_.type(operands[0]).dtype, result.shape});
    const dnnl::reorder::primitive_desc pd(engine_, from, engine_, to);
    layers_.push_back({.primitive = dnnl::reorder(pd),
                       .arguments = {{DNNL_ARG_FROM, activation(from, layers_.size() % 2)},
                                     {DNNL_ARG_TO, activation(to, 1 - layers_.size() % 2)}}});
    return;
  }
  ir::Shape other = live_.type(operands[1]).shape;
  other.insert(other.begin(), result.shape.size() - std::min(result.shape.size(), other.size()), 1);
  const memory::desc other_desc = blocked({result.dtype, other});
  const dnnl::binary::primitive_desc pd({dnnl::algorithm::binary_mul, to, other_desc, to}, engine_);
  add_layer<dnnl::binary>(pd, {{DNNL_ARG_SRC_1, zeros(other_desc)}});
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
    case ir::Op::kSum:
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
  const memory::desc desc = blocked(live_.type(call.outputs[0]));
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
  const memory::desc desc = blocked({ir::DType::kFloat32, result});
  const memory::desc other_desc = blocked({ir::DType::kFloat32, other});
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
  // Means of integers end up as bytes, whatever a graph computes them in.
  ir::DType dtype = live_.type(call.inputs[0]).dtype;
  if (dtype != ir::DType::kFloat32) dtype = ir::DType::kUInt8;
  add_layer<dnnl::pooling_forward>(
      {{dnnl::prop_kind::forward_inference, algorithm, blocked({dtype, data}),
        blocked({dtype, result}), strides, kernel, before, after},
       engine_},
      {});
}

/// (1, groups, channels / groups, height, width) to (1, channels / groups, groups, ...).
void OneDnnAlone::add_shuffle(const exec::Call& call) {
  const ir::Shape& data = live_.type(call.inputs[0]).shape;
  if (data.size() != 5) return;
  const memory::desc desc =
      blocked({live_.type(call.inputs[0]).dtype, {data[0], data[1] * data[2], data[3], data[4]}});
  add_layer<dnnl::shuffle_forward>(
      {{dnnl::prop_kind::forward_inference, desc, 1, static_cast<int>(data[2])}, engine_}, {});
}

dnnl::memory::desc OneDnnAlone::blocked(const ir::TensorType& type) const {
  using Tag = memory::format_tag;
  constexpr std::array<Tag, 5> kPlain = {Tag::a, Tag::a, Tag::ab, Tag::abc, Tag::abcd};
  const memory::dims dims = type.shape.empty() ? memory::dims{1} : type.shape;
  // What oneDNN likes best: blocks for floats, channels last for bytes and what meets them.
  const Tag images = integer_ ? Tag::nhwc : Tag::nChw16c;
  return {dims, type_of(type.dtype), dims.size() == 4 ? images : kPlain.at(dims.size())};
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
