// Builds the node list of a saved-JSON file and writes it: the counterpart of node_table.h.
//
// Nodes are added operands first and are referred to by handles. write() numbers what the root
// reaches as TVM does (depth first, a node before what it refers to, fields in TVM's visiting
// order), so that equal content gives equal bytes whatever the order of construction.
//
// Text that TVM could not load is refused with an InputError: fields and keys must be printable
// ASCII (TVM's loader knows five JSON escapes and Python turns everything else into a sixth).
// string() and the like take any bytes, the format has an escape for them.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/tensor.h"

namespace tvmq::relay {

class NodeWriter {
 public:
  /// A node; the default is null.
  struct Ref {
    std::uint32_t value = 0;
  };
  /// A tensor of b64ndarrays.
  struct TensorRef {
    std::uint32_t value = 0;
  };
  struct Field {
    std::string_view name;  ///< must outlive the writer: a literal or the schema's
    std::variant<Ref, TensorRef, std::string> value;
  };

  NodeWriter();

  /// A node with fields, in TVM's visiting order.
  Ref object(std::string_view type_key, std::span<const Field> fields);
  Ref object(std::string_view type_key, std::initializer_list<Field> fields) {
    return object(type_key, std::span(fields.begin(), fields.size()));
  }
  /// A node that is nothing but a text: Op, SourceName, runtime.String, runtime.BoxInt. Equal ones
  /// are one node.
  Ref named(std::string_view type_key, std::string_view text);
  Ref string(std::string_view text) { return named("runtime.String", text); }
  Ref array(std::span<const Ref> elements);
  Ref array(std::initializer_list<Ref> elements) {
    return array(std::span(elements.begin(), elements.size()));
  }
  /// Keys and values in turn.
  Ref map(std::span<const Ref> keys_and_values);
  Ref string_map(std::span<const std::string_view> keys, std::span<const Ref> values);
  /// An IntImm: int32, or int64 if the value needs it. Equal ones are one node.
  Ref integer(std::int64_t value);
  /// Tensors that share their elements are one.
  TensorRef tensor(const ir::Tensor& tensor);

  void write(Ref root, const std::function<void(std::string_view)>& sink) const;

 private:
  enum class ValueKind : std::uint8_t { kRef, kTensor, kText };
  struct StoredField {
    std::string_view name;
    ValueKind kind;
    std::uint32_t value;  ///< of a Ref or TensorRef, or an index into texts_
  };
  struct Range {
    std::uint32_t begin;
    std::uint32_t count;
  };
  struct Node {
    std::string_view type_key;     ///< an element of type_keys_
    std::uint32_t text = kNoText;  ///< index into texts_
    Range fields = {};
    Range keys = {};  ///< indices into texts_ from begin on
    Range data = {};
  };
  struct Numbering;
  class Output;
  static constexpr std::uint32_t kNoText = ~std::uint32_t{0};

  Ref add(Node node);
  std::string_view intern(std::string_view type_key);
  Range store(std::span<const Ref> refs);
  std::uint32_t store_text(std::string text);
  [[nodiscard]] Numbering number(Ref root) const;
  void write_node(const Node& node, const Numbering& numbering, Output& out) const;

  std::vector<Node> nodes_;
  std::vector<StoredField> fields_;
  std::vector<std::uint32_t> data_;
  std::vector<std::string> texts_;
  std::vector<ir::Tensor> tensors_;
  std::set<std::string, std::less<>> type_keys_;
  std::map<std::pair<std::string_view, std::string>, Ref> named_;
  std::map<std::int64_t, Ref> integers_;
  std::map<const std::byte*, std::vector<std::uint32_t>> tensors_at_;
};

}  // namespace tvmq::relay
