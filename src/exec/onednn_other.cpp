// Pooling, normalisation, batched products and copies between layouts.

#include <algorithm>

#include "exec/onednn_private.h"
#include "exec/thread_count.h"

namespace tvmq::exec {
namespace {

using dnnl::memory;
using onednn::Argument;

constexpr auto kInference = dnnl::prop_kind::forward_inference;

/// One input, one output.
SelectedKernel unary(dnnl::primitive primitive, const memory::desc& scratchpad,
                     std::string description, const memory::desc& source, MemoryLayout in,
                     const memory::desc& target, MemoryLayout out) {
  SelectedKernel selected;
  selected.kernel = onednn::make_kernel(
      {.primitive = std::move(primitive),
       .scratchpad = scratchpad,
       .arguments = {{.id = DNNL_ARG_SRC, .source = Argument::Source::kInput, .desc = source},
                     {.id = DNNL_ARG_DST, .source = Argument::Source::kOutput, .desc = target}},
       .description = std::move(description)});
  selected.inputs = {in};
  selected.outputs = {out};
  return selected;
}

dnnl::algorithm pooling_algorithm(PoolKind kind) {
  if (kind == PoolKind::kMaximum) return dnnl::algorithm::pooling_max;
  return kind == PoolKind::kAverage ? dnnl::algorithm::pooling_avg_exclude_padding
                                    : dnnl::algorithm::pooling_avg_include_padding;
}

FastKernelChoice choose_pool(const PoolProblem& problem, MemoryLayout layout) {
  const bool is_float = problem.data.dtype == ir::DType::kFloat32;
  const bool is_byte =
      problem.data.dtype == ir::DType::kInt8 || problem.data.dtype == ir::DType::kUInt8;
  if (problem.kind == PoolKind::kSum) return std::string("sums over windows");
  if (!is_float && !(is_byte && problem.kind == PoolKind::kMaximum)) {
    return std::string("pooling is fast for float32, and the maximum for (u)int8");
  }
  // The implementations for split channels are the fast ones. Where a plain value is the same bytes
  // as one with its channels last (one pixel), it is described as such.
  if (layout.plain()) {
    layout = {.block = problem.data.shape[problem.channel_axis],
              .channel_axis = problem.channel_axis};
  }
  const auto data = onednn::describe(problem.data, problem.channel_axis, layout);
  const auto result = onednn::describe(problem.result, problem.channel_axis, layout);
  if (!data || !result) return std::string("the layout of the data");
  const dnnl::pooling_v2_forward::desc desc(
      kInference, pooling_algorithm(problem.kind), *data, *result,
      memory::dims(problem.strides.begin(), problem.strides.end()),
      memory::dims(problem.window.begin(), problem.window.end()),
      [&] {
        memory::dims dilation(problem.dilation.begin(), problem.dilation.end());
        for (memory::dim& each : dilation) --each;
        return dilation;
      }(),
      memory::dims(problem.pad_before.begin(), problem.pad_before.end()),
      memory::dims(problem.pad_after.begin(), problem.pad_after.end()));
  const dnnl::pooling_v2_forward::primitive_desc pd(desc, onednn::new_attributes(),
                                                    onednn::engine());
  return unary(dnnl::pooling_v2_forward(pd), pd.scratchpad_desc(), pd.impl_info_str(), *data,
               normalized(layout, problem.data.shape), *result,
               normalized(layout, problem.result.shape));
}

FastKernelChoice choose_softmax(const ir::TensorType& type, std::int64_t axis, bool logarithm) {
  if (type.dtype != ir::DType::kFloat32) return std::string("softmax is fast for float32");
  const memory::desc desc = onednn::describe_plain(type.dtype, type.shape);
  const dnnl::softmax_v2_forward::desc op(
      kInference, logarithm ? dnnl::algorithm::softmax_log : dnnl::algorithm::softmax_accurate,
      desc, desc, static_cast<int>(axis));
  const dnnl::softmax_v2_forward::primitive_desc pd(op, onednn::new_attributes(), onednn::engine());
  SelectedKernel selected = unary(dnnl::softmax_v2_forward(pd), pd.scratchpad_desc(),
                                  pd.impl_info_str(), desc, {}, desc, {});
  selected.in_place = 0;
  return selected;
}

FastKernelChoice choose_lrn(const LrnProblem& problem, MemoryLayout layout) {
  if (problem.type.dtype != ir::DType::kFloat32 || problem.type.shape.size() != 4) {
    return std::string("local response normalisation is fast for float32 images");
  }
  const auto desc = onednn::describe(problem.type, problem.axis, layout);
  if (!desc) return std::string("the layout of the data");
  const dnnl::lrn_forward::desc op(kInference, dnnl::algorithm::lrn_across_channels, *desc,
                                   problem.size, problem.alpha, problem.beta, problem.bias);
  const dnnl::lrn_forward::primitive_desc pd(op, onednn::new_attributes(), onednn::engine());
  return unary(dnnl::lrn_forward(pd), pd.scratchpad_desc(), pd.impl_info_str(), *desc, layout,
               *desc, layout);
}

FastKernelChoice choose_layer_norm(const ir::TensorType& type, float epsilon,
                                   const ir::Tensor& scale, const ir::Tensor& shift) {
  if (type.dtype != ir::DType::kFloat32 || type.shape.size() < 2 || type.shape.size() > 5) {
    return std::string("layer normalisation is fast for float32 of 2 to 5 dimensions");
  }
  using Flags = dnnl::normalization_flags;
  const memory::desc desc = onednn::describe_plain(type.dtype, type.shape);
  const dnnl::layer_normalization_forward::desc op(kInference, desc, epsilon,
                                                   Flags::use_scale | Flags::use_shift);
  const dnnl::layer_normalization_forward::primitive_desc pd(op, onednn::new_attributes(),
                                                             onednn::engine());
  const memory::desc vector = onednn::describe_plain(type.dtype, {type.shape.back()});
  SelectedKernel selected;
  selected.kernel = onednn::make_kernel(
      {.primitive = dnnl::layer_normalization_forward(pd),
       .scratchpad = pd.scratchpad_desc(),
       .arguments = {{.id = DNNL_ARG_SRC, .source = Argument::Source::kInput, .desc = desc},
                     {.id = DNNL_ARG_DST, .source = Argument::Source::kOutput, .desc = desc},
                     {.id = DNNL_ARG_SCALE, .source = Argument::Source::kConstant, .index = 0},
                     {.id = DNNL_ARG_SHIFT, .source = Argument::Source::kConstant, .index = 1}},
       .constants = {onednn::packed(scale, vector, vector), onednn::packed(shift, vector, vector)},
       .description = pd.impl_info_str()});
  selected.inputs = {{}};
  selected.outputs = {{}};
  return selected;
}

FastKernelChoice choose_reorder(const ir::TensorType& type, MemoryLayout from, MemoryLayout to) {
  const auto dtype = onednn::data_type(type.dtype);
  if (dtype == memory::data_type::undef) return std::string("the dtype");
  const std::int64_t axis = from.plain() ? to.channel_axis : from.channel_axis;
  const auto source = onednn::describe(type, axis, from);
  const auto target = onednn::describe(type, axis, to);
  if (!source || !target) return std::string("the layouts");
  const dnnl::reorder::primitive_desc pd(onednn::engine(), *source, onednn::engine(), *target,
                                         onednn::new_attributes());
  return unary(dnnl::reorder(pd), pd.scratchpad_desc(), pd.impl_info_str(), *source, from, *target,
               to);
}

FastKernelChoice choose_batch_matmul(const BatchMatmulProblem& problem) {
  for (const ir::TensorType* each : {&problem.x, &problem.y, &problem.result}) {
    if (each->dtype != ir::DType::kFloat32) return std::string("products are fast for float32");
  }
  const auto transposed = [](const ir::TensorType& type, bool transpose) {
    memory::dims dims(type.shape.begin(), type.shape.end());
    const std::size_t last = dims.size() - 1;
    memory::dims strides(dims.size(), 1);
    for (std::size_t d = last; d-- > 0;) strides[d] = strides[d + 1] * dims[d + 1];
    if (transpose) {
      std::swap(dims[last - 1], dims[last]);
      std::swap(strides[last - 1], strides[last]);
    }
    return memory::desc(dims, memory::data_type::f32, strides);
  };
  const memory::desc x = transposed(problem.x, problem.transpose_x);
  const memory::desc y = transposed(problem.y, problem.transpose_y);
  const memory::desc result = transposed(problem.result, false);
  const ThreadCount one(1);
  const dnnl::matmul::primitive_desc pd(dnnl::matmul::desc(x, y, result), onednn::new_attributes(),
                                        onednn::engine());
  SelectedKernel selected;
  selected.kernel = onednn::make_kernel(
      {.primitive = dnnl::matmul(pd),
       .scratchpad = pd.scratchpad_desc(),
       .arguments =
           {{.id = DNNL_ARG_SRC, .source = Argument::Source::kInput, .desc = x},
            {.id = DNNL_ARG_WEIGHTS, .source = Argument::Source::kInput, .index = 1, .desc = y},
            {.id = DNNL_ARG_DST, .source = Argument::Source::kOutput, .desc = result}},
       .description = pd.impl_info_str(),
       .one_thread = true});
  selected.inputs.resize(2);
  selected.outputs.resize(1);
  return selected;
}

}  // namespace

FastKernelChoice make_pool(const PoolProblem& problem, MemoryLayout data_layout) {
  return onednn::guarded([&] { return choose_pool(problem, data_layout); });
}
FastKernelChoice make_softmax(const ir::TensorType& type, std::int64_t axis, bool logarithm) {
  return onednn::guarded([&] { return choose_softmax(type, axis, logarithm); });
}
FastKernelChoice make_layer_norm(const ir::TensorType& type, float epsilon, const ir::Tensor& scale,
                                 const ir::Tensor& shift) {
  return onednn::guarded([&] { return choose_layer_norm(type, epsilon, scale, shift); });
}
FastKernelChoice make_lrn(const LrnProblem& problem, MemoryLayout layout) {
  return onednn::guarded([&] { return choose_lrn(problem, layout); });
}
FastKernelChoice make_reorder(const ir::TensorType& type, MemoryLayout from, MemoryLayout to) {
  return onednn::guarded([&] { return choose_reorder(type, from, to); });
}
FastKernelChoice make_batch_matmul(const BatchMatmulProblem& problem) {
  return onednn::guarded([&] { return choose_batch_matmul(problem); });
}

}  // namespace tvmq::exec
