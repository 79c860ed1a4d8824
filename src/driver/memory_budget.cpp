#include "driver/memory_budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"

namespace tvmq::driver {
namespace {

constexpr std::uint64_t kTooMany = std::numeric_limits<std::uint64_t>::max();

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kTooMany : sum;
}

/// 0 for what has no size of its own: functions, and dimensions that are not known yet.
std::uint64_t bytes_of(const ir::TensorType& type) {
  for (const std::int64_t dim : type.shape) {
    if (dim < 0) return 0;
  }
  const auto elements = ir::element_count(type.shape);
  std::uint64_t bytes = 0;
  if (!elements || __builtin_mul_overflow(static_cast<std::uint64_t>(*elements),
                                          std::uint64_t{ir::dtype_size(type.dtype)}, &bytes)) {
    return kTooMany;
  }
  return bytes;
}

std::uint64_t bytes_of(const ir::Type& type) {
  if (const auto* tensor = std::get_if<ir::TensorType>(&type)) return bytes_of(*tensor);
  std::uint64_t bytes = 0;
  if (const auto* tuple = std::get_if<ir::TupleType>(&type)) {
    for (const ir::TensorType& field : tuple->fields)
      bytes = saturating_add(bytes, bytes_of(field));
  }
  return bytes;
}

/// Those whose kernels and statistics take the most.
bool is_layer(ir::Op op) {
  using ir::Op;
  static constexpr std::array kLayers = {Op::kConv1D,
                                         Op::kConv2D,
                                         Op::kConv3D,
                                         Op::kConv1DTranspose,
                                         Op::kConv2DTranspose,
                                         Op::kConv3DTranspose,
                                         Op::kDense,
                                         Op::kMatmul,
                                         Op::kBatchMatmul,
                                         Op::kMaxPool1D,
                                         Op::kMaxPool2D,
                                         Op::kMaxPool3D,
                                         Op::kAvgPool1D,
                                         Op::kAvgPool2D,
                                         Op::kAvgPool3D,
                                         Op::kGlobalAvgPool2D,
                                         Op::kGlobalMaxPool2D,
                                         Op::kAdaptiveAvgPool1D,
                                         Op::kAdaptiveMaxPool1D,
                                         Op::kAdaptiveAvgPool2D,
                                         Op::kAdaptiveMaxPool2D,
                                         Op::kAdaptiveAvgPool3D,
                                         Op::kAdaptiveMaxPool3D,
                                         Op::kSoftmax,
                                         Op::kLogSoftmax,
                                         Op::kLrn,
                                         Op::kQnnConv2D,
                                         Op::kQnnDense,
                                         Op::kQnnAvgPool2D};
  return std::ranges::find(kLayers, op) != kLayers.end();
}

}  // namespace

void require_memory(const ir::Graph& graph, std::uint64_t limit, std::string_view name_for_errors) {
  for (ir::NodeId id = 0; id < graph.size(); ++id) {
    const ir::Node& node = graph[id];
    if (node.kind != ir::NodeKind::kCall && node.kind != ir::NodeKind::kInput) continue;
    std::uint64_t bytes = bytes_of(node.type);
    for (const ir::NodeId input : node.inputs) {
      bytes = saturating_add(bytes, bytes_of(graph[input].type));
    }
    if (bytes <= limit / 2) continue;
    throw InputError(fmt::format(
        "{}: {}: {} {}takes {} MB of memory, and more than {} MB of the {} MB that this process "
        "can have are not used for one value; declare smaller inputs or a smaller batch, or raise "
        "the limit",
        name_for_errors, ir::describe(graph, id), ir::to_string(node.type),
        node.inputs.empty() ? "" : "with its operands ", bytes / 1'000'000, limit / 2 / 1'000'000,
        limit / 1'000'000));
  }
}

void require_few_operators(const ir::Graph& graph, const OperatorBudget& budget,
                           std::uint64_t file_bytes, std::string_view name_for_errors) {
  std::uint64_t layers = 0;
  std::uint64_t others = 0;
  for (const ir::Node& node : graph.nodes()) {
    if (node.kind == ir::NodeKind::kCall) ++(is_layer(node.op) ? layers : others);
  }
  const std::uint64_t needed = layers * budget.layer + others * budget.other;
  const std::uint64_t limit = budget.most + 8 * file_bytes;
  if (needed <= limit) return;
  throw InputError(fmt::format(
      "{}: {} operators, {} of them convolutions, matrix products, poolings or the like, take "
      "about {} MB of memory, expected at most {} MB for a model of {} bytes; work on parts of it",
      name_for_errors, layers + others, layers, needed / 1'000'000, limit / 1'000'000, file_bytes));
}

}  // namespace tvmq::driver
