#include "relay/node_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "relay/base64.h"
#include "relay/ndarray_record.h"

namespace tvmq::relay {
namespace {

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::string printable(std::string text) {
  if (is_printable(text)) return text;
  throw InputError(
      fmt::format("the text '{}' holds characters that TVM cannot read from a file; "
                  "rename it with printable ASCII characters",
                  text));
}

/// How TVM stores text that is not printable: base64 of a u64 length and the bytes.
std::string encode_repr(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(text.size() >> (8 * i)));
  bytes += text;
  std::string result;
  encode_base64(bytes, result);
  return result;
}

}  // namespace

/// Collects text for the sink in large pieces.
class NodeWriter::Output {
 public:
  explicit Output(const std::function<void(std::string_view)>& sink) : sink_(sink) {}

  void raw(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kPieceBytes) flush();
  }
  void number(std::uint64_t value) { fmt::format_to(std::back_inserter(buffer_), "{}", value); }
  /// `text` is printable.
  void quoted(std::string_view text) {
    buffer_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') buffer_ += '\\';
      buffer_ += c;
    }
    buffer_ += '"';
  }
  void tensor(const ir::Tensor& tensor) {
    std::string head = ndarray_header(tensor);
    std::string_view rest(reinterpret_cast<const char*>(tensor.bytes()), tensor.byte_size());
    const std::size_t fill = std::min(rest.size(), (3 - head.size() % 3) % 3);
    head += rest.substr(0, fill);
    rest.remove_prefix(fill);
    buffer_ += '"';
    encode_base64(head, buffer_);
    while (!rest.empty()) {
      const std::string_view piece = rest.substr(0, kPieceBytes / 4 * 3);
      encode_base64(piece, buffer_);
      rest.remove_prefix(piece.size());
      if (buffer_.size() >= kPieceBytes) flush();
    }
    buffer_ += '"';
  }
  void flush() {
    sink_(buffer_);
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
  const std::function<void(std::string_view)>& sink_;
  std::string buffer_;
};

/// The numbers that nodes and tensors have in the file, and the nodes in that order.
struct NodeWriter::Numbering {
  std::vector<std::uint32_t> node_numbers;
  std::vector<std::uint32_t> tensor_numbers;
  std::vector<std::uint32_t> nodes;
  std::vector<std::uint32_t> tensors;
};

NodeWriter::NodeWriter() { nodes_.emplace_back(); }

NodeWriter::Ref NodeWriter::add(Node node) {
  check(nodes_.size() < std::numeric_limits<std::uint32_t>::max(), "the nodes can be counted");
  nodes_.push_back(node);
  return {static_cast<std::uint32_t>(nodes_.size() - 1)};
}

std::string_view NodeWriter::intern(std::string_view type_key) {
  const auto found = type_keys_.find(type_key);
  return found != type_keys_.end() ? *found : *type_keys_.emplace(type_key).first;
}

std::uint32_t NodeWriter::store_text(std::string text) {
  texts_.push_back(std::move(text));
  return static_cast<std::uint32_t>(texts_.size() - 1);
}

NodeWriter::Range NodeWriter::store(std::span<const Ref> refs) {
  const Range range{static_cast<std::uint32_t>(data_.size()),
                    static_cast<std::uint32_t>(refs.size())};
  for (const Ref each : refs) data_.push_back(each.value);
  return range;
}

NodeWriter::Ref NodeWriter::object(std::string_view type_key, std::span<const Field> fields) {
  Node node{.type_key = intern(type_key)};
  node.fields = {static_cast<std::uint32_t>(fields_.size()),
                 static_cast<std::uint32_t>(fields.size())};
  for (const Field& each : fields) {
    StoredField stored{each.name, ValueKind::kText, 0};
    if (const auto* ref = std::get_if<Ref>(&each.value)) {
      stored.kind = ValueKind::kRef;
      stored.value = ref->value;
    } else if (const auto* tensor = std::get_if<TensorRef>(&each.value)) {
      stored.kind = ValueKind::kTensor;
      stored.value = tensor->value;
    } else {
      stored.value = store_text(printable(std::get<std::string>(each.value)));
    }
    fields_.push_back(stored);
  }
  return add(node);
}

NodeWriter::Ref NodeWriter::named(std::string_view type_key, std::string_view text) {
  const auto [entry, is_new] = named_.try_emplace({intern(type_key), std::string(text)});
  if (is_new)
    entry->second = add({.type_key = entry->first.first, .text = store_text(std::string(text))});
  return entry->second;
}

NodeWriter::Ref NodeWriter::array(std::span<const Ref> elements) {
  return add({.type_key = "Array", .data = store(elements)});
}

NodeWriter::Ref NodeWriter::map(std::span<const Ref> keys_and_values) {
  return add({.type_key = "Map", .data = store(keys_and_values)});
}

NodeWriter::Ref NodeWriter::string_map(std::span<const std::string_view> keys,
                                       std::span<const Ref> values) {
  check(keys.size() == values.size(), "one value per key");
  const Range range{static_cast<std::uint32_t>(texts_.size()),
                    static_cast<std::uint32_t>(keys.size())};
  for (const std::string_view each : keys) store_text(printable(std::string(each)));
  return add({.type_key = "Map", .keys = range, .data = store(values)});
}

