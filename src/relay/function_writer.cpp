#include "relay/function_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace tvmq::relay {
namespace {

/// As C++ streams print with 17 digits.
std::string double_text(double value) {
  check(!std::isnan(value), "an attribute is not NaN");
  return fmt::format("{:.17g}", value);
}

bool is_null(const ir::OpaqueValue& value) {
  return std::holds_alternative<std::monostate>(value.value);
}

}  // namespace

FunctionWriter::FunctionWriter(NodeWriter& nodes,
                               std::function<NodeWriter::Ref(std::string_view)> global_var)
    : nodes_(nodes), global_var_(std::move(global_var)) {
  no_device_ = nodes_.object("VirtualDevice", {{"device_type_int", std::string("-1")},
                                               {"virtual_device_id", std::string("-1")},
                                               {"target", Ref{}},
                                               {"memory_scope", nodes_.string("")}});
}

NodeWriter::Ref FunctionWriter::add(const ir::Graph& graph) {
  std::vector<Ref> refs(graph.size());
  std::vector<Ref> params;
  for (const ir::NodeId id : graph.inputs()) {
    refs[id] = add_var(graph[id].name, graph[id].type);
    params.push_back(refs[id]);
  }
  std::vector<std::pair<Ref, Ref>> lets;  // variable, value
  for (const ir::NodeId id : post_order(graph, graph.output())) {
    const ir::Node& node = graph[id];
    if (node.kind != ir::NodeKind::kInput) refs[id] = add_expression(node, refs);
    if (node.let_name.empty()) continue;
    const Ref var = add_var(node.let_name, node.type);
    lets.emplace_back(var, refs[id]);
    refs[id] = var;
  }
  Ref body = refs[graph.output()];
  std::for_each(lets.rbegin(), lets.rend(), [&](const auto& let) {
    body = expression("relay.Let", {{"var", let.first}, {"value", let.second}, {"body", body}});
  });
  return expression("relay.Function",
                    {{"params", nodes_.array(params)},
                     {"body", body},
                     {"ret_type", type(graph[graph.output()].type)},
                     {"type_params", nodes_.array({})},
                     {"attrs", nodes_.object("DictAttrs", {{"__dict__", nodes_.map({})}})}});
}

NodeWriter::Ref FunctionWriter::expression(std::string_view type_key, std::vector<Field> fields,
                                           Ref span) {
  fields.push_back({"virtual_device_", no_device_});
  fields.push_back({"span", span});
  fields.push_back({"_checked_type_", Ref{}});
  return nodes_.object(type_key, fields);
}

NodeWriter::Ref FunctionWriter::add_expression(const ir::Node& node, const std::vector<Ref>& refs) {
  std::vector<Ref> inputs;
  inputs.reserve(node.inputs.size());
  for (const ir::NodeId each : node.inputs) inputs.push_back(refs.at(each));
  switch (node.kind) {
    case ir::NodeKind::kConstant:
      return expression("relay.Constant", {{"data", nodes_.tensor(node.value)}}, span(node.name));
    case ir::NodeKind::kTuple:
      return expression("relay.Tuple", {{"fields", nodes_.array(inputs)}}, span(node.name));
    case ir::NodeKind::kTupleGetItem:
      return expression("relay.TupleGetItem",
                        {{"tuple_value", inputs.at(0)}, {"index", std::to_string(node.index)}},
                        span(node.name));
    case ir::NodeKind::kCall:
    case ir::NodeKind::kInvoke:
      return add_call(node, inputs);
    case ir::NodeKind::kInput:
      break;
  }
  throw InternalError("parameters are written before expressions");
}

NodeWriter::Ref FunctionWriter::add_call(const ir::Node& node, std::span<const Ref> args) {
  const bool is_operator = node.kind == ir::NodeKind::kCall;
  check(!node.is_call(ir::Op::kSimulatedQuantize) &&
            !std::holds_alternative<ir::SimulatedQuantizeAttrs>(*node.attrs),
        "simulated_quantize is never written to a file");
  const Ref callee = is_operator ? nodes_.named("Op", node.op_name()) : global_var_(node.callee);
  return expression("relay.Call",
                    {{"op", callee},
                     {"args", nodes_.array(args)},
                     {"attrs", is_operator ? add_attrs(*node.attrs) : Ref{}},
                     {"type_args", nodes_.array({})}},
                    span(node.name));
}

NodeWriter::Ref FunctionWriter::add_var(std::string_view name, const ir::Type& declared) {
  const Ref vid = nodes_.object("relay.Id", {{"name_hint", nodes_.string(name)}});
  return expression("relay.Var", {{"vid", vid}, {"type_annotation", type(declared)}});
}

NodeWriter::Ref FunctionWriter::span(const std::string& name) {
  if (name.empty()) return {};
  const auto [entry, is_new] = spans_.try_emplace(name);
  if (is_new) {
    entry->second = nodes_.object("Span", {{"source_name", nodes_.named("SourceName", name)},
                                           {"line", std::string("0")},
                                           {"column", std::string("0")},
                                           {"end_line", std::string("0")},
                                           {"end_column", std::string("0")}});
  }
  return entry->second;
}

