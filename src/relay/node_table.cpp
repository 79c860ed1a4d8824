#include "relay/node_table.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"
#include "relay/base64.h"

namespace tvmq::relay {
namespace {

namespace od = simdjson::ondemand;

std::string_view json_type_name(od::json_type type) {
  switch (type) {
    case od::json_type::array:
      return "an array";
    case od::json_type::object:
      return "an object";
    case od::json_type::number:
      return "a number";
    case od::json_type::string:
      return "a string";
    case od::json_type::boolean:
      return "a boolean";
    case od::json_type::null:
      return "null";
  }
  return "something else";
}

/// A runtime.String with unprintable bytes: base64 of a u64 length and the bytes.
bool decode_repr(std::string_view text, std::string& bytes) {
  constexpr std::size_t kLengthBytes = 8;
  if (!decode_base64(text, bytes) || bytes.size() < kLengthBytes) return false;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  bytes.erase(0, kLengthBytes);
  return bytes.size() == length;
}

}  // namespace

std::size_t NodeTable::padding() { return simdjson::SIMDJSON_PADDING; }

/// What the views point into.
struct NodeTable::Storage {
  std::string text;
  std::deque<std::string> decoded;  ///< strings that stand otherwise in the text
};

/// Walks the JSON once, from front to back.
class NodeTable::Parser {
 public:
  explicit Parser(NodeTable& table) : table_(table) {}

  void run() {
    std::string& text = table_.storage_->text;
    if (text.size() >= std::numeric_limits<std::uint32_t>::max()) {
      fail(
          fmt::format("{} bytes of JSON, expected less than 4 GB; keep the weights in a .params "
                      "file instead of in the JSON",
                      text.size()));
    }
    text.reserve(text.size() + padding());
    od::document document;
    need(parser_.iterate(simdjson::padded_string_view(text.data(), text.size(), text.capacity()))
             .get(document));
    od::object top;
    if (document.get_object().get(top) != simdjson::SUCCESS) {
      fail("expected a JSON object as tvm.ir.save_json writes it, found something else");
    }
    std::uint64_t root = 0;
    bool has_root = false;
    bool has_nodes = false;
    bool has_tensors = false;
    for (auto each : top) {
      od::field field;
      need(std::move(each).get(field));
      const std::string_view key = key_of(field);
      place_ = key;
      if (key == "root" && !has_root) {
        root = number(field.value());
        has_root = true;
      } else if (key == "nodes" && !has_nodes) {
        read_nodes(field.value());
        has_nodes = true;
      } else if (key == "b64ndarrays" && !has_tensors) {
        read_tensors(field.value());
        has_tensors = true;
      } else if (key == "attrs") {
        read_global_attrs(field.value());
      } else {
        fail(
            fmt::format("key \"{}\" is unknown or appears twice; expected root, nodes, b64ndarrays "
                        "and attrs, is this a file of tvm.ir.save_json?",
                        key));
      }
    }
    place_ = {};
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
      fail("there is text behind the closing brace");
    if (!has_root || !has_nodes) {
      fail("expected the keys \"root\" and \"nodes\"; is this a file of tvm.ir.save_json?");
    }
    if (root >= table_.nodes_.size()) {
      fail(fmt::format("root {} is not one of the {} nodes", root, table_.nodes_.size()));
    }
    table_.root_ = static_cast<NodeIndex>(root);
    if (!table_[kNullNode].type_key.empty()) {
      fail("node 0 is not null, as it is in all files of tvm.ir.save_json; the file is damaged");
    }
    check_data();
  }

 private:
  [[noreturn]] void fail(std::string_view message) const {
    if (in_node_) {
      throw InputError(fmt::format("{}: node {}: {}", table_.name_, table_.nodes_.size(), message));
    }
    throw InputError(
        fmt::format("{}: {}{}{}", table_.name_, place_, place_.empty() ? "" : ": ", message));
  }

  void need(simdjson::error_code error) const {
    if (error == simdjson::SUCCESS) return;
    fail(fmt::format("not valid JSON ({}); the file is damaged or is not a TVM model",
                     simdjson::error_message(error)));
  }

  /// `error` came from asking `value` for `expected`.
  void need_type(simdjson::error_code error, od::value& value, std::string_view expected) const {
    if (error == simdjson::SUCCESS) return;
    od::json_type found{};
    if (error == simdjson::INCORRECT_TYPE && value.type().get(found) == simdjson::SUCCESS) {
      fail(fmt::format("expected {}, found {}", expected, json_type_name(found)));
    }
    need(error);
  }

  /// The string that starts at `begin` in the text, behind its quote; nothing if it has escapes.
  std::optional<std::string_view> without_escapes(const char* begin) const {
    const std::string& text = table_.storage_->text;
    const std::string_view rest(begin, text.data() + text.size() - begin);
    const std::string_view string = rest.substr(0, rest.find('"'));
    if (string.find('\\') != string.npos) return std::nullopt;
    return string;
  }

  /// What simdjson unescaped, which lives as long as the parser.
  std::string_view kept(std::string_view text) const {
    return table_.storage_->decoded.emplace_back(text);
  }

  std::string_view key_of(od::field& field) const {
    if (const auto key = without_escapes(field.key().raw())) return *key;
    std::string_view key;
    need(field.unescaped_key().get(key));
    return kept(key);
  }

  std::string_view string(od::value value, std::string_view what) const {
    const std::string_view token = value.raw_json_token();
    std::optional<std::string_view> plain;
    if (token.starts_with('"')) plain = without_escapes(token.data() + 1);
    if (plain) {
      need(value.get_raw_json_string().error());
      return *plain;
    }
    std::string_view text;
    need_type(value.get_string().get(text), value, fmt::format("a string as {}", what));
    return kept(text);
  }

