#include "relay/node_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "relay/schema.h"

namespace tvmq::relay {
namespace {

// A list or a text may be referred to by every node of a file, so that copies of long ones would
// take memory out of all proportion to the file.
constexpr std::size_t kMaxElements = 1024;
constexpr std::size_t kMaxTextBytes = 4096;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The node that `text` refers to, if it is a number of one.
std::optional<NodeIndex> find_node(const NodeTable& table, std::string_view text) {
  const auto index = parse_number<NodeIndex>(text);
  if (!index || *index >= table.size()) return std::nullopt;
  return index;
}

NodeIndex parse_reference(const NodeTable& table, NodeIndex from, std::string_view name,
                          std::string_view text) {
  const auto index = find_node(table, text);
  if (!index) {
    table.fail(from, fmt::format("field '{}' is \"{}\", expected the number of one of the {} nodes",
                                 name, text, table.size()));
  }
  return table[*index].type_key.empty() ? kNullNode : *index;
}

std::span<const NodeIndex> array(const NodeTable& table, NodeIndex from, NodeIndex node) {
  const NodeView view = table[node];
  if (view.type_key != "Array") {
    table.fail(from, fmt::format("expected node {} to be an Array, found {}", node,
                                 view.type_key.empty() ? "null" : view.type_key));
  }
  if (view.data.size() > kMaxElements) {
    table.fail(from, fmt::format("node {} has {} elements, expected at most {}", node,
                                 view.data.size(), kMaxElements));
  }
  return view.data;
}

std::string_view short_text(const NodeTable& table, NodeIndex from, std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    table.fail(from,
               fmt::format("a text of {} bytes, expected at most {}", text.size(), kMaxTextBytes));
  }
  return text;
}

std::int64_t parse_int(const NodeTable& table, NodeIndex from, std::string_view name,
                       std::string_view text) {
  const auto value = parse_number<std::int64_t>(text);
  if (!value) {
    table.fail(from, fmt::format("field '{}' is \"{}\", expected an integer", name, text));
  }
  return *value;
}

double parse_double(const NodeTable& table, NodeIndex from, std::string_view name,
                    std::string_view text) {
  const auto value = parse_number<double>(text);
  if (!value || *value != *value) {
    table.fail(from, fmt::format("field '{}' is \"{}\", expected a number", name, text));
  }
  return *value;
}

ir::DType parse_dtype(const NodeTable& table, NodeIndex from, std::string_view name,
                      std::string_view text) {
  const auto dtype = ir::parse_dtype(text);
  if (!dtype) {
    table.fail(from, fmt::format("field '{}' is the dtype \"{}\"; expected bool, int8..int64, "
                                 "uint8..uint64, float16, float32, float64 or nothing",
                                 name, text));
  }
  return *dtype;
}

std::string_view field_text(const NodeTable& table, NodeIndex from, std::string_view name) {
  const std::string_view* text = table[from].find(name);
  if (text == nullptr) table.fail(from, fmt::format("field '{}' is missing", name));
  return *text;
}

double double_value(const NodeTable& table, NodeIndex from, NodeIndex node) {
  const NodeView view = table[node];
  if (view.type_key == "FloatImm" || view.type_key == "IntImm") {
    return parse_double(table, node, "value", field_text(table, node, "value"));
  }
  if (view.type_key == "runtime.BoxFloat") return parse_double(table, node, "repr_str", view.repr);
  table.fail(from, fmt::format("expected node {} to be a FloatImm, found {}", node, view.type_key));
}

ir::IntList int_list(const NodeTable& table, NodeIndex from, NodeIndex node) {
  ir::IntList values;
  for (const NodeIndex each : array(table, from, node)) {
    values.push_back(int_value(table, node, each));
  }
  return values;
}

/// One field of an attribute node.
class FieldReader {
 public:
  FieldReader(const NodeTable& table, NodeIndex from, const AttrField& field, std::string_view text)
      : table_(table), from_(from), field_(field), text_(text) {}

