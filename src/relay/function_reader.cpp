#include "relay/function_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "relay/base64.h"
#include "relay/ndarray_record.h"
#include "relay/node_values.h"

namespace tvmq::relay {
namespace {

std::span<const NodeIndex> elements(const NodeTable& table, NodeIndex from, std::string_view name) {
  return table[reference(table, from, name, "Array")].data;
}

}  // namespace

FunctionReader::FunctionReader(const NodeTable& table, std::size_t most_values)
    : table_(table),
      entries_(table.size()),
      tensors_(table.tensors().size()),
      operand_limit_(16 * std::size_t{table.size()} + (std::size_t{1} << 20)),
      most_values_(most_values) {}

ir::Graph FunctionReader::read(NodeIndex function, std::vector<NodeIndex>& callees) {
  ++epoch_;
  graph_ = {};
  add_params(function);
  const NodeIndex body = reference(table_, function, "body");

  std::vector<Frame> stack;
  const auto enter = [&](NodeIndex node, NodeIndex user) {
    Entry& entry = entries_[node];
    if (entry.epoch != epoch_) {
      entry = {.epoch = epoch_, .open = true};
      stack.push_back({node, kind_of(node, user)});
    } else if (entry.open) {
      table_.fail(node, "is its own operand; the file is damaged");
    }
  };
  enter(body, function);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    if (const std::optional<NodeIndex> operand = next_operand(frame)) {
      enter(*operand, frame.node);
      continue;
    }
    const Frame done = frame;
    stack.pop_back();
    const ir::NodeId id = add(done, callees);
    check_size(done.node);
    entries_[done.node] = {.epoch = epoch_, .open = false, .id = id};
  }

  const ir::NodeId output = id_of(body);
  graph_.set_output(output);
  const NodeIndex result_type = optional_reference(table_, function, "ret_type");
  if (result_type != kNullNode && !ir::is_known(graph_[output].type)) {
    graph_.set_type(output, read_type(table_, function, result_type));
  }
  nodes_before_ += graph_.size();
  return std::move(graph_);
}

void FunctionReader::check_size(NodeIndex node) const {
  if (nodes_before_ + graph_.size() <= most_values_) return;
  table_.fail(node,
              fmt::format("is one too many: inputs, constants, operators and tuples may be {} "
                          "together in a file of this size; give a smaller part of the network",
                          most_values_));
}

void FunctionReader::add_params(NodeIndex function) {
  for (const NodeIndex param : elements(table_, function, "params")) {
    if (table_[param].type_key != "relay.Var") {
      table_.fail(function, fmt::format("parameter {} is not a relay.Var", param));
    }
    const NodeIndex vid = reference(table_, param, "vid", "relay.Id");
    if (entries_[vid].epoch == epoch_) table_.fail(param, "is a parameter twice");
    NodeIndex type = optional_reference(table_, param, "type_annotation");
    if (type == kNullNode) type = optional_reference(table_, param, "_checked_type_");
    const ir::NodeId id = graph_.add_input(std::string(text_field(table_, vid, "name_hint")),
                                           read_type(table_, param, type));
    entries_[vid] = {.epoch = epoch_, .open = false, .id = id};
    check_size(param);
  }
}

FunctionReader::Kind FunctionReader::kind_of(NodeIndex node, NodeIndex user) const {
  constexpr std::array<std::pair<std::string_view, Kind>, 6> kKinds{
      {{"relay.Call", Kind::kCall},
       {"relay.Constant", Kind::kConstant},
       {"relay.Var", Kind::kVar},
       {"relay.TupleGetItem", Kind::kTupleGetItem},
       {"relay.Tuple", Kind::kTuple},
       {"relay.Let", Kind::kLet}}};
  const std::string_view type_key = table_[node].type_key;
  for (const auto& [key, kind] : kKinds) {
    if (key == type_key) return kind;
  }
  table_.fail(node,
              fmt::format("node {} computes with it; supported are operator calls, tuples, let "
                          "and calls of the module's functions, not control flow, closures or "
                          "data types; simplify the model in TVM first",
                          user));
}

std::optional<NodeIndex> FunctionReader::next_operand(Frame& frame) {
  const NodeIndex node = frame.node;
  switch (frame.kind) {
    case Kind::kVar:
    case Kind::kConstant:
      return std::nullopt;
    case Kind::kCall:
    case Kind::kTuple: {
      const auto all = elements(table_, node, frame.kind == Kind::kCall ? "args" : "fields");
      if (frame.next == all.size()) return std::nullopt;
      return all[frame.next++];
    }
    case Kind::kTupleGetItem:
      if (frame.next++ == 0) return reference(table_, node, "tuple_value");
      return std::nullopt;
    case Kind::kLet:
      break;
  }
  switch (frame.next++) {
    case 0:
      return reference(table_, node, "value");
    case 1:
      bind_let(node);
      return reference(table_, node, "body");
    default:
      return std::nullopt;
  }
}

