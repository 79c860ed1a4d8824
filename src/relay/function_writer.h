// One ir::Graph -> the nodes of a relay.Function.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "relay/node_writer.h"
#include "relay/schema.h"

namespace tvmq::relay {

/// Adds functions to one NodeWriter; they share types, texts and the like.
class FunctionWriter {
 public:
  /// `global_var` gives the GlobalVar of a function by name.
  FunctionWriter(NodeWriter& nodes, std::function<NodeWriter::Ref(std::string_view)> global_var);

  /// The relay.Function.
  NodeWriter::Ref add(const ir::Graph& graph);

 private:
  using Ref = NodeWriter::Ref;
  using Field = NodeWriter::Field;

  Ref add_expression(const ir::Node& node, const std::vector<Ref>& refs);
  Ref add_call(const ir::Node& node, std::span<const Ref> args);
  Ref add_var(std::string_view name, const ir::Type& type);
  Ref add_attrs(const ir::Attrs& attrs);
  NodeWriter::Field attr_field(const AttrField& field, const ir::OpaqueValue& value);
  Ref int_list(const ir::IntList& values);
  Ref type(const ir::Type& type);
  Ref tensor_type(const ir::TensorType& type);
  Ref span(const std::string& name);
  /// A node of TVM's expression type: `fields`, then what all expressions have.
  Ref expression(std::string_view type_key, std::vector<Field> fields, Ref span = {});

  NodeWriter& nodes_;
  std::function<Ref(std::string_view)> global_var_;
  Ref no_device_;
  std::map<std::string, Ref> types_;
  std::map<std::string, Ref> spans_;
  std::map<ir::IntList, Ref> int_lists_;
};

}  // namespace tvmq::relay
