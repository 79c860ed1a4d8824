#include "exec/single_kernels.h"

#include <algorithm>

#include "exec/copy_kernels.h"
#include "exec/integer_pool.h"
#include "exec/onednn.h"
#include "ir/layout.h"
#include "ir/window.h"

namespace tvmq::exec {
namespace {

using ir::Node;
using ir::Op;

std::optional<std::int64_t> channel_axis(std::string_view text, std::size_t rank) {
  const auto layout = ir::Layout::parse(text);
  if (!layout || layout->rank() != rank || rank < 3 || rank > 5) return std::nullopt;
  const auto axis = layout->index_of('C');
  if (!axis || (*axis != 1 && *axis + 1 != rank) || layout->block_of('C') != 1) return std::nullopt;
  return static_cast<std::int64_t>(*axis);
}

/// The sizes of all dimensions but the batch and the channels.
std::vector<std::int64_t> spatial_sizes(const ir::Shape& shape, std::int64_t channel_axis) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t d = 1; d < static_cast<std::int64_t>(shape.size()); ++d) {
    if (d != channel_axis) sizes.push_back(shape[d]);
  }
  return sizes;
}

/// `layout` if it splits the dimension that the operator takes for the channels.
MemoryLayout if_along(MemoryLayout layout, std::int64_t channel_axis) {
  return layout.channel_axis == channel_axis ? layout : MemoryLayout{};
}

FastKernelChoice pool(const PoolProblem& problem, MemoryLayout layout) {
  layout = if_along(layout, problem.channel_axis);
  if (problem.result.dtype != problem.data.dtype) return make_integer_pool(problem, layout);
  FastKernelChoice choice = make_pool(problem, layout);
  const bool refused = std::holds_alternative<std::string>(choice);
  return refused && ir::is_integer(problem.data.dtype) ? make_integer_pool(problem, layout)
                                                       : std::move(choice);
}

/// Pooling with a window of its own.
template <class Attrs>
FastKernelChoice windowed_pool(const Attrs& attrs, PoolProblem problem, MemoryLayout layout) {
  const std::size_t rank = problem.data.shape.size();
  const auto axis = channel_axis(attrs.layout, rank);
  if (!axis || (!attrs.out_layout.empty() && attrs.out_layout != attrs.layout)) {
    return "the layout " + attrs.layout;
  }
  problem.channel_axis = *axis;
  const std::size_t spatial = rank - 2;
  problem.window = ir::per_axis(attrs.pool_size, spatial);
  problem.strides = ir::per_axis(attrs.strides, spatial);
  problem.dilation = ir::per_axis(attrs.dilation, spatial);
  const ir::IntList padding = ir::before_and_behind(attrs.padding, spatial);
  if (problem.window.size() != spatial || problem.strides.size() != spatial ||
      problem.dilation.size() != spatial || padding.size() != 2 * spatial) {
    return std::string("the number of strides, dilations or paddings");
  }
  const auto in = spatial_sizes(problem.data.shape, *axis);
  const auto out = spatial_sizes(problem.result.shape, *axis);
  for (std::size_t d = 0; d < spatial; ++d) {
    const std::int64_t reach = (problem.window[d] - 1) * problem.dilation[d] + 1;
    const std::int64_t before = padding[d];
    std::int64_t after = padding[spatial + d];
    const std::int64_t positions = (in[d] + before + after - reach) / problem.strides[d] + 1;
    if (positions != out[d]) {  // ceil_mode: the last window reaches further
      after = (out[d] - 1) * problem.strides[d] + reach - in[d] - before;
      if (problem.kind == PoolKind::kAverageWithPadding) {
        return std::string("ceil_mode with padding that counts");
      }
    }
    const std::int64_t last = (out[d] - 1) * problem.strides[d] - before;
    if (before >= reach || last >= in[d]) return std::string("a window that sees only padding");
    problem.pad_before.push_back(before);
    problem.pad_after.push_back(after);
  }
  return pool(problem, layout);
}

/// Windows that divide the data evenly, one for all of it in the simplest case.
FastKernelChoice even_pool(PoolProblem problem, std::optional<std::int64_t> axis,
                           MemoryLayout layout) {
  if (!axis) return std::string("the layout of the data");
  problem.channel_axis = *axis;
  const auto in = spatial_sizes(problem.data.shape, *axis);
  const auto out = spatial_sizes(problem.result.shape, *axis);
  for (std::size_t d = 0; d < in.size(); ++d) {
    if (out[d] < 1 || in[d] % out[d] != 0) return std::string("windows of unequal sizes");
    problem.window.push_back(in[d] / out[d]);
    problem.strides.push_back(in[d] / out[d]);
    problem.dilation.push_back(1);
    problem.pad_before.push_back(0);
    problem.pad_after.push_back(0);
  }
  return pool(problem, layout);
}

