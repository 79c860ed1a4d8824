// The JSON text that tvm.ir.save_json writes, taken apart and nothing more: a list of nodes that
// refer to each other by number. What the nodes mean is module_reader.h's business.
//
//   { "root": 1,
//     "nodes": [ {"type_key": ""},                                          <- node 0: null
//                {"type_key": "IRModule", "attrs": {"functions": "2", ...}},
//                {"type_key": "Map",      "data": [3, 20]},
//                {"type_key": "Op",       "repr_str": "nn.conv2d"}, ... ],
//     "b64ndarrays": [ "P6G0lvBAXt0AAAAA...", ... ],
//     "attrs": {"tvm_version": "0.19.0"} }
//
// Nothing is copied except what JSON escapes: all other views point into the text. Checked here:
// JSON and UTF-8 syntax, the type of every JSON value, known keys only, every index in `data` in
// range. Indices inside `attrs` are texts ("2") and become indices only when their meaning is
// known; index() checks those. Every failure is an InputError that names the text, the node, what
// was found and what was expected.
//
// Limits: 4 GB of text (simdjson's), 2^32 - 1 nodes. Memory: the text, plus about 12 bytes per
// token of `nodes`; while it is taken apart, 4 bytes more per byte of the text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tvmq::relay {

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNullNode = 0;

struct NodeField {
  std::string_view name;
  std::string_view text;
};

/// One entry of "nodes". The views live as long as the table.
struct NodeView {
  std::string_view type_key;          ///< empty: null
  std::string_view repr;              ///< repr_str, or repr_b64 decoded
  std::span<const NodeField> fields;  ///< "attrs"
  std::span<const std::string_view> keys;
  std::span<const NodeIndex> data;

  /// The text of a field; nullptr if there is no such field.
  [[nodiscard]] const std::string_view* find(std::string_view name) const {
    for (const NodeField& each : fields) {
      if (each.name == name) return &each.text;
    }
    return nullptr;
  }
};

class NodeTable {
 public:
  /// Bytes that must be readable behind the text.
  static std::size_t padding();

  /// Takes the text over. `name` is what errors call it: a path.
  NodeTable(std::string text, std::string name);
  NodeTable(const NodeTable&) = delete;
  NodeTable& operator=(const NodeTable&) = delete;
  ~NodeTable();

  [[nodiscard]] NodeIndex root() const { return root_; }
  [[nodiscard]] NodeIndex size() const { return static_cast<NodeIndex>(nodes_.size()); }
  [[nodiscard]] NodeView operator[](NodeIndex index) const;
  /// The tensors, each one base64 of an NDArray record (ndarray_record.h), not decoded yet.
  [[nodiscard]] std::span<const std::string_view> tensors() const { return tensors_; }
  /// "0.19.0"; empty if the file does not say.
  [[nodiscard]] std::string_view tvm_version() const { return tvm_version_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// Throws an InputError "NAME: node 17 (relay.Call): MESSAGE".
  [[noreturn]] void fail(NodeIndex node, std::string_view message) const;

 private:
  /// A stretch of one of the vectors below.
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t count = 0;
  };
  struct Node {
    std::string_view type_key;
    std::string_view repr;
    Range fields;
    Range keys;
    Range data;
  };
  struct Storage;
  class Parser;

  std::string name_;
  std::unique_ptr<Storage> storage_;
  NodeIndex root_ = kNullNode;
  std::vector<Node> nodes_;
  std::vector<NodeField> fields_;
  std::vector<std::string_view> keys_;
  std::vector<NodeIndex> data_;
  std::vector<std::string_view> tensors_;
  std::string_view tvm_version_;
};

}  // namespace tvmq::relay
