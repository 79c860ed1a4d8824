#include "quant/graph_hash.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace tvmq::quant {
namespace {

/// Two 64-bit states that every word goes through in different ways.
class Hasher {
 public:
  void word(std::uint64_t value) {
    first_ = (first_ ^ value) * 0x9E3779B97F4A7C15ULL;
    first_ ^= first_ >> 32;
    second_ = std::rotl(second_ + value, 29) * 0xC2B2AE3D27D4EB4FULL + 0x165667B19E3779F9ULL;
  }

  void bytes(std::string_view data) {
    word(data.size());
    std::size_t at = 0;
    for (; data.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
      std::uint64_t value = 0;
      std::memcpy(&value, data.data() + at, sizeof value);
      word(value);
    }
    std::uint64_t rest = 0;
    std::memcpy(&rest, data.data() + at, data.size() - at);
    word(rest);
  }

  [[nodiscard]] std::string digits() {
    for (int i = 0; i < 4; ++i) {  // every input bit reaches every output bit
      word(first_ ^ second_);
      second_ ^= second_ >> 29;
    }
    return fmt::format("{:016x}{:016x}", first_, second_);
  }

 private:
  std::uint64_t first_ = 0x243F6A8885A308D3ULL;
  std::uint64_t second_ = 0x13198A2E03707344ULL;
};

void add(Hasher& hasher, std::monostate /*nothing*/) { hasher.word(0); }
void add(Hasher& hasher, bool value) { hasher.word(value ? 1 : 0); }
void add(Hasher& hasher, std::int64_t value) { hasher.word(static_cast<std::uint64_t>(value)); }
void add(Hasher& hasher, double value) { hasher.word(std::bit_cast<std::uint64_t>(value + 0.0)); }
void add(Hasher& hasher, ir::DType value) { hasher.bytes(ir::dtype_name(value)); }
void add(Hasher& hasher, const std::string& value) { hasher.bytes(value); }
template <class T>
void add(Hasher& hasher, const std::vector<T>& values);
template <class T>
void add(Hasher& hasher, const std::optional<T>& value);
template <class... T>
void add(Hasher& hasher, const std::variant<T...>& value);

void add(Hasher& hasher, const ir::TensorType& type) {
  add(hasher, type.dtype);
  add(hasher, type.shape);
}
void add(Hasher& hasher, const ir::TupleType& type) { add(hasher, type.fields); }
void add(Hasher& hasher, const ir::OpaqueAttrs& attrs) {
  hasher.bytes(attrs.type_key);
  hasher.word(attrs.fields.size());
  for (const auto& [name, field] : attrs.fields) {
    hasher.bytes(name);
    add(hasher, field.value);
  }
}
/// Attribute structs, by their list of fields.
template <class Attrs>
requires requires { Attrs::kTypeKey; }
void add(Hasher& hasher, const Attrs& attrs) {
  hasher.bytes(Attrs::kTypeKey);
  ir::for_each_field(attrs, [&](const auto& field, const auto& value) {
    hasher.bytes(field.name);
    add(hasher, value);
  });
}

template <class T>
void add(Hasher& hasher, const std::vector<T>& values) {
  hasher.word(values.size());
  for (const T& each : values) add(hasher, each);
}
template <class T>
void add(Hasher& hasher, const std::optional<T>& value) {
  hasher.word(value ? 1 : 0);
  if (value) add(hasher, *value);
}
template <class... T>
void add(Hasher& hasher, const std::variant<T...>& value) {
  hasher.word(value.index());
  std::visit([&](const auto& each) { add(hasher, each); }, value);
}

std::string_view kind_name(ir::NodeKind kind) {
  switch (kind) {
    case ir::NodeKind::kInput:
      return "input";
    case ir::NodeKind::kConstant:
      return "constant";
    case ir::NodeKind::kCall:
      return "call";
    case ir::NodeKind::kTuple:
      return "tuple";
    case ir::NodeKind::kTupleGetItem:
      return "field";
    case ir::NodeKind::kInvoke:
      return "invoke";
  }
  throw InternalError("unknown kind of node");
}

/// What defines a node, apart from its operands.
void add_node(Hasher& hasher, const ir::Node& node) {
  hasher.bytes(kind_name(node.kind));
  hasher.bytes(node.let_name);
  switch (node.kind) {
    case ir::NodeKind::kInput:
      hasher.bytes(node.name);
      add(hasher, node.type);
      return;
    case ir::NodeKind::kConstant:
      add(hasher, node.value.dtype());
      add(hasher, node.value.shape());
      hasher.bytes({reinterpret_cast<const char*>(node.value.bytes()), node.value.byte_size()});
      return;
    case ir::NodeKind::kCall:
      hasher.bytes(node.op_name());
      std::visit([&](const auto& attrs) { add(hasher, attrs); }, *node.attrs);
      return;
    case ir::NodeKind::kTuple:
      return;
    case ir::NodeKind::kTupleGetItem:
      add(hasher, node.index);
      return;
    case ir::NodeKind::kInvoke:
      hasher.bytes(node.callee);
      return;
  }
}

}  // namespace

std::string graph_hash(const ir::Graph& graph) {
  constexpr std::uint64_t kUnnumbered = ~std::uint64_t{0};
  std::vector<std::uint64_t> numbers(graph.size(), kUnnumbered);
  std::uint64_t next = 0;
  Hasher hasher;
  const auto visit = [&](ir::NodeId id) {
    if (numbers[id] != kUnnumbered) return;
    numbers[id] = next++;
    const ir::Node& node = graph[id];
    hasher.word(node.inputs.size());
    for (const ir::NodeId input : node.inputs) hasher.word(numbers[input]);
    add_node(hasher, node);
  };
  hasher.word(graph.inputs().size());
  for (const ir::NodeId id : graph.inputs()) visit(id);
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) visit(id);
  return hasher.digits();
}

}  // namespace tvmq::quant
