#include "relay/module_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "relay/function_reader.h"
#include "relay/node_table.h"
#include "relay/node_values.h"

namespace tvmq::relay {
namespace {

constexpr std::string_view kMain = "main";

class ModuleReader {
 public:
  /// `json_bytes`: of the file.
  ModuleReader(const NodeTable& table, std::size_t json_bytes)
      : table_(table), functions_(table, most_values(json_bytes)) {}

  ir::Module read() {
    const NodeIndex root = table_.root();
    const std::string_view type_key = table_[root].type_key;
    if (type_key == "relay.Function") {
      std::vector<NodeIndex> callees;
      ir::Graph graph = functions_.read(root, callees);
      if (!callees.empty()) {
        table_.fail(root,
                    "calls another function, but the file holds only this one; save the "
                    "module instead of the function");
      }
      ir::Module module;
      module.functions.push_back({std::string(kMain), std::move(graph)});
      return module;
    }
    if (type_key != "IRModule") {
      table_.fail(root,
                  "expected a Relay module (IRModule) or a relay.Function; save the model with "
                  "tvm.ir.save_json(mod)");
    }
    find_functions(root);
    read_reached(root);
    check_no_recursion();
    return in_file_order();
  }

 private:
  struct Read {
    ir::Graph graph;
    std::vector<NodeIndex> callees;  ///< GlobalVars
  };

  /// Function of each GlobalVar: a Map with alternating keys and values.
  void find_functions(NodeIndex root) {
    const auto pairs = table_[reference(table_, root, "functions", "Map")].data;
    if (pairs.size() % 2 != 0) table_.fail(root, "'functions' has a key without a function");
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      if (table_[pairs[i]].type_key != "GlobalVar") {
        table_.fail(
            root, fmt::format("'functions' has node {} as a key, expected a GlobalVar", pairs[i]));
      }
      file_order_.push_back(pairs[i]);
      function_of_[pairs[i]] = pairs[i + 1];
    }
  }

  [[nodiscard]] std::string_view name_of(NodeIndex global) const {
    return text_field(table_, global, "name_hint");
  }

  void read_reached(NodeIndex root) {
    const auto main =
        std::ranges::find_if(file_order_, [&](NodeIndex each) { return name_of(each) == kMain; });
    if (main == file_order_.end()) {
      table_.fail(root, fmt::format("no function 'main' among the {} functions of the module",
                                    file_order_.size()));
    }
    std::vector<NodeIndex> waiting{*main};
    while (!waiting.empty()) {
      const NodeIndex global = waiting.back();
      waiting.pop_back();
      if (read_.contains(global)) continue;
      const auto function = function_of_.find(global);
      if (function == function_of_.end()) {
        table_.fail(global, fmt::format("function '{}' is called but is not in the module",
                                        name_of(global)));
      }
      if (table_[function->second].type_key != "relay.Function") {
        table_.fail(function->second, fmt::format("is the function '{}', expected a relay.Function",
                                                  name_of(global)));
      }
      Read& result = read_[global];
      result.graph = functions_.read(function->second, result.callees);
      waiting.insert(waiting.end(), result.callees.begin(), result.callees.end());
    }
  }

  /// Takes away functions that call nothing that is left, until none is left.
  void check_no_recursion() const {
    std::map<NodeIndex, std::size_t> open_calls;
    std::map<NodeIndex, std::vector<NodeIndex>> callers;
    std::vector<NodeIndex> leaves;
    for (const auto& [global, result] : read_) {
      open_calls[global] = result.callees.size();
      if (result.callees.empty()) leaves.push_back(global);
      for (const NodeIndex callee : result.callees) callers[callee].push_back(global);
    }
    while (!leaves.empty()) {
      const NodeIndex leaf = leaves.back();
      leaves.pop_back();
      for (const NodeIndex caller : callers[leaf]) {
        if (--open_calls[caller] == 0) leaves.push_back(caller);
      }
      open_calls.erase(leaf);
    }
    if (open_calls.empty()) return;
    const NodeIndex global = open_calls.begin()->first;
    table_.fail(global,
                fmt::format("function '{}' calls itself or is called in a circle; recursion "
                            "is not supported",
                            name_of(global)));
  }

  ir::Module in_file_order() {
    ir::Module module;
    for (const NodeIndex global : file_order_) {
      const auto found = read_.find(global);
      if (found == read_.end()) continue;
      const std::string name(name_of(global));
      const bool is_new = std::ranges::none_of(
          module.functions, [&](const ir::Function& each) { return each.name == name; });
      if (!is_new) table_.fail(global, fmt::format("there are two functions '{}'", name));
      module.functions.push_back({name, std::move(found->second.graph)});
      read_.erase(found);
    }
    return module;
  }

  const NodeTable& table_;
  FunctionReader functions_;
  std::vector<NodeIndex> file_order_;
  std::map<NodeIndex, NodeIndex> function_of_;
  std::map<NodeIndex, Read> read_;
};

ir::Module parse(std::string text, std::string name) {
  const std::size_t json_bytes = text.size();
  const NodeTable table(std::move(text), std::move(name));
  return ModuleReader(table, json_bytes).read();
}

}  // namespace

ir::Module read_module(const std::filesystem::path& json) {
  return parse(read_file(json, NodeTable::padding()), json.string());
}

ir::Module parse_module(std::string_view json, std::string_view name_for_errors) {
  std::string text;
  text.reserve(json.size() + NodeTable::padding());
  text = json;
  return parse(std::move(text), std::string(name_for_errors));
}

}  // namespace tvmq::relay
