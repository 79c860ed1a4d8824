#include "ir/text.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <set>

#include "ir/text_tokens.h"

namespace tvmq::ir {
namespace {

// Attribute and list values -----------------------------------------------------------------------

std::string value_text(std::int64_t value) { return fmt::format("{}", value); }
std::string value_text(bool value) { return value ? "true" : "false"; }
std::string value_text(double value) { return fmt::format("{}", value); }
std::string value_text(DType value) {
  return value == DType::kVoid ? "void" : std::string(dtype_name(value));
}
std::string value_text(const std::string& value) { return quoted(value); }

template <class T>
std::string value_text(const std::vector<T>& list) {
  std::string text = "[";
  for (const T& each : list) {
    if (text.size() > 1) text += ", ";
    text += value_text(each);
  }
  return text + "]";
}
template <class T>
std::string value_text(const std::optional<T>& value) {
  return value ? value_text(*value) : "null";
}
std::string value_text(const SectionsOrIndices& value) {
  return std::visit([](const auto& each) { return value_text(each); }, value);
}

/// The keyword in front of a value whose kind the operator does not tell.
struct Kind {
  std::string operator()(std::monostate /*null*/) const { return "null"; }
  std::string operator()(std::int64_t value) const { return "int " + value_text(value); }
  std::string operator()(bool value) const { return "bool " + value_text(value); }
  std::string operator()(double value) const { return "float " + value_text(value); }
  std::string operator()(DType value) const { return "dtype " + value_text(value); }
  std::string operator()(const std::string& value) const { return "string " + value_text(value); }
  std::string operator()(const IntList& value) const { return "ints " + value_text(value); }
  std::string operator()(const IntMatrix& value) const { return "matrix " + value_text(value); }
  std::string operator()(const DoubleList& value) const { return "floats " + value_text(value); }
  std::string operator()(const SectionsOrIndices& value) const {
    return "split " + value_text(value);
  }
};

/// Equal to the bit, so that -0.0 is not left out as a default of 0.0.
bool same(double left, double right) {
  return std::bit_cast<std::uint64_t>(left) == std::bit_cast<std::uint64_t>(right);
}
template <class T>
bool same(const T& left, const T& right) {
  return left == right;
}

/// "a = 1, b = [2]": the fields that differ from their defaults.
struct FieldText {
  std::string operator()(std::monostate /*none*/) const { return {}; }
  std::string operator()(const OpaqueAttrs& attrs) const {
    std::string text;
    for (const auto& [name, value] : attrs.fields) {
      if (!text.empty()) text += ", ";
      text += fmt::format("{} = {}{}", quoted(name),
                          value.text_storage == TextStorage::kInline ? "inline " : "",
                          std::visit(Kind{}, value.value));
    }
    return text;
  }
  template <class Attrs>
  std::string operator()(const Attrs& attrs) const {
    const Attrs defaults;
    std::string text;
    for_each_field(attrs, [&](const auto& field, const auto& value) {
      if (same(value, defaults.*(field.member))) return;
      if (!text.empty()) text += ", ";
      text += fmt::format("{} = {}", field.name, value_text(value));
    });
    return text;
  }
};

/// The kind of attributes of an opaque call, which its operator does not tell.
struct AttrsKey {
  std::string operator()(std::monostate /*none*/) const { return {}; }
  std::string operator()(const OpaqueAttrs& attrs) const { return quoted(attrs.type_key); }
  template <class Attrs>
  std::string operator()(const Attrs& /*attrs*/) const {
    return std::string(Attrs::kTypeKey);
  }
};

// Constants ---------------------------------------------------------------------------------------

/// Elements as numbers. Only what reads back to the same bits: no NaN, no bool but 0 and 1.
template <class T>
std::optional<std::string> number_text(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) return std::nullopt;
    return fmt::format("{}", value);
  } else {
    return fmt::format("{}", static_cast<std::int64_t>(value));
  }
}

template <class T>
std::optional<std::string> element_text(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return number_text(value);
}

