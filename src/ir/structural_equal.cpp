#include "ir/structural_equal.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace tvmq::ir {
namespace {

constexpr NodeId kUnmatched = ~NodeId{0};

std::string compare_tensors(const Tensor& left, const Tensor& right) {
  if (left.dtype() != right.dtype() || left.shape() != right.shape()) {
    return fmt::format("constant {} against {}", to_string(TensorType{left.dtype(), left.shape()}),
                       to_string(TensorType{right.dtype(), right.shape()}));
  }
  if (left.bytes() == right.bytes() || left.same_bytes(right)) return {};
  const std::size_t element = dtype_size(left.dtype());
  std::size_t first = left.byte_size();
  std::size_t differing = 0;
  for (std::size_t i = 0; i < left.byte_size(); i += element) {
    if (!std::equal(left.bytes() + i, left.bytes() + i + element, right.bytes() + i)) {
      first = std::min(first, i);
      ++differing;
    }
  }
  return fmt::format("constants of {} differ in {} of {} elements, first at {}",
                     to_string(TensorType{left.dtype(), left.shape()}), differing, left.size(),
                     first / element);
}

/// What differs between two nodes apart from their operands; empty if nothing does.
std::string compare_nodes(const Node& left, const Node& right) {
  if (left.kind != right.kind) return "another kind of node";
  if (left.inputs.size() != right.inputs.size()) {
    return fmt::format("{} operands against {}", left.inputs.size(), right.inputs.size());
  }
  if (left.let_name != right.let_name) return "another let binding";
  switch (left.kind) {
    case NodeKind::kInput:
      if (left.name != right.name)
        return fmt::format("input '{}' against '{}'", left.name, right.name);
      return left.type == right.type ? std::string()
                                     : fmt::format("input '{}' is {} against {}", left.name,
                                                   to_string(left.type), to_string(right.type));
    case NodeKind::kConstant:
      return compare_tensors(left.value, right.value);
    case NodeKind::kCall:
      if (left.op_name() != right.op_name()) {
        return fmt::format("{} against {}", left.op_name(), right.op_name());
      }
      return left.attrs == right.attrs ? std::string() : "other attributes";
    case NodeKind::kTuple:
      return {};
    case NodeKind::kTupleGetItem:
      return left.index == right.index ? std::string() : "another tuple field";
    case NodeKind::kInvoke:
      return left.callee == right.callee ? std::string() : "another function called";
  }
  return {};
}

}  // namespace

std::optional<std::string> first_difference(const Graph& left, const Graph& right) {
  if (left.inputs().size() != right.inputs().size()) {
    return fmt::format("{} inputs against {}", left.inputs().size(), right.inputs().size());
  }
  struct Pair {
    NodeId left;
    NodeId right;
  };
  std::vector<NodeId> to_right(left.size(), kUnmatched);
  std::vector<NodeId> to_left(right.size(), kUnmatched);
  std::vector<Pair> work{{left.output(), right.output()}};
  for (std::size_t i = 0; i < left.inputs().size(); ++i) {
    work.push_back({left.inputs()[i], right.inputs()[i]});
  }
  while (!work.empty()) {
    const auto [a, b] = work.back();
    work.pop_back();
    if (to_right[a] == b && to_left[b] == a) continue;
    const auto where = [&, a = a, b = b](std::string_view what) {
      return fmt::format("{} (left: {} #{}, right: {} #{})", what, describe(left, a), a,
                         describe(right, b), b);
    };
    if (to_right[a] != kUnmatched || to_left[b] != kUnmatched) {
      return where("shared on one side, two nodes on the other");
    }
    const std::string difference = compare_nodes(left[a], right[b]);
    if (!difference.empty()) return where(difference);
    to_right[a] = b;
    to_left[b] = a;
    for (std::size_t i = 0; i < left[a].inputs.size(); ++i) {
      work.push_back({left[a].inputs[i], right[b].inputs[i]});
    }
  }
  return std::nullopt;
}

std::optional<std::string> first_difference(const Module& left, const Module& right) {
  if (left.functions.size() != right.functions.size()) {
    return fmt::format("{} functions against {}", left.functions.size(), right.functions.size());
  }
  for (const Function& each : left.functions) {
    const auto same = std::find_if(right.functions.begin(), right.functions.end(),
                                   [&](const Function& other) { return other.name == each.name; });
    if (same == right.functions.end()) {
      return fmt::format("function '{}' is only on the left", each.name);
    }
    if (auto difference = first_difference(each.graph, same->graph)) {
      return fmt::format("function '{}': {}", each.name, *difference);
    }
  }
  return std::nullopt;
}

}  // namespace tvmq::ir