  std::uint64_t number(od::value value) const {
    std::uint64_t result = 0;
    const simdjson::error_code error = value.get_uint64().get(result);
    if (error != simdjson::SUCCESS) fail("expected a node's number, 0 or more");
    return result;
  }

  void read_nodes(od::value value) {
    od::array array;
    need_type(value.get_array().get(array), value, "an array");
    for (auto each : array) {
      od::value node;
      need(each.get(node));
      in_node_ = true;
      read_node(node);
      in_node_ = false;
      if (table_.nodes_.size() == std::numeric_limits<NodeIndex>::max()) fail("too many nodes");
    }
  }

  void read_node(od::value value) {
    Node node;
    od::object object;
    need_type(value.get_object().get(object), value, "an object");
    for (auto each : object) {
      od::field field;
      need(std::move(each).get(field));
      const std::string_view key = key_of(field);
      if (key == "type_key") {
        node.type_key = string(field.value(), key);
      } else if (key == "attrs") {
        node.fields = read_fields(field.value());
      } else if (key == "data") {
        node.data = read_data(field.value());
      } else if (key == "keys") {
        node.keys = read_strings(field.value(), table_.keys_);
      } else if (key == "repr_str") {
        node.repr = string(field.value(), key);
      } else if (key == "repr_b64") {
        std::string& bytes = table_.storage_->decoded.emplace_back();
        if (!decode_repr(string(field.value(), key), bytes)) {
          fail("repr_b64 is not base64 of a length and that many bytes");
        }
        node.repr = bytes;
      } else {
        fail(
            fmt::format("unknown key \"{}\"; expected type_key, repr_str, repr_b64, attrs, keys, "
                        "data",
                        key));
      }
    }
    table_.nodes_.push_back(node);
  }

  Range read_fields(od::value value) {
    const auto begin = static_cast<std::uint32_t>(table_.fields_.size());
    od::object object;
    need_type(value.get_object().get(object), value, "an object as attrs");
    for (auto each : object) {
      od::field field;
      need(std::move(each).get(field));
      const std::string_view name = key_of(field);
      table_.fields_.push_back({name, string(field.value(), name)});
    }
    return {begin, static_cast<std::uint32_t>(table_.fields_.size()) - begin};
  }

  Range read_data(od::value value) {
    const auto begin = static_cast<std::uint32_t>(table_.data_.size());
    od::array array;
    need_type(value.get_array().get(array), value, "an array as data");
    for (auto each : array) {
      od::value element;
      need(each.get(element));
      const std::uint64_t index = number(element);
      if (index > std::numeric_limits<NodeIndex>::max()) {
        fail(fmt::format("data refers to node {}, which does not exist", index));
      }
      table_.data_.push_back(static_cast<NodeIndex>(index));
    }
    return {begin, static_cast<std::uint32_t>(table_.data_.size()) - begin};
  }

  Range read_strings(od::value value, std::vector<std::string_view>& to) {
    const auto begin = static_cast<std::uint32_t>(to.size());
    od::array array;
    need_type(value.get_array().get(array), value, "an array of strings");
    for (auto each : array) {
      od::value element;
      need(each.get(element));
      to.push_back(string(element, "an element"));
    }
    return {begin, static_cast<std::uint32_t>(to.size()) - begin};
  }

  /// Tensors are most of a large file. base64 needs no unescaping, so that they are left where they
  /// are; a backslash would be found as a foreign character later.
  void read_tensors(od::value value) {
    od::array array;
    need_type(value.get_array().get(array), value, "an array");
    for (auto each : array) {
      od::value element;
      need(each.get(element));
      std::string_view token = element.raw_json_token();
      const std::size_t end = token.rfind('"');
      if (!token.starts_with('"') || end == 0 || end == std::string_view::npos) {
        fail(fmt::format("tensor {}: expected a string", table_.tensors_.size()));
      }
      table_.tensors_.push_back(token.substr(1, end - 1));
    }
  }

  void read_global_attrs(od::value value) {
    od::object object;
    need_type(value.get_object().get(object), value, "an object");
    for (auto each : object) {
      od::field field;
      need(std::move(each).get(field));
      const std::string_view name = key_of(field);
      const std::string_view text = string(field.value(), name);
      if (name == "tvm_version") table_.tvm_version_ = text;
    }
  }

  void check_data() const {
    for (NodeIndex i = 0; i < table_.size(); ++i) {
      for (const NodeIndex each : table_[i].data) {
        if (each >= table_.size()) {
          table_.fail(i,
                      fmt::format("data refers to node {}, but there are only {} nodes; the file "
                                  "is damaged",
                                  each, table_.size()));
        }
      }
    }
  }

  NodeTable& table_;
  od::parser parser_;
  std::string_view place_;
  bool in_node_ = false;
};

NodeTable::NodeTable(std::string text, std::string name)
    : name_(std::move(name)), storage_(std::make_unique<Storage>()) {
  storage_->text = std::move(text);
  Parser(*this).run();
}

NodeTable::~NodeTable() = default;

NodeView NodeTable::operator[](NodeIndex index) const {
  const Node& node = nodes_.at(index);
  const auto slice = [](const auto& all, Range range) {
    return std::span(all).subspan(range.begin, range.count);
  };
  return {.type_key = node.type_key,
          .repr = node.repr,
          .fields = slice(fields_, node.fields),
          .keys = slice(keys_, node.keys),
          .data = slice(data_, node.data)};
}

void NodeTable::fail(NodeIndex node, std::string_view message) const {
  const std::string_view type_key = node < size() ? nodes_[node].type_key : "?";
  throw InputError(fmt::format("{}: node {} ({}): {}", name_, node,
                               type_key.empty() ? "null" : type_key, message));
}

}  // namespace tvmq::relay