ir::NodeId FunctionReader::add(const Frame& frame, std::vector<NodeIndex>& callees) {
  const NodeIndex node = frame.node;
  const auto name = [&] {
    return std::string(source_name(table_, optional_reference(table_, node, "span")));
  };
  switch (frame.kind) {
    case Kind::kVar: {
      const NodeIndex vid = reference(table_, node, "vid", "relay.Id");
      if (entries_[vid].epoch == epoch_) return id_of(vid);
      table_.fail(node, fmt::format("variable '{}' is neither a parameter nor bound by a let",
                                    text_field(table_, vid, "name_hint")));
    }
    case Kind::kConstant:
      return graph_.add_constant(constant(node), name());
    case Kind::kTuple:
      return graph_.add_tuple(operands(elements(table_, node, "fields")), name());
    case Kind::kLet:
      return id_of(reference(table_, node, "body"));
    case Kind::kTupleGetItem: {
      const std::int64_t index = int_field(table_, node, "index");
      if (index < 0) table_.fail(node, fmt::format("index {}, expected 0 or more", index));
      return graph_.add_tuple_get_item(id_of(reference(table_, node, "tuple_value")), index,
                                       name());
    }
    case Kind::kCall:
      break;
  }
  return add_call(node, name(), callees);
}

ir::NodeId FunctionReader::add_call(NodeIndex call, std::string name,
                                    std::vector<NodeIndex>& callees) {
  const auto args = elements(table_, call, "args");
  const NodeIndex callee = reference(table_, call, "op");
  const NodeView view = table_[callee];
  if (view.type_key == "GlobalVar") {
    if (entries_[callee].epoch != epoch_) {
      entries_[callee] = {.epoch = epoch_};
      callees.push_back(callee);
    }
    return graph_.add_invoke(std::string(text_field(table_, callee, "name_hint")), operands(args),
                             std::move(name));
  }
  if (view.type_key != "Op" || view.repr.empty()) {
    table_.fail(call,
                fmt::format("calls node {}, a {}; supported are operators and functions of the "
                            "module, simplify the model in TVM first",
                            callee, view.type_key));
  }
  const std::optional<ir::Op> op = ir::find_op(view.repr);
  ir::Attrs attrs = call_attrs(call, op, view.repr);
  if (!op) {
    return graph_.add_opaque_call(std::string(view.repr), operands(args), std::move(attrs),
                                  std::move(name));
  }
  if (const std::size_t expected = ir::op_info(*op).arguments; args.size() != expected) {
    table_.fail(call,
                fmt::format("{} takes {} arguments, found {}", view.repr, expected, args.size()));
  }
  return graph_.add_call(*op, operands(args), std::move(attrs), std::move(name));
}

ir::Attrs FunctionReader::call_attrs(NodeIndex call, std::optional<ir::Op> op,
                                     std::string_view op_name) const {
  if (op == ir::Op::kSimulatedQuantize) {
    table_.fail(call, fmt::format("{} is an intermediate step of TVM's quantizer that files cannot "
                                  "hold; give the float model",
                                  op_name));
  }
  const NodeIndex node = optional_reference(table_, call, "attrs");
  ir::Attrs attrs = node == kNullNode ? ir::Attrs{} : read_attrs(table_, node);
  if (!op) return attrs;
  const ir::Attrs& expected = ir::op_info(*op).default_attrs;
  // qnn.add and its like had no attributes before TVM 0.9.
  if (node == kNullNode && std::holds_alternative<ir::BroadcastAttrs>(expected)) return expected;
  if (attrs.index() != expected.index()) {
    table_.fail(call, fmt::format("the attributes of {} are of another type: {}", op_name,
                                  node == kNullNode ? "null" : table_[node].type_key));
  }
  return attrs;
}

std::vector<ir::NodeId> FunctionReader::operands(std::span<const NodeIndex> nodes) {
  operands_read_ += nodes.size();
  if (operands_read_ > operand_limit_) {
    throw InputError(
        fmt::format("{}: calls and tuples share their lists of operands so often that "
                    "there are more than {} operands; the file is damaged",
                    table_.name(), operand_limit_));
  }
  std::vector<ir::NodeId> ids;
  ids.reserve(nodes.size());
  for (const NodeIndex each : nodes) ids.push_back(id_of(each));
  return ids;
}

void FunctionReader::bind_let(NodeIndex let) {
  const NodeIndex var = reference(table_, let, "var", "relay.Var");
  const NodeIndex vid = reference(table_, var, "vid", "relay.Id");
  if (entries_[vid].epoch == epoch_) table_.fail(let, "binds a variable that is bound already");
  const ir::NodeId value = id_of(reference(table_, let, "value"));
  entries_[vid] = {.epoch = epoch_, .open = false, .id = value};
  if (!graph_[value].let_name.empty()) return;
  graph_.set_let_name(value, std::string(text_field(table_, vid, "name_hint")));
  const NodeIndex type = optional_reference(table_, var, "type_annotation");
  if (type != kNullNode && !ir::is_known(graph_[value].type)) {
    graph_.set_type(value, read_type(table_, var, type));
  }
}

ir::Tensor FunctionReader::constant(NodeIndex node) {
  const std::int64_t index = int_field(table_, node, "data");
  if (index < 0 || index >= static_cast<std::int64_t>(tensors_.size())) {
    table_.fail(node, fmt::format("data is tensor {}, but b64ndarrays has {}; the file is damaged",
                                  index, tensors_.size()));
  }
  ir::Tensor& tensor = tensors_[static_cast<std::size_t>(index)];
  if (tensor.empty()) {
    if (!decode_base64(table_.tensors()[static_cast<std::size_t>(index)], scratch_)) {
      table_.fail(node, fmt::format("tensor {} is not base64; the file is damaged", index));
    }
    std::size_t offset = 0;
    tensor = parse_ndarray(scratch_, offset,
                           fmt::format("{}: tensor {} of b64ndarrays", table_.name(), index));
  }
  return tensor;
}

}  // namespace tvmq::relay
