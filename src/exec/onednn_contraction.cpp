// Convolutions and dense layers.

#include <algorithm>
#include <limits>

#include "exec/onednn_private.h"
#include "exec/thread_count.h"

namespace tvmq::exec {
namespace {

using dnnl::memory;
using onednn::Argument;

bool is_int8_problem(const ir::TensorType& data, const ir::Tensor& weights,
                     const ir::TensorType& result) {
  return (data.dtype == ir::DType::kInt8 || data.dtype == ir::DType::kUInt8) &&
         weights.dtype() == ir::DType::kInt8 && result.dtype == ir::DType::kInt32;
}
bool is_float_problem(const ir::TensorType& data, const ir::Tensor& weights,
                      const ir::TensorType& result) {
  return data.dtype == ir::DType::kFloat32 && weights.dtype() == ir::DType::kFloat32 &&
         result.dtype == ir::DType::kFloat32;
}

/// The largest absolute value that a sum of products can have.
std::int64_t largest_sum(const ir::Tensor& weights, std::int64_t outputs, ir::DType data) {
  const auto values = weights.data<std::int8_t>();
  const std::size_t each = outputs == 0 ? 0 : values.size() / static_cast<std::size_t>(outputs);
  std::int64_t largest = 0;
  for (std::size_t begin = 0; each != 0 && begin < values.size(); begin += each) {
    std::int64_t sum = 0;
    for (std::size_t i = begin; i < begin + each; ++i) sum += std::abs(int{values[i]});
    largest = std::max(largest, sum);
  }
  return largest * (data == ir::DType::kUInt8 ? 255 : 128);
}

/// Some int8 implementations convert sums to float and back, which is exact up to 2^24; oneDNN's
/// brgemm ones store sums as they are, unless signed data has to be compensated for.
bool is_exact(const std::string& implementation, ir::DType data, std::int64_t largest) {
  const bool stores_sums = implementation.starts_with("br") && data == ir::DType::kUInt8;
  return stores_sums || largest <= (std::int64_t{1} << 24);
}

std::string layout_name(MemoryLayout layout, std::int64_t channels) {
  if (layout.plain()) return "plain";
  return layout.block == channels ? "channels last" : "channels by " + std::to_string(layout.block);
}

memory::dims minus_one(const std::vector<std::int64_t>& dilation) {
  memory::dims result(dilation.begin(), dilation.end());
  for (memory::dim& each : result) --each;
  return result;
}

/// What convolutions, transposed ones and dense layers need of a primitive descriptor.
struct Descriptors {
  dnnl::primitive primitive;
  std::string implementation;
  memory::desc data;
  memory::desc weights;
  memory::desc bias;
  memory::desc result;
  memory::desc scratchpad;
  bool one_thread = false;