/// mean, sum or max over all spatial dimensions: a pool whose result has lost them.
FastKernelChoice reduce_pixels(const LiveValues& live, const Call& call,
                               const ir::ReduceAttrs& attrs, PoolKind kind, MemoryLayout layout) {
  const ir::TensorType& data = live.type(call.inputs[0]);
  const auto rank = static_cast<std::int64_t>(data.shape.size());
  if (!attrs.axis || attrs.exclude || rank < 3 || rank > 5 ||
      static_cast<std::int64_t>(attrs.axis->size()) != rank - 2) {
    return std::string("a reduction over other than the spatial dimensions");
  }
  std::vector<bool> reduced(data.shape.size(), false);
  for (const std::int64_t axis : *attrs.axis) reduced.at(axis < 0 ? axis + rank : axis) = true;
  std::int64_t channels = 0;
  for (std::int64_t d = 1; d < rank; ++d) {
    if (!reduced[d]) channels = d;
  }
  if (reduced[0] || (channels != 1 && channels != rank - 1)) {
    return std::string("a reduction over other than the spatial dimensions");
  }
  PoolProblem problem{.data = data, .result = data, .kind = kind};
  problem.result.dtype = live.type(call.outputs[0]).dtype;
  if (problem.result.dtype != data.dtype && kind != PoolKind::kSum) {
    return std::string("a result of another dtype");
  }
  for (std::int64_t d = 0; d < rank; ++d) {
    if (reduced[d]) problem.result.shape[d] = 1;
  }
  FastKernelChoice choice = even_pool(problem, channels, layout);
  auto* selected = std::get_if<SelectedKernel>(&choice);
  if (selected != nullptr && !selected->outputs[0].plain()) {  // channels that leave gaps
    return even_pool(problem, channels, {.block = data.shape[channels], .channel_axis = channels});
  }
  return choice;
}

FastKernelChoice softmax(const LiveValues& live, const Call& call, const ir::SoftmaxAttrs& attrs,
                         bool logarithm) {
  const ir::TensorType& type = live.type(call.outputs[0]);
  const auto rank = static_cast<std::int64_t>(type.shape.size());
  if (rank == 0) return std::string("a scalar");
  return make_softmax(type, attrs.axis < 0 ? attrs.axis + rank : attrs.axis, logarithm);
}

FastKernelChoice lrn(const LiveValues& live, const Call& call, const ir::LRNAttrs& attrs,
                     MemoryLayout layout) {
  const ir::TensorType& type = live.type(call.outputs[0]);
  const auto rank = static_cast<std::int64_t>(type.shape.size());
  const std::int64_t axis = attrs.axis < 0 ? attrs.axis + rank : attrs.axis;
  if (rank != 4 || (axis != 1 && axis != 3)) return std::string("normalisation within a channel");
  return make_lrn({.type = type,
                   .axis = axis,
                   .size = attrs.size,
                   .alpha = static_cast<float>(attrs.alpha),
                   .beta = static_cast<float>(attrs.beta),
                   .bias = static_cast<float>(attrs.bias)},
                  if_along(layout, axis));
}

FastKernelChoice layer_norm(const LiveValues& live, const Call& call,
                            const ir::LayerNormAttrs& attrs) {
  const ir::TensorType& type = live.type(call.outputs[0]);
  const auto rank = static_cast<std::int64_t>(type.shape.size());
  const ir::Tensor& gamma = live[call.inputs[1]].constant;
  const ir::Tensor& beta = live[call.inputs[2]].constant;
  const std::int64_t axis = attrs.axis < 0 ? attrs.axis + rank : attrs.axis;
  if (axis != rank - 1 || gamma.empty() || beta.empty() || !attrs.center || !attrs.scale ||
      gamma.dtype() != ir::DType::kFloat32 || beta.dtype() != ir::DType::kFloat32) {
    return std::string("layer normalisation over other than the last dimension");
  }
  return make_layer_norm(type, static_cast<float>(attrs.epsilon), gamma, beta);
}

FastKernelChoice product(const LiveValues& live, const Call& call, bool transpose_x,
                         bool transpose_y) {
  const BatchMatmulProblem problem{.x = live.type(call.inputs[0]),
                                   .y = live.type(call.inputs[1]),
                                   .result = live.type(call.outputs[0]),
                                   .transpose_x = transpose_x,
                                   .transpose_y = transpose_y};
  if (problem.x.shape.size() != problem.y.shape.size() || problem.x.shape.size() < 2 ||
      problem.x.shape.size() != problem.result.shape.size()) {
    return std::string("products of different ranks");
  }
  return make_batch_matmul(problem);
}

PoolProblem pool_problem(const LiveValues& live, const Call& call, PoolKind kind) {
  return {.data = live.type(call.inputs[0]), .result = live.type(call.outputs[0]), .kind = kind};
}

template <class Attrs>
FastKernelChoice adaptive_pool(const LiveValues& live, const Call& call, const Attrs& attrs,
                               PoolKind kind, MemoryLayout layout) {
  const PoolProblem problem = pool_problem(live, call, kind);
  return even_pool(problem, channel_axis(attrs.layout, problem.data.shape.size()), layout);
}