  [[nodiscard]] ir::OpaqueValue read() const {
    switch (field_.kind) {
      case FieldKind::kInt:
        return {parse_int(table_, from_, field_.name, text_)};
      case FieldKind::kBool:
        return {read_bool(text_)};
      case FieldKind::kDouble:
        return {parse_double(table_, from_, field_.name, text_)};
      case FieldKind::kDType:
        return {parse_dtype(table_, from_, field_.name, text_)};
      case FieldKind::kInlineText:
        return {std::string(short_text(table_, from_, text_)), ir::TextStorage::kInline};
      case FieldKind::kStringNode:
        return read_string();
      default:
        break;
    }
    const NodeIndex node = parse_reference(table_, from_, field_.name, text_);
    if (node == kNullNode) return {};
    switch (field_.kind) {
      case FieldKind::kOptionalInt:
        return {int_value(table_, from_, node)};
      case FieldKind::kOptionalBool:
        return {int_value(table_, from_, node) != 0};
      case FieldKind::kOptionalDouble:
        return {double_value(table_, from_, node)};
      case FieldKind::kIntList:
        return {int_list(table_, from_, node)};
      case FieldKind::kIntMatrix:
        return read_matrix(node);
      case FieldKind::kDoubleList:
        return read_doubles(node);
      case FieldKind::kSectionsOrIndices:
        return read_sections(node);
      default:
        break;
    }
    table_.fail(from_, fmt::format("field '{}' holds a {}, which this program cannot carry",
                                   field_.name, table_[node].type_key));
  }

 private:
  [[nodiscard]] bool read_bool(std::string_view text) const {
    if (text == "0" || text == "1") return text == "1";
    table_.fail(from_, fmt::format("field '{}' is \"{}\", expected 0 or 1", field_.name, text));
  }

  /// A node's number, or (written by TVM before 0.9) the text itself, which is never a number.
  [[nodiscard]] ir::OpaqueValue read_string() const {
    if (text_ == "0") return {};
    return {std::string(text_field(table_, from_, field_.name))};
  }

  [[nodiscard]] ir::OpaqueValue read_matrix(NodeIndex node) const {
    ir::IntMatrix rows;
    for (const NodeIndex each : array(table_, from_, node)) {
      rows.push_back(int_list(table_, node, each));
    }
    return {std::move(rows)};
  }

  [[nodiscard]] ir::OpaqueValue read_doubles(NodeIndex node) const {
    ir::DoubleList values;
    for (const NodeIndex each : array(table_, from_, node)) {
      values.push_back(double_value(table_, node, each));
    }
    return {std::move(values)};
  }

  [[nodiscard]] ir::OpaqueValue read_sections(NodeIndex node) const {
    if (table_[node].type_key == "Array") {
      return {ir::SectionsOrIndices(int_list(table_, from_, node))};
    }
    return {ir::SectionsOrIndices(int_value(table_, from_, node))};
  }

  const NodeTable& table_;
  NodeIndex from_;
  const AttrField& field_;
  std::string_view text_;
};

ir::TensorType read_tensor_type(const NodeTable& table, NodeIndex node) {
  ir::TensorType type;
  type.dtype = parse_dtype(table, node, "dtype", field_text(table, node, "dtype"));
  const NodeIndex shape = reference(table, node, "shape");
  for (const NodeIndex each : array(table, node, shape)) {
    const std::string_view kind = table[each].type_key;
    if (kind == "tir.Any" || kind == "tir.Var" || kind == "tir.SizeVar") {
      type.shape.push_back(ir::kDynamicDim);
      continue;
    }
    const std::int64_t dim = int_value(table, shape, each);
    if (dim < 0) table.fail(node, fmt::format("dimension {}, expected 0 or more", dim));
    type.shape.push_back(dim);
  }
  return type;
}

std::string_view span_name(const NodeTable& table, NodeIndex span) {
  const NodeIndex source = optional_reference(table, span, "source_name");
  if (table[source].type_key != "SourceName") return {};
  return short_text(table, span, table[source].repr);
}

}  // namespace

NodeIndex optional_reference(const NodeTable& table, NodeIndex from, std::string_view name) {
  const std::string_view* text = table[from].find(name);
  return text == nullptr ? kNullNode : parse_reference(table, from, name, *text);
}

NodeIndex reference(const NodeTable& table, NodeIndex from, std::string_view name) {
  const NodeIndex node = parse_reference(table, from, name, field_text(table, from, name));
  if (node == kNullNode) table.fail(from, fmt::format("field '{}' is null", name));
  return node;
}