  template <class Primitive, class PrimitiveDesc>
  static Descriptors of(const PrimitiveDesc& pd, bool with_bias) {
    return {.primitive = Primitive(pd),
            .implementation = pd.impl_info_str(),
            .data = pd.src_desc(),
            .weights = pd.weights_desc(),
            .bias = with_bias ? pd.bias_desc() : memory::desc(),
            .result = pd.dst_desc(),
            .scratchpad = pd.scratchpad_desc()};
  }
};

template <class Primitive>
Descriptors describe_primitive(dnnl::algorithm algorithm, const ConvolutionProblem& problem,
                               const memory::desc& data, const memory::desc& weights,
                               const memory::desc& bias, const memory::desc& result,
                               const dnnl::primitive_attr& attr) {
  const memory::dims strides(problem.strides.begin(), problem.strides.end());
  const memory::dims before(problem.pad_before.begin(), problem.pad_before.end());
  const memory::dims after(problem.pad_after.begin(), problem.pad_after.end());
  const auto kind = dnnl::prop_kind::forward_inference;
  const memory::dims dilation = minus_one(problem.dilation);
  const bool with_bias = !problem.bias.empty();
  const typename Primitive::desc desc =
      with_bias ? typename Primitive::desc(kind, algorithm, data, weights, bias, result, strides,
                                           dilation, before, after)
                : typename Primitive::desc(kind, algorithm, data, weights, result, strides,
                                           dilation, before, after);
  const typename Primitive::primitive_desc pd(desc, attr, onednn::engine());
  return Descriptors::of<Primitive>(pd, with_bias);
}

Descriptors describe_convolution_primitive(const ConvolutionProblem& problem,
                                           const memory::desc& data, const memory::desc& weights,
                                           const memory::desc& bias, const memory::desc& result,
                                           const dnnl::primitive_attr& attr) {
  if (problem.transposed) {
    return describe_primitive<dnnl::deconvolution_forward>(
        dnnl::algorithm::deconvolution_direct, problem, data, weights, bias, result, attr);
  }
  return describe_primitive<dnnl::convolution_forward>(dnnl::algorithm::convolution_direct, problem,
                                                       data, weights, bias, result, attr);
}

/// Adds the constants and arguments that every contraction has.
SelectedKernel bind(Descriptors found, const ir::Tensor& weights, const memory::desc& own_weights,
                    const std::vector<float>& bias, onednn::PostOpsBinding post) {
  onednn::BoundPrimitive bound{.primitive = std::move(found.primitive),
                               .scratchpad = found.scratchpad,
                               .arguments = std::move(post.arguments),
                               .constants = std::move(post.constants),
                               .description = found.implementation,
                               .one_thread = found.one_thread};
  const auto add_constant = [&](int id, memory constant) {
    bound.arguments.push_back(
        {.id = id, .source = Argument::Source::kConstant, .index = bound.constants.size()});
    bound.constants.push_back(std::move(constant));
  };
  add_constant(DNNL_ARG_WEIGHTS, onednn::packed(weights, own_weights, found.weights));
  if (!bias.empty()) {
    const auto size = static_cast<std::int64_t>(bias.size());
    add_constant(DNNL_ARG_BIAS,
                 onednn::packed(ir::Tensor::from<float>({size}, bias),
                                onednn::describe_plain(ir::DType::kFloat32, {size}), found.bias));
  }
  bound.arguments.push_back(
      {.id = DNNL_ARG_SRC, .source = Argument::Source::kInput, .index = 0, .desc = found.data});
  bound.arguments.push_back(
      {.id = DNNL_ARG_DST, .source = Argument::Source::kOutput, .index = 0, .desc = found.result});
  SelectedKernel selected;
  selected.kernel = onednn::make_kernel(std::move(bound));
  return selected;
}

std::size_t count_added_values(std::span<const PostOp> post) {
  return static_cast<std::size_t>(std::ranges::count(post, PostOp::Kind::kAddValue, &PostOp::kind));
}

FastKernelChoice choose_convolution(const ConvolutionProblem& problem, std::span<const PostOp> post,
                                    bool may_accumulate) {
  const bool integer = is_int8_problem(problem.data, problem.weights, problem.result);
  if (!integer && !is_float_problem(problem.data, problem.weights, problem.result)) {
    return std::string("convolutions are fast for float32, and for (u)int8 x int8 -> int32");
  }
  if (integer && !onednn::has_exact_int8()) {
    return std::string("this CPU's int8 instructions saturate (no VNNI)");
  }
  const std::int64_t channels = problem.result.shape[problem.result_channel_axis];
  ir::Shape weight_dims = problem.weights.shape();
  if (problem.groups == 1) weight_dims.erase(weight_dims.begin());
  const memory::desc own_weights = onednn::describe_plain(problem.weights.dtype(), weight_dims);
  const memory::desc any_weights(weight_dims, onednn::data_type(problem.weights.dtype()),
                                 memory::format_tag::any);
  const memory::desc bias({channels}, memory::data_type::f32, memory::format_tag::a);

  // Which layouts does oneDNN like best? Ours must be among them, else we say which.
  const memory::desc any_data = onednn::describe_any(problem.data, problem.data_channel_axis);
  const memory::desc any_result = onednn::describe_any(problem.result, problem.result_channel_axis);
  const std::size_t added = count_added_values(post);
  const bool accumulate = may_accumulate && added == 1;
  const auto attempt = [&](const memory::desc& data, const memory::desc& result,
                           const memory::desc& binary, onednn::PostOpsBinding& binding) {
    dnnl::primitive_attr attr = onednn::new_attributes();
    binding = onednn::bind_post_ops(post, binary, 1, accumulate, attr);
    return describe_convolution_primitive(problem, data, any_weights, bias, result, attr);
  };
  onednn::PostOpsBinding binding;
  // Binary post operations need the result's layout before it is known: ask without them first.
  dnnl::primitive_attr bare = onednn::new_attributes();
  Descriptors found =
      describe_convolution_primitive(problem, any_data, any_weights, bias, any_result, bare);
  auto in = onednn::recognise(found.data, problem.data, problem.data_channel_axis);
  auto out = onednn::recognise(found.result, problem.result, problem.result_channel_axis);
  if (!in || !out) {
    in = out = MemoryLayout{};
    found.data = *onednn::describe(problem.data, problem.data_channel_axis, {});
    found.result = *onednn::describe(problem.result, problem.result_channel_axis, {});
  }
  const memory::desc data = found.data;
  const memory::desc result = found.result;
  found = attempt(data, result, result, binding);
  if (found.implementation.find("gemm") != std::string::npos) {
    const ThreadCount one(1);
    found = attempt(data, result, result, binding);
    found.one_thread = true;
  }
  if (integer && !is_exact(found.implementation, problem.data.dtype,
                           largest_sum(problem.weights, channels, problem.data.dtype))) {
    return "sums beyond 2^24 are not exact in " + found.implementation;
  }
  const std::string description =
      found.implementation + ", " + layout_name(*in, problem.data.shape[problem.data_channel_axis]);
  found.implementation = description;
  SelectedKernel selected =
      bind(std::move(found), problem.weights, own_weights, problem.bias, std::move(binding));
  selected.inputs.assign(1, *in);
  selected.inputs.resize(1 + added, *out);
  selected.outputs = {*out};
  if (accumulate) {
    selected.in_place = 1;
    selected.accumulates = true;
  }
  return selected;
}

FastKernelChoice choose_dense(const DenseProblem& problem, std::span<const PostOp> post) {
  const bool integer = is_int8_problem(problem.data, problem.weights, problem.result);
  if (!integer && !is_float_problem(problem.data, problem.weights, problem.result)) {
    return std::string("dense layers are fast for float32, and for (u)int8 x int8 -> int32");
  }
  if (integer && !onednn::has_exact_int8()) {
    return std::string("this CPU's int8 instructions saturate (no VNNI)");
  }
  const std::int64_t units = problem.weights.shape()[0];
  const std::int64_t depth = problem.weights.shape()[1];
  const std::int64_t rows =
      depth == 0 ? 0 : ir::element_count(problem.data.shape).value_or(0) / depth;
  const memory::desc data = onednn::describe_plain(problem.data.dtype, {rows, depth});
  const memory::desc result = onednn::describe_plain(problem.result.dtype, {rows, units});
  const memory::desc own_weights = onednn::describe_plain(problem.weights.dtype(), {units, depth});
  const memory::desc any_weights({units, depth}, onednn::data_type(problem.weights.dtype()),
                                 memory::format_tag::any);
  const memory::desc bias({units}, memory::data_type::f32, memory::format_tag::a);
  const ThreadCount one(1);
  dnnl::primitive_attr attr = onednn::new_attributes();
  onednn::PostOpsBinding binding = onednn::bind_post_ops(post, result, 1, false, attr);
  using Dense = dnnl::inner_product_forward;
  const auto kind = dnnl::prop_kind::forward_inference;
  const Dense::desc desc = problem.bias.empty()
                               ? Dense::desc(kind, data, any_weights, result)
                               : Dense::desc(kind, data, any_weights, bias, result);
  const Dense::primitive_desc pd(desc, attr, onednn::engine());
  Descriptors found = Descriptors::of<Dense>(pd, !problem.bias.empty());
  found.one_thread = true;
  if (integer && !is_exact(found.implementation, problem.data.dtype,
                           largest_sum(problem.weights, units, problem.data.dtype))) {
    return "sums beyond 2^24 are not exact in " + found.implementation;
  }
  SelectedKernel selected =
      bind(std::move(found), problem.weights, own_weights, problem.bias, std::move(binding));
  selected.inputs.resize(1 + count_added_values(post));
  selected.outputs.resize(1);
  return selected;
}

}  // namespace

FastKernelChoice make_convolution(const ConvolutionProblem& problem, std::span<const PostOp> post,
                                  bool may_accumulate) {
  return onednn::guarded([&] { return choose_convolution(problem, post, may_accumulate); });
}

OneDnnBytes onednn_bytes() {
  if (!onednn::has_exact_int8()) return OneDnnBytes::kNot;
  const bool matrices = dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_amx;
  return matrices ? OneDnnBytes::kMatrices : OneDnnBytes::kVectors;
}

FastKernelChoice make_dense(const DenseProblem& problem, std::span<const PostOp> post) {
  return onednn::guarded([&] { return choose_dense(problem, post); });
}

}  // namespace tvmq::exec