template <class Attrs>
FastKernelChoice average_pool(const LiveValues& live, const Call& call, const Attrs& attrs,
                              MemoryLayout layout) {
  const PoolKind kind =
      attrs.count_include_pad ? PoolKind::kAverageWithPadding : PoolKind::kAverage;
  return windowed_pool(attrs, pool_problem(live, call, kind), layout);
}

FastKernelChoice pool_kernel(const Node& node, const LiveValues& live, const Call& call,
                             MemoryLayout layout) {
  const auto maximum = [&](const auto& attrs) {
    return windowed_pool(attrs, pool_problem(live, call, PoolKind::kMaximum), layout);
  };
  switch (node.op) {
    case Op::kMaxPool1D:
      return maximum(node.attrs_as<ir::MaxPool1DAttrs>());
    case Op::kMaxPool2D:
      return maximum(node.attrs_as<ir::MaxPool2DAttrs>());
    case Op::kMaxPool3D:
      return maximum(node.attrs_as<ir::MaxPool3DAttrs>());
    case Op::kAvgPool1D:
      return average_pool(live, call, node.attrs_as<ir::AvgPool1DAttrs>(), layout);
    case Op::kAvgPool2D:
      return average_pool(live, call, node.attrs_as<ir::AvgPool2DAttrs>(), layout);
    case Op::kAvgPool3D:
      return average_pool(live, call, node.attrs_as<ir::AvgPool3DAttrs>(), layout);
    case Op::kGlobalAvgPool2D:
      return adaptive_pool(live, call, node.attrs_as<ir::GlobalPool2DAttrs>(), PoolKind::kAverage,
                           layout);
    case Op::kGlobalMaxPool2D:
      return adaptive_pool(live, call, node.attrs_as<ir::GlobalPool2DAttrs>(), PoolKind::kMaximum,
                           layout);
    case Op::kAdaptiveAvgPool1D:
      return adaptive_pool(live, call, node.attrs_as<ir::AdaptivePool1DAttrs>(), PoolKind::kAverage,
                           layout);
    case Op::kAdaptiveMaxPool1D:
      return adaptive_pool(live, call, node.attrs_as<ir::AdaptivePool1DAttrs>(), PoolKind::kMaximum,
                           layout);
    case Op::kAdaptiveAvgPool2D:
      return adaptive_pool(live, call, node.attrs_as<ir::AdaptivePool2DAttrs>(), PoolKind::kAverage,
                           layout);
    case Op::kAdaptiveMaxPool2D:
      return adaptive_pool(live, call, node.attrs_as<ir::AdaptivePool2DAttrs>(), PoolKind::kMaximum,
                           layout);
    case Op::kAdaptiveAvgPool3D:
      return adaptive_pool(live, call, node.attrs_as<ir::AdaptivePool3DAttrs>(), PoolKind::kAverage,
                           layout);
    case Op::kAdaptiveMaxPool3D:
      return adaptive_pool(live, call, node.attrs_as<ir::AdaptivePool3DAttrs>(), PoolKind::kMaximum,
                           layout);
    default:
      return std::string("no pool");
  }
}

}  // namespace

FastKernelChoice make_single_kernel(const ir::Graph& graph, const LiveValues& live,
                                    const Call& call, MemoryLayout layout) {
  const Node& node = graph[call.node];
  if (has_no_elements(live, call)) return std::string("values without elements");
  if (node.op >= Op::kMaxPool1D && node.op <= Op::kAdaptiveMaxPool3D) {
    return pool_kernel(node, live, call, layout);
  }
  switch (node.op) {
    case Op::kMean:
      return reduce_pixels(live, call, node.attrs_as<ir::ReduceAttrs>(), PoolKind::kAverage,
                           layout);
    case Op::kSum:
      return reduce_pixels(live, call, node.attrs_as<ir::ReduceAttrs>(), PoolKind::kSum, layout);
    case Op::kMax:
      return reduce_pixels(live, call, node.attrs_as<ir::ReduceAttrs>(), PoolKind::kMaximum,
                           layout);
    case Op::kSoftmax:
      return softmax(live, call, node.attrs_as<ir::SoftmaxAttrs>(), false);
    case Op::kLogSoftmax:
      return softmax(live, call, node.attrs_as<ir::SoftmaxAttrs>(), true);
    case Op::kLayerNorm:
      return layer_norm(live, call, node.attrs_as<ir::LayerNormAttrs>());
    case Op::kLrn:
      return lrn(live, call, node.attrs_as<ir::LRNAttrs>(), layout);
    case Op::kDense:
      return product(live, call, false, true);
    case Op::kMatmul: {
      const auto& attrs = node.attrs_as<ir::MatmulAttrs>();
      return product(live, call, attrs.transpose_a, attrs.transpose_b);
    }
    case Op::kBatchMatmul: {
      const auto& attrs = node.attrs_as<ir::BatchMatmulAttrs>();
      return product(live, call, attrs.transpose_a, attrs.transpose_b);
    }
    default:
      return make_copy_kernel(graph, live, call, layout);
  }
}

}  // namespace tvmq::exec