NodeWriter::Ref FunctionWriter::type(const ir::Type& type) {
  if (!ir::is_known(type)) return {};
  if (const auto* tensor = std::get_if<ir::TensorType>(&type)) return tensor_type(*tensor);
  const auto [entry, is_new] = types_.try_emplace(to_string(type));
  if (is_new) {
    std::vector<Ref> fields;
    for (const ir::TensorType& each : std::get<ir::TupleType>(type).fields) {
      fields.push_back(tensor_type(each));
    }
    entry->second = nodes_.object("TupleType", {{"fields", nodes_.array(fields)}, {"span", Ref{}}});
  }
  return entry->second;
}

NodeWriter::Ref FunctionWriter::tensor_type(const ir::TensorType& type) {
  const auto [entry, is_new] = types_.try_emplace(to_string(type));
  if (is_new) {
    std::vector<Ref> dims;
    for (const std::int64_t each : type.shape) {
      dims.push_back(
          each == ir::kDynamicDim
              ? nodes_.object("tir.Any", {{"dtype", std::string("int32")}, {"span", Ref{}}})
              : nodes_.integer(each));
    }
    entry->second =
        nodes_.object("relay.TensorType", {{"shape", nodes_.array(dims)},
                                           {"dtype", std::string(dtype_name(type.dtype))},
                                           {"span", Ref{}}});
  }
  return entry->second;
}

NodeWriter::Ref FunctionWriter::int_list(const ir::IntList& values) {
  const auto [entry, is_new] = int_lists_.try_emplace(values);
  if (is_new) {
    std::vector<Ref> elements;
    for (const std::int64_t each : values) elements.push_back(nodes_.integer(each));
    entry->second = nodes_.array(elements);
  }
  return entry->second;
}

NodeWriter::Ref FunctionWriter::add_attrs(const ir::Attrs& attrs) {
  if (std::holds_alternative<std::monostate>(attrs)) return {};
  const std::string_view key = attrs_type_key(attrs);
  const auto fields = attr_fields(key);
  check(fields.has_value(), "the attributes are of a type that TVM has");
  const std::vector<ir::OpaqueValue> values = attr_values(attrs);
  check(fields->size() == values.size(), "one value per field of the attribute type");
  std::vector<Field> stored;
  for (std::size_t i = 0; i < values.size(); ++i) {
    stored.push_back(attr_field((*fields)[i], values[i]));
  }
  return nodes_.object(std::string(kAttrsPrefix).append(key), stored);
}

NodeWriter::Field FunctionWriter::attr_field(const AttrField& field, const ir::OpaqueValue& value) {
  const auto integer = [&] { return std::get<std::int64_t>(value.value); };
  const auto text = [&]() -> const std::string& { return std::get<std::string>(value.value); };
  switch (field.kind) {
    case FieldKind::kInt:
      return {field.name, std::to_string(integer())};
    case FieldKind::kBool:
      return {field.name, std::string(std::get<bool>(value.value) ? "1" : "0")};
    case FieldKind::kDouble:
      return {field.name, double_text(std::get<double>(value.value))};
    case FieldKind::kDType:
      return {field.name, std::string(dtype_name(std::get<ir::DType>(value.value)))};
    case FieldKind::kInlineText:
      return {field.name, text()};
    default:
      break;
  }
  if (is_null(value)) return {field.name, Ref{}};
  const auto float_imm = [&](double number) {
    return nodes_.object(
        "FloatImm",
        {{"dtype", std::string("float32")}, {"value", double_text(number)}, {"span", Ref{}}});
  };
  switch (field.kind) {
    case FieldKind::kStringNode:
      return {field.name, nodes_.string(text())};
    case FieldKind::kOptionalInt:
      return {field.name, nodes_.integer(integer())};
    case FieldKind::kOptionalBool:
      return {
          field.name,
          nodes_.object("IntImm", {{"dtype", std::string("bool")},
                                   {"value", std::string(std::get<bool>(value.value) ? "1" : "0")},
                                   {"span", Ref{}}})};
    case FieldKind::kOptionalDouble:
      return {field.name, float_imm(std::get<double>(value.value))};
    case FieldKind::kIntList:
      return {field.name, int_list(std::get<ir::IntList>(value.value))};
    case FieldKind::kIntMatrix: {
      std::vector<Ref> rows;
      for (const ir::IntList& each : std::get<ir::IntMatrix>(value.value)) {
        rows.push_back(int_list(each));
      }
      return {field.name, nodes_.array(rows)};
    }
    case FieldKind::kDoubleList: {
      std::vector<Ref> elements;
      for (const double each : std::get<ir::DoubleList>(value.value)) {
        elements.push_back(float_imm(each));
      }
      return {field.name, nodes_.array(elements)};
    }
    case FieldKind::kSectionsOrIndices: {
      const auto box = [&](std::int64_t number) {
        return nodes_.named("runtime.BoxInt", std::to_string(number));
      };
      const auto& sections = std::get<ir::SectionsOrIndices>(value.value);
      if (const auto* count = std::get_if<std::int64_t>(&sections))
        return {field.name, box(*count)};
      std::vector<Ref> indices;
      for (const std::int64_t each : std::get<ir::IntList>(sections)) indices.push_back(box(each));
      return {field.name, nodes_.array(indices)};
    }
    default:
      break;
  }
  throw InternalError(fmt::format("attribute '{}' cannot be written", field.name));
}

}  // namespace tvmq::relay