std::optional<std::string> element_text(DType dtype, const std::byte* bytes) {
  switch (dtype) {
    case DType::kBool:
      return std::to_integer<int>(*bytes) > 1 ? std::nullopt : element_text<std::uint8_t>(bytes);
    case DType::kInt8:
      return element_text<std::int8_t>(bytes);
    case DType::kInt16:
      return element_text<std::int16_t>(bytes);
    case DType::kInt32:
      return element_text<std::int32_t>(bytes);
    case DType::kInt64:
      return element_text<std::int64_t>(bytes);
    case DType::kUInt8:
      return element_text<std::uint8_t>(bytes);
    case DType::kUInt16:
      return element_text<std::uint16_t>(bytes);
    case DType::kUInt32:
      return element_text<std::uint32_t>(bytes);
    case DType::kFloat32:
      return element_text<float>(bytes);
    case DType::kFloat64:
      return element_text<double>(bytes);
    case DType::kUInt64:   // does not fit in the parser's int64
    case DType::kFloat16:  // never computed in
    case DType::kVoid:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> listed(const Tensor& tensor) {
  std::string text = "[";
  const std::size_t width = dtype_size(tensor.dtype());
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const auto element =
        element_text(tensor.dtype(), tensor.bytes() + static_cast<std::size_t>(i) * width);
    if (!element) return std::nullopt;
    if (i > 0) text += ", ";
    text += *element;
  }
  return text + "]";
}

/// "splat 0.5" if all elements are the same.
std::optional<std::string> splatted(const Tensor& tensor) {
  const std::size_t width = dtype_size(tensor.dtype());
  if (tensor.size() < 1 || tensor.size() > kMaxSplat) return std::nullopt;
  const std::size_t rest = tensor.byte_size() - width;
  if (std::memcmp(tensor.bytes(), tensor.bytes() + width, rest) != 0) return std::nullopt;
  const auto element = element_text(tensor.dtype(), tensor.bytes());
  if (!element) return std::nullopt;
  return "splat " + *element;
}

std::string hex(const Tensor& tensor) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "hex \"";
  text.reserve(text.size() + 2 * tensor.byte_size() + 1);
  for (std::size_t i = 0; i < tensor.byte_size(); ++i) {
    const auto byte = std::to_integer<unsigned>(tensor.bytes()[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text + '"';
}

std::string constant_text(const Tensor& tensor, const PrintOptions& options) {
  if (tensor.size() <= options.listed_elements) {
    if (auto text = listed(tensor)) return *text;
  } else if (auto text = splatted(tensor)) {
    return *text;
  } else if (options.elide_large_constants) {
    return "elided";
  }
  return hex(tensor);
}

// Nodes -------------------------------------------------------------------------------------------

class Printer {
 public:
  Printer(const Graph& graph, const PrintOptions& options)
      : graph_(graph), options_(options), labels_(graph.size()) {
    set_labels();
  }

  std::string print() {
    text_ = "graph(";
    for (std::size_t i = 0; i < graph_.inputs().size(); ++i) {
      if (i > 0) text_ += ", ";
      print_input(graph_.inputs()[i]);
    }
    text_ += ") {\n";
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (graph_[id].kind != NodeKind::kInput) print_node(id);
    }
    append("  return %{}\n}}\n", labels_[graph_.output()]);
    return std::move(text_);
  }

 private:
  template <class... Args>
  void append(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }

  /// Inputs are called by their names where these can be written and are not given twice; all else
  /// is numbered, inputs first.
  void set_labels() {
    std::size_t next = 0;
    std::set<std::string_view> taken;
    for (const NodeId id : graph_.inputs()) {
      const std::string& name = graph_[id].name;
      const bool usable = is_label(name) && taken.insert(name).second;
      labels_[id] = usable ? name : fmt::format("{}", next);
      ++next;
    }
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (graph_[id].kind != NodeKind::kInput) labels_[id] = fmt::format("{}", next++);
    }
  }

  void print_input(NodeId id) {
    const Node& node = graph_[id];
    append("%{}", labels_[id]);
    if (labels_[id] != node.name && !node.name.empty()) append(" {}", quoted(node.name));
    print_let(node);
    print_type(node, ": ");
  }

  void print_node(NodeId id) {
    const Node& node = graph_[id];
    append("  %{} = ", labels_[id]);
    switch (node.kind) {
      case NodeKind::kInput:
        break;
      case NodeKind::kConstant:
        append("constant {} {}",
               type_text(Type(TensorType{node.value.dtype(), node.value.shape()})),
               constant_text(node.value, options_));
        break;
      case NodeKind::kCall:
        print_call(node);
        break;
      case NodeKind::kTuple:
        text_ += "tuple";
        print_operands(node);
        break;
      case NodeKind::kTupleGetItem:
        append("field {} of", node.index);
        print_operands(node);
        break;
      case NodeKind::kInvoke:
        append("invoke {}", quoted(node.callee));
        print_operands(node);
        break;
    }
    if (node.kind != NodeKind::kConstant) print_type(node, " : ");
    print_let(node);
    if (!node.name.empty()) append(" {}", quoted(node.name));
    text_ += '\n';
  }

  void print_call(const Node& node) {
    const bool opaque = node.op == Op::kOpaque;
    text_ += opaque ? "opaque " + quoted(node.callee) : std::string(node.op_name());
    print_operands(node);
    const std::string fields = std::visit(FieldText{}, *node.attrs);
    if (opaque && node.attrs->index() != 0) {
      append(" with {} {{{}}}", std::visit(AttrsKey{}, *node.attrs), fields);
    } else if (!fields.empty()) {
      append(" {{{}}}", fields);
    }
  }

  void print_operands(const Node& node) {
    text_ += '(';
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      append("{}%{}", i > 0 ? ", " : "", labels_[node.inputs[i]]);
    }
    text_ += ')';
  }

  void print_type(const Node& node, std::string_view before) {
    if (!is_known(node.type)) return;
    append("{}{}", before, type_text(node.type));
  }

  void print_let(const Node& node) {
    if (!node.let_name.empty()) append(" let {}", quoted(node.let_name));
  }

  const Graph& graph_;
  const PrintOptions& options_;
  std::vector<std::string> labels_;
  std::string text_;
};

}  // namespace

std::string to_text(const Graph& graph, const PrintOptions& options) {
  check(graph.has_output(), "a graph without an output has no text");
  return Printer(graph, options).print();
}

}  // namespace tvmq::ir