NodeIndex reference(const NodeTable& table, NodeIndex from, std::string_view name,
                    std::string_view type_key) {
  const NodeIndex node = reference(table, from, name);
  if (table[node].type_key != type_key) {
    table.fail(from, fmt::format("field '{}' is node {}, a {}; expected a {}", name, node,
                                 table[node].type_key, type_key));
  }
  return node;
}

std::int64_t int_field(const NodeTable& table, NodeIndex from, std::string_view name) {
  return parse_int(table, from, name, field_text(table, from, name));
}

std::string_view text_field(const NodeTable& table, NodeIndex from, std::string_view name) {
  const std::string_view text = field_text(table, from, name);
  const bool is_number =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return short_text(table, from, text);
  const NodeIndex node = parse_reference(table, from, name, text);
  if (table[node].type_key != "runtime.String") {
    table.fail(from,
               fmt::format("field '{}' is node {}, a {}; expected a runtime.String", name, node,
                           table[node].type_key.empty() ? "null" : table[node].type_key));
  }
  return short_text(table, from, table[node].repr);
}

std::int64_t int_value(const NodeTable& table, NodeIndex from, NodeIndex node) {
  const NodeView view = table[node];
  if (view.type_key == "IntImm") return int_field(table, node, "value");
  if (view.type_key == "runtime.BoxInt") return parse_int(table, node, "repr_str", view.repr);
  table.fail(from, fmt::format("expected node {} to be a constant integer (IntImm), found {}", node,
                               view.type_key.empty() ? "null" : view.type_key));
}

ir::Type read_type(const NodeTable& table, NodeIndex from, NodeIndex node) {
  const std::string_view kind = table[node].type_key;
  if (kind.empty() || kind == "IncompleteType") return {};
  if (kind == "relay.TensorType") return read_tensor_type(table, node);
  if (kind != "TupleType") {
    table.fail(from, fmt::format("node {} is the type {}; expected a tensor or a tuple of tensors",
                                 node, kind));
  }
  ir::TupleType tuple;
  for (const NodeIndex each : array(table, node, reference(table, node, "fields"))) {
    if (table[each].type_key != "relay.TensorType") {
      table.fail(node, fmt::format("a tuple of {}; expected a tuple of tensors",
                                   table[each].type_key.empty() ? "null" : table[each].type_key));
    }
    tuple.fields.push_back(read_tensor_type(table, each));
  }
  return tuple;
}

std::string_view source_name(const NodeTable& table, NodeIndex span) {
  if (table[span].type_key == "Span") return span_name(table, span);
  if (table[span].type_key != "SequentialSpan") return {};
  const NodeIndex spans = optional_reference(table, span, "spans");
  for (const NodeIndex each : table[spans].data) {
    const std::string_view name = span_name(table, each);
    if (!name.empty()) return name;
  }
  return {};
}

ir::Attrs read_attrs(const NodeTable& table, NodeIndex node) {
  const NodeView view = table[node];
  std::string_view key = view.type_key;
  const bool has_prefix = key.starts_with(kAttrsPrefix);
  if (has_prefix) key.remove_prefix(kAttrsPrefix.size());
  const auto fields = has_prefix ? attr_fields(key) : std::nullopt;
  if (!fields) {
    table.fail(node,
               "attributes of a type that TVM v0.19 does not have; was the model written by "
               "another version or a fork of TVM?");
  }
  std::vector<std::optional<ir::OpaqueValue>> values;
  values.reserve(fields->size());
  for (const AttrField& field : *fields) {
    const std::string_view* text = view.find(field.name);
    if (text == nullptr) {
      values.emplace_back();
    } else {
      values.push_back(FieldReader(table, node, field, *text).read());
    }
  }
  ir::Attrs attrs = make_attrs(key, values);
  // TVM before 0.14 had no out_dtype here and always meant float32.
  if (auto* dequantize = std::get_if<ir::DequantizeAttrs>(&attrs);
      dequantize != nullptr && view.find("out_dtype") == nullptr) {
    dequantize->out_dtype = ir::DType::kFloat32;
  }
  return attrs;
}

}  // namespace tvmq::relay
