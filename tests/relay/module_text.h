// Module files as text, for tests that edit them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "relay/module_reader.h"
#include "relay/module_writer.h"

namespace tvmq::relay {

/// main(%x: float32(4)) { nn.relu(%x) }
inline constexpr std::string_view kReluModule = R"({"root": 1, "nodes": [
{"type_key": ""},
{"type_key": "IRModule", "attrs": {"functions": "2"}},
{"type_key": "Map", "data": [3, 4]},
{"type_key": "GlobalVar", "attrs": {"name_hint": "5"}},
{"type_key": "relay.Function", "attrs": {"params": "6", "body": "7"}},
{"type_key": "runtime.String", "repr_str": "main"},
{"type_key": "Array", "data": [8]},
{"type_key": "relay.Call", "attrs": {"op": "9", "args": "10", "attrs": "0", "span": "16"}},
{"type_key": "relay.Var", "attrs": {"vid": "11", "type_annotation": "12"}},
{"type_key": "Op", "repr_str": "nn.relu"},
{"type_key": "Array", "data": [8]},
{"type_key": "relay.Id", "attrs": {"name_hint": "13"}},
{"type_key": "relay.TensorType", "attrs": {"dtype": "float32", "shape": "14"}},
{"type_key": "runtime.String", "repr_str": "x"},
{"type_key": "Array", "data": [15]},
{"type_key": "IntImm", "attrs": {"dtype": "int32", "value": "4"}},
{"type_key": "Span", "attrs": {"source_name": "17", "line": "0"}},
{"type_key": "SourceName", "repr_str": "layer1"}
], "b64ndarrays": [], "attrs": {"tvm_version": "0.19.0"}})";

/// `text` with the first `from` made `to`.
inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string_view::npos) << "the text has no " << from;
  std::string result(text);
  if (at != std::string_view::npos) result.replace(at, from.size(), to);
  return result;
}

inline std::string written(const ir::Module& module) {
  std::string bytes;
  write_module(module, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

inline std::string written(const ir::Graph& graph) {
  return written(ir::Module{{{"main", graph}}});
}

/// The message of the InputError that reading `text` ends in; "" if there is none.
inline std::string reading_error(std::string_view text) {
  try {
    parse_module(text, "model.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

}  // namespace tvmq::relay
