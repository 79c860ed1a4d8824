#include "relay/module_writer.h"

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "relay/function_writer.h"
#include "relay/node_writer.h"

namespace tvmq::relay {

void write_module(const ir::Module& module, const std::function<void(std::string_view)>& sink) {
  using Ref = NodeWriter::Ref;
  NodeWriter nodes;
  std::map<std::string_view, Ref> globals;
  for (const ir::Function& each : module.functions) {
    const Ref global = nodes.object("GlobalVar", {{"name_hint", nodes.string(each.name)},
                                                  {"virtual_device_", Ref{}},
                                                  {"span", Ref{}},
                                                  {"_checked_type_", Ref{}},
                                                  {"struct_info_", Ref{}}});
    check(globals.emplace(each.name, global).second, "functions have different names");
  }
  check(globals.contains("main"), "a module has a main function");

  FunctionWriter writer(nodes, [&](std::string_view name) {
    const auto found = globals.find(name);
    check(found != globals.end(), "an invoked function is in the module");
    return found->second;
  });
  std::vector<Ref> functions;
  std::vector<std::string_view> names;
  std::vector<Ref> vars;
  for (const ir::Function& each : module.functions) {
    names.push_back(each.name);
    vars.push_back(globals[each.name]);
    functions.push_back(vars.back());
    functions.push_back(writer.add(each.graph));
  }
  const Ref root = nodes.object(
      "IRModule", {{"functions", nodes.map(functions)},
                   {"type_definitions", nodes.map({})},
                   {"global_var_map_", nodes.string_map(names, vars)},
                   {"global_type_var_map_", nodes.map({})},
                   {"source_map", nodes.object("SourceMap", {{"source_map", nodes.map({})}})},
                   {"attrs", nodes.object("DictAttrs", {{"__dict__", nodes.map({})}})},
                   {"global_infos", nodes.map({})}});
  nodes.write(root, sink);
}

}  // namespace tvmq::relay