NodeWriter::Ref NodeWriter::integer(std::int64_t value) {
  const auto [entry, is_new] = integers_.try_emplace(value);
  if (is_new) {
    const bool is_int32 = value >= std::numeric_limits<std::int32_t>::min() &&
                          value <= std::numeric_limits<std::int32_t>::max();
    entry->second = object("IntImm", {{"dtype", std::string(is_int32 ? "int32" : "int64")},
                                      {"value", std::to_string(value)},
                                      {"span", Ref{}}});
  }
  return entry->second;
}

NodeWriter::TensorRef NodeWriter::tensor(const ir::Tensor& tensor) {
  std::vector<std::uint32_t>& same_bytes = tensors_at_[tensor.bytes()];
  for (const std::uint32_t each : same_bytes) {
    if (tensors_[each].dtype() == tensor.dtype() && tensors_[each].shape() == tensor.shape()) {
      return {each};
    }
  }
  const auto index = static_cast<std::uint32_t>(tensors_.size());
  tensors_.push_back(tensor);
  same_bytes.push_back(index);
  return {index};
}

NodeWriter::Numbering NodeWriter::number(Ref root) const {
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  Numbering result;
  result.node_numbers.assign(nodes_.size(), kNone);
  result.tensor_numbers.assign(tensors_.size(), kNone);
  result.node_numbers[0] = 0;
  result.nodes.push_back(0);
  // Everything still to visit, the next one on top: references are pushed last to first.
  std::vector<std::uint32_t> stack{root.value};
  while (!stack.empty()) {
    const std::uint32_t current = stack.back();
    stack.pop_back();
    if (result.node_numbers[current] != kNone) continue;
    result.node_numbers[current] = static_cast<std::uint32_t>(result.nodes.size());
    result.nodes.push_back(current);
    const Node& node = nodes_[current];
    for (std::uint32_t i = node.data.count; i-- > 0;) stack.push_back(data_[node.data.begin + i]);
    for (std::uint32_t i = node.fields.count; i-- > 0;) {
      const StoredField& field = fields_[node.fields.begin + i];
      if (field.kind == ValueKind::kRef) stack.push_back(field.value);
      if (field.kind != ValueKind::kTensor) continue;
      if (result.tensor_numbers[field.value] != kNone) continue;
      result.tensor_numbers[field.value] = static_cast<std::uint32_t>(result.tensors.size());
      result.tensors.push_back(field.value);
    }
  }
  return result;
}

void NodeWriter::write_node(const Node& node, const Numbering& numbering, Output& out) const {
  out.raw(R"({"type_key": )");
  out.quoted(node.type_key);
  if (node.text != kNoText && !texts_[node.text].empty()) {
    const std::string& text = texts_[node.text];
    const bool is_plain = is_printable(text);
    out.raw(is_plain ? R"(, "repr_str": )" : R"(, "repr_b64": )");
    out.quoted(is_plain ? text : encode_repr(text));
  }
  if (node.fields.count > 0) {
    std::vector<StoredField> sorted(fields_.begin() + node.fields.begin,
                                    fields_.begin() + node.fields.begin + node.fields.count);
    std::ranges::sort(sorted, {}, &StoredField::name);
    std::string_view separator = R"(, "attrs": {)";
    for (const StoredField& field : sorted) {
      out.raw(separator);
      out.quoted(field.name);
      out.raw(": ");
      if (field.kind == ValueKind::kText) {
        out.quoted(texts_[field.value]);
      } else {
        const auto& numbers =
            field.kind == ValueKind::kRef ? numbering.node_numbers : numbering.tensor_numbers;
        out.raw("\"");
        out.number(numbers[field.value]);
        out.raw("\"");
      }
      separator = ", ";
    }
    out.raw("}");
  }
  if (node.keys.count > 0) {
    out.raw(R"(, "keys": [)");
    for (std::uint32_t i = 0; i < node.keys.count; ++i) {
      if (i > 0) out.raw(", ");
      out.quoted(texts_[node.keys.begin + i]);
    }
    out.raw("]");
  }
  if (node.data.count > 0) {
    out.raw(R"(, "data": [)");
    for (std::uint32_t i = 0; i < node.data.count; ++i) {
      if (i > 0) out.raw(", ");
      out.number(numbering.node_numbers[data_[node.data.begin + i]]);
    }
    out.raw("]");
  }
  out.raw("}");
}

void NodeWriter::write(Ref root, const std::function<void(std::string_view)>& sink) const {
  const Numbering numbering = number(root);
  Output out(sink);
  out.raw("{\"root\": ");
  out.number(numbering.node_numbers[root.value]);
  out.raw(",\n\"nodes\": [\n");
  for (std::size_t i = 0; i < numbering.nodes.size(); ++i) {
    if (i > 0) out.raw(",\n");
    write_node(nodes_[numbering.nodes[i]], numbering, out);
  }
  out.raw("\n],\n\"b64ndarrays\": [");
  for (std::size_t i = 0; i < numbering.tensors.size(); ++i) {
    out.raw(i > 0 ? ",\n" : "\n");
    out.tensor(tensors_[numbering.tensors[i]]);
  }
  out.raw("\n],\n\"attrs\": {\"tvm_version\": \"0.19.0\"}}\n");
  out.flush();
}

}  // namespace tvmq::relay
