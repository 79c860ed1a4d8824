#include "module_json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <iterator>

#include "base/json.h"

namespace tvmq::fuzz {
namespace {

namespace dom = simdjson::dom;

std::string text_of(const dom::element& element) {
  return element.is_string() ? std::string(element.get_string().value_unsafe())
                             : simdjson::minify(element);
}

ModuleNode read_node(const dom::object& object) {
  ModuleNode node;
  for (const auto& [key, value] : object) {
    if (key == "type_key") {
      node.type_key = text_of(value);
    } else if (key == "repr_str") {
      node.text = text_of(value);
    } else if (key == "attrs" && value.is_object()) {
      const dom::object fields = value.get_object().value_unsafe();
      for (const auto& [name, field] : fields) {
        node.attrs.emplace_back(name, text_of(field));
      }
    } else if (key == "keys" && value.is_array()) {
      const dom::array list = value.get_array().value_unsafe();
      for (const dom::element each : list) {
        node.keys.push_back(text_of(each));
      }
    } else if (key == "data" && value.is_array()) {
      const dom::array list = value.get_array().value_unsafe();
      for (const dom::element each : list) {
        node.data.push_back(simdjson::minify(each));
      }
    }
  }
  return node;
}

/// "[A, B]" with `write` of every element.
template <class Elements, class Write>
void write_list(std::string& out, const Elements& elements, Write write) {
  out += '[';
  bool first = true;
  for (const auto& each : elements) {
    if (!first) out += ", ";
    first = false;
    write(each);
  }
  out += ']';
}

void write_node(std::string& out, const ModuleNode& node) {
  out += fmt::format(R"({{"type_key": {})", json_text(node.type_key));
  if (node.text) out += fmt::format(R"(, "repr_str": {})", json_text(*node.text));
  if (!node.attrs.empty()) {
    out += R"(, "attrs": {)";
    for (std::size_t i = 0; i < node.attrs.size(); ++i) {
      const auto& [name, value] = node.attrs[i];
      out += fmt::format("{}{}: {}", i == 0 ? "" : ", ", json_text(name), json_text(value));
    }
    out += '}';
  }
  if (!node.keys.empty()) {
    out += R"(, "keys": )";
    write_list(out, node.keys, [&](const std::string& each) { out += json_text(each); });
  }
  if (!node.data.empty()) {
    out += R"(, "data": )";
    write_list(out, node.data, [&](const std::string& each) { out += each; });
  }
  out += "}\n";
}

}  // namespace

std::optional<ModuleFile> read_module_file(std::string_view json) {
  dom::parser parser;
  dom::element document;
  if (parser.parse(simdjson::padded_string(json)).get(document) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  dom::array nodes;
  dom::element root;
  if (document["nodes"].get(nodes) != simdjson::SUCCESS ||
      document["root"].get(root) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  ModuleFile file{.root = simdjson::minify(root), .nodes = {}, .tensors = {}};
  for (const dom::element node : nodes) {
    if (!node.is_object()) return std::nullopt;
    file.nodes.push_back(read_node(node.get_object().value_unsafe()));
  }
  dom::array tensors;
  if (document["b64ndarrays"].get(tensors) == simdjson::SUCCESS) {
    for (const dom::element each : tensors) file.tensors.push_back(text_of(each));
  }
  return file;
}

std::string to_json(const ModuleFile& file) {
  std::string out = fmt::format(R"({{"root": {}, "nodes": )", file.root);
  write_list(out, file.nodes, [&](const ModuleNode& node) { write_node(out, node); });
  out += R"(, "b64ndarrays": )";
  write_list(out, file.tensors, [&](const std::string& each) { out += json_text(each); });
  out += R"(, "attrs": {"tvm_version": "0.19.0"}})";
  return out;
}

}  // namespace tvmq::fuzz
