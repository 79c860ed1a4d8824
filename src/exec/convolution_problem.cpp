#include "exec/convolution_problem.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "ir/layout.h"
#include "ir/window.h"

namespace tvmq::exec {
namespace {

/// The attributes that all convolutions have.
struct Common {
  std::string_view data_layout;
  std::string_view kernel_layout;
  std::string_view out_layout;
  ir::IntList strides;
  ir::IntList padding;
  ir::IntList dilation;
  ir::IntList output_padding;
  std::int64_t groups = 1;
};

template <class Attrs>
Common common_of(const Attrs& attrs) {
  Common common{.data_layout = attrs.data_layout,
                .kernel_layout = attrs.kernel_layout,
                .out_layout = attrs.out_layout,
                .strides = attrs.strides,
                .padding = attrs.padding,
                .dilation = attrs.dilation,
                .output_padding = {},
                .groups = attrs.groups};
  if constexpr (requires { attrs.output_padding; }) common.output_padding = attrs.output_padding;
  return common;
}

Common common_of(const ir::Node& node) {
  switch (node.op) {
    case ir::Op::kConv1D:
      return common_of(node.attrs_as<ir::Conv1DAttrs>());
    case ir::Op::kConv3D:
      return common_of(node.attrs_as<ir::Conv3DAttrs>());
    case ir::Op::kConv2DTranspose:
      return common_of(node.attrs_as<ir::Conv2DTransposeAttrs>());
    default:
      return common_of(node.attrs_as<ir::Conv2DAttrs>());
  }
}

/// Where N and C are, if the layout is N, C and the spatial dimensions in order, unblocked, with
/// the channels second or last.
std::optional<std::int64_t> channel_axis(std::string_view text, std::size_t rank) {
  const auto layout = ir::Layout::parse(text);
  if (!layout || layout->rank() != rank || layout->axes()[0].dimension != 'N') return std::nullopt;
  std::string spatial;
  std::optional<std::int64_t> axis;
  for (std::size_t i = 1; i < rank; ++i) {
    const char dimension = layout->axes()[i].dimension;
    if (layout->axes()[i].block != 0) return std::nullopt;
    if (dimension == 'C') {
      axis = static_cast<std::int64_t>(i);
    } else {
      spatial += dimension;
    }
  }
  const bool in_order =
      std::string_view("DHW").substr(3 - std::min<std::size_t>(spatial.size(), 3)) == spatial;
  if (!axis || !in_order) return std::nullopt;
  if (*axis != 1 && *axis + 1 != static_cast<std::int64_t>(rank)) return std::nullopt;
  return axis;
}

/// `source` with its dimensions in another order: dimension i of the result is order[i] of
/// `source`.
ir::Tensor permuted(const ir::Tensor& source, const std::vector<std::size_t>& order) {
  ir::Shape shape;
  std::vector<std::int64_t> own(order.size(), 1);
  for (std::size_t d = order.size(); d-- > 1;) own[d - 1] = own[d] * source.shape()[d];
  std::vector<std::int64_t> strides;
  bool same = true;
  for (std::size_t d = 0; d < order.size(); ++d) {
    shape.push_back(source.shape()[order[d]]);
    strides.push_back(own[order[d]]);
    same = same && order[d] == d;
  }
  if (same) return source;
  ir::Tensor result(source.dtype(), shape);
  const std::size_t size = ir::dtype_size(source.dtype());
  std::vector<std::int64_t> index(order.size(), 0);
  std::int64_t from = 0;
  for (std::int64_t i = 0; i < result.size(); ++i) {
    std::memcpy(result.mutable_bytes() + i * size, source.bytes() + from * size, size);
    for (std::size_t d = order.size(); d-- > 0;) {
      from += strides[d];
      if (++index[d] < shape[d]) break;
      from -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return result;
}

/// Weights as (groups, O / groups, I / groups, kernel...); the reason if they do not fit.
std::variant<ir::Tensor, std::string> canonical_weights(const ir::Tensor& weights,
                                                        std::string_view text, bool transposed,
                                                        const ConvolutionProblem& problem) {
  const auto layout = ir::Layout::parse(text);
  const std::size_t rank = problem.data.shape.size();
  if (!layout || layout->rank() != rank) return "the weight layout " + std::string(text);
  std::vector<std::size_t> order;
  // In a transposed convolution's weights O counts per group and I all groups.
  const std::string_view wanted = transposed ? "IODHW" : "OIDHW";
  for (const char dimension : wanted) {
    const auto at = layout->index_of(dimension);
    if (at) order.push_back(*at);
  }
  if (order.size() != rank) return "the weight layout " + std::string(text);
  const ir::Tensor plain = permuted(weights, order);
  const std::int64_t in = problem.data.shape[problem.data_channel_axis];
  const std::int64_t out = problem.result.shape[problem.result_channel_axis];
  const std::int64_t g = problem.groups;
  if (g < 1 || in % g != 0 || out % g != 0) return std::string("the number of groups");
  ir::Shape shape = {g, out / g, in / g};
  if (transposed) std::swap(shape[1], shape[2]);
  shape.insert(shape.end(), plain.shape().begin() + 2, plain.shape().end());
  if (ir::element_count(shape) != plain.size()) return std::string("the shape of the weights");
  const ir::Tensor grouped = plain.reshaped(shape);
  if (!transposed) return grouped;
  std::vector<std::size_t> swap = {0, 2, 1};
  for (std::size_t d = 3; d < shape.size(); ++d) swap.push_back(d);
  return permuted(grouped, swap);
}

ir::Tensor scaled(const ir::Tensor& weights, const std::vector<float>& scale) {
  ir::Tensor result(weights.dtype(), weights.shape());
  const auto from = weights.data<float>();
  const auto to = result.mutable_data<float>();
  const std::size_t each = scale.empty() ? 0 : from.size() / scale.size();
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i] * scale[i / each];
  return result;
}

}  // namespace

std::variant<ConvolutionProblem, std::string> describe_convolution(const ir::Graph& graph,
                                                                   const LiveValues& live,
                                                                   const ContractionStep& step) {
  const Call& call = live.calls[step.call];
  const ir::Node& node = graph[call.node];
  const Common common = common_of(node);
  ConvolutionProblem problem{.data = live.type(step.data),
                             .result = live.type(step.output),
                             .transposed = node.op == ir::Op::kConv2DTranspose,
                             .groups = common.groups,
                             .pad_value = step.pad_value};
  const std::size_t rank = problem.data.shape.size();
  const std::size_t spatial = rank - 2;
  const auto in_axis = channel_axis(common.data_layout, rank);
  const auto out_axis =
      channel_axis(common.out_layout.empty() ? common.data_layout : common.out_layout, rank);
  if (rank < 3 || !in_axis || !out_axis) return "the layout " + std::string(common.data_layout);
  problem.data_channel_axis = *in_axis;
  problem.result_channel_axis = *out_axis;

  problem.strides = ir::per_axis(common.strides, spatial);
  problem.dilation = ir::per_axis(common.dilation, spatial);
  const ir::IntList padding = ir::before_and_behind(common.padding, spatial);
  if (padding.size() != 2 * spatial || problem.strides.size() != spatial ||
      problem.dilation.size() != spatial) {
    return std::string("the number of strides, dilations or paddings");
  }
  for (std::size_t d = 0; d < spatial; ++d) {
    problem.pad_before.push_back(padding[d]);
    problem.pad_after.push_back(padding[spatial + d]);
    if (!step.padding.empty()) {
      problem.pad_before[d] += step.padding[d];
      problem.pad_after[d] += step.padding[spatial + d];
    }
  }
  const ir::IntList extra = ir::per_axis(common.output_padding, spatial);
  for (std::size_t d = 0; d < std::min(spatial, extra.size()); ++d)
    problem.pad_after[d] -= extra[d];

  auto weights = canonical_weights(live[call.inputs[1]].constant, common.kernel_layout,
                                   problem.transposed, problem);
  if (auto* reason = std::get_if<std::string>(&weights)) return std::move(*reason);
  problem.weights = std::get<ir::Tensor>(weights);
  if (!step.scale.empty()) problem.weights = scaled(problem.weights, step.scale);
  problem.bias = step.bias;
  return problem;
}

bool fits_int32(std::int64_t count) { return count <= (std::int64_t{1} << 31) / (255 * 128); }

bool is_byte(ir::DType dtype) { return dtype == ir::DType::kInt8 || dtype == ir::DType::kUInt8; }

std::string why_no_byte_sums(const ConvolutionProblem& problem) {
  if (problem.data.shape.size() != 4 || problem.transposed || !is_byte(problem.data.dtype) ||
      problem.weights.dtype() != ir::DType::kInt8 || problem.result.dtype != ir::DType::kInt32) {
    return "not a convolution of 8-bit images";
  }
  const ir::Shape& weights = problem.weights.shape();
  if (!fits_int32(weights[2] * weights[3] * weights[4])) return "sums beyond 32 bits";
  if (ir::element_count(problem.result.shape).value_or(0) == 0 ||
      ir::element_count(problem.data.shape).value_or(0) == 0 || problem.weights.size() == 0) {
    return "an empty image";
  }
  for (std::size_t d = 0; d < 2; ++d) {
    if (problem.pad_before[d] < 0 || problem.pad_after[d] < 0) return "negative padding";
  }
  return {};
}

ImageWindow window_of(const ConvolutionProblem& problem) {
  const ir::Shape& weights = problem.weights.shape();
  const std::size_t data_y = problem.data_channel_axis == 1 ? 2 : 1;
  const std::size_t result_y = problem.result_channel_axis == 1 ? 2 : 1;
  return {.channels = problem.data.shape[problem.data_channel_axis],
          .data_height = problem.data.shape[data_y],
          .data_width = problem.data.shape[data_y + 1],
          .result_height = problem.result.shape[result_y],
          .result_width = problem.result.shape[result_y + 1],
          .kernel_height = weights[3],
          .kernel_width = weights[4],
          .stride_y = problem.strides[0],
          .stride_x = problem.strides[1],
          .dilation_y = problem.dilation[0],
          .dilation_x = problem.dilation[1],
          .top = problem.pad_before[0],
          .left = problem.pad_before[1],
          .pad_value = static_cast<std::uint8_t>(problem.pad_value),
          .is_signed = problem.data.dtype == ir::DType::kInt8};
}

}  // namespace tvmq::exec
