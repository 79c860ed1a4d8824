#include <fmt/format.h>

#include <unordered_map>

#include "ir/text.h"
#include "ir/text_tokens.h"
#include "ir/text_values.h"

namespace tvmq::ir {
namespace {

class Parser {
 public:
  Parser(std::string_view text, std::string_view name) : lexer_(text, name), values_(lexer_) {}

  Graph parse() {
    values_.expect("graph");
    values_.expect("(");
    for (bool first = true; !values_.accept(")"); first = false) {
      if (!first) values_.expect(",");
      parse_input();
    }
    values_.expect("{");
    while (!values_.accept("return")) parse_node();
    graph_.set_output(parse_operand());
    values_.expect("}");
    if (lexer_.peek().kind != TokenKind::kEnd) lexer_.fail(lexer_.peek(), "nothing behind '}'");
    return std::move(graph_);
  }

 private:
  void parse_input() {
    const Token label = parse_label();
    std::string name = is_label(label.text) ? std::string(label.text) : std::string();
    if (lexer_.peek().kind == TokenKind::kString) name = values_.read_string();
    std::string let_name = parse_let();
    Type type;
    if (values_.accept(":")) type = values_.read_type();
    const NodeId id = graph_.add_input(std::move(name), std::move(type));
    if (!let_name.empty()) graph_.set_let_name(id, std::move(let_name));
    define(label, id);
  }

  void parse_node() {
    const Token label = parse_label();
    values_.expect("=");
    if (lexer_.peek().kind != TokenKind::kWord) lexer_.fail(lexer_.peek(), "an operator");
    const Token what = lexer_.next();
    Node node;
    node.kind = NodeKind::kCall;
    if (what.text == "constant") {
      node.kind = NodeKind::kConstant;
      node.value = values_.read_constant();
      node.type = TensorType{node.value.dtype(), node.value.shape()};
    } else if (what.text == "tuple") {
      node.kind = NodeKind::kTuple;
      node.inputs = parse_operands();
    } else if (what.text == "field") {
      node.kind = NodeKind::kTupleGetItem;
      node.index = values_.read_int();
      values_.expect("of");
      node.inputs = {parse_only_operand()};
    } else if (what.text == "invoke") {
      node.kind = NodeKind::kInvoke;
      node.callee = parse_name("the name of a function");
      node.inputs = parse_operands();
    } else if (what.text == "opaque") {
      node.callee = parse_name("the name of an operator");
      node.inputs = parse_operands();
      node.attrs = values_.read_opaque_attrs();
    } else {
      parse_call(what, node);
    }
    if (node.kind != NodeKind::kConstant && values_.accept(":")) node.type = values_.read_type();
    node.let_name = parse_let();
    if (lexer_.peek().kind == TokenKind::kString) node.name = values_.read_string();
    std::vector<NodeId> inputs = node.inputs;
    define(label, graph_.add_copy(node, std::move(inputs)));
  }

  void parse_call(const Token& name, Node& node) {
    const auto op = find_op(name.text);
    if (!op) {
      lexer_.fail(name,
                  "an operator (others are written opaque \"name\"), constant, tuple, field, "
                  "invoke or return");
    }
    node.op = *op;
    node.inputs = parse_operands();
    Attrs attrs = op_info(*op).default_attrs;
    if (lexer_.peek().text == "{") values_.read_fields(attrs);
    node.attrs = std::move(attrs);
  }

  std::vector<NodeId> parse_operands() {
    std::vector<NodeId> operands;
    values_.expect("(");
    while (!values_.accept(")")) {
      if (!operands.empty()) values_.expect(",");
      operands.push_back(parse_operand());
    }
    return operands;
  }

  NodeId parse_only_operand() {
    values_.expect("(");
    const NodeId operand = parse_operand();
    values_.expect(")");
    return operand;
  }

  NodeId parse_operand() {
    const Token label = parse_label();
    const auto found = ids_.find(label.text);
    if (found == ids_.end()) lexer_.fail(label, "a value that is defined above");
    return found->second;
  }

  Token parse_label() {
    const Token token = lexer_.next();
    if (token.kind != TokenKind::kLabel) lexer_.fail(token, "a value such as %1");
    return token;
  }

  /// A text that is not empty.
  std::string parse_name(std::string_view expected) {
    const Token token = lexer_.peek();
    std::string name = values_.read_string();
    if (name.empty()) lexer_.fail(token, expected);
    return name;
  }

  std::string parse_let() { return values_.accept("let") ? values_.read_string() : std::string(); }

  void define(const Token& label, NodeId id) {
    if (!ids_.emplace(label.text, id).second) lexer_.fail(label, "a name that is not taken yet");
  }

  Lexer lexer_;
  ValueReader values_;
  Graph graph_;
  std::unordered_map<std::string_view, NodeId> ids_;
};

}  // namespace

Graph parse_graph(std::string_view text, std::string_view name) {
  return Parser(text, name).parse();
}

}  // namespace tvmq::ir
