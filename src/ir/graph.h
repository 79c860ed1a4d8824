// The network: a directed acyclic graph of values, close to a Relay function.
//
// Every value is a node; a node's inputs have smaller ids than the node itself, so that the vector
// of nodes is a topological order and every walk is a loop (deep networks cannot overflow a stack).
// Graphs are built by appending and rewritten by building a new graph (see ir/rewrite.h); a node is
// never changed after it was added, except for its inferred type.
//
// Sharing is meaning: two calls with equal operands are two nodes, one call used twice is one node,
// exactly as in TVM's files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attrs.h"
#include "ir/op.h"
#include "ir/tensor.h"
#include "ir/type.h"

namespace tvmq::ir {

using NodeId = std::uint32_t;

enum class NodeKind : std::uint8_t {
  kInput,         ///< a parameter of the function (an input, or a weight that is not bound yet)
  kConstant,      ///< a tensor
  kCall,          ///< an operator applied to its inputs
  kTuple,         ///< its inputs as one value
  kTupleGetItem,  ///< field `index` of its only input
  kInvoke,        ///< another function of the module, `callee`, applied to its inputs
};

struct Node {
  NodeKind kind = NodeKind::kInput;
  Op op = Op::kOpaque;         ///< kCall
  std::vector<NodeId> inputs;  ///< operands in order
  SharedAttrs attrs;           ///< kCall
  std::int64_t index = 0;      ///< kTupleGetItem
  Tensor value;                ///< kConstant
  std::string callee;          ///< kInvoke: the function; kCall of kOpaque: TVM's operator name
  /// What people call it: an input's name, the key a constant had in the .params file, the layer
  /// name that a frontend left in a call's span. May be empty, need not be unique, means nothing.
  std::string name;
  /// Not empty: TVM's text binds the value with `let` under this name (only
  /// partition_conversions does that; relay_quantize.md 3.6).
  std::string let_name;
  Type type;  ///< set by infer_types(); an input's declared type

  /// "nn.conv2d", for kCall.
  [[nodiscard]] std::string_view op_name() const;
  [[nodiscard]] bool is_call(Op which) const { return kind == NodeKind::kCall && op == which; }
  [[nodiscard]] bool is_constant() const { return kind == NodeKind::kConstant; }
  /// The type as a tensor's. REQUIRES: it is known and is not a tuple.
  [[nodiscard]] const TensorType& tensor_type() const;
  /// The attributes as `T`. REQUIRES: they are of that type.
  template <class T>
  [[nodiscard]] const T& attrs_as() const {
    const T* typed = std::get_if<T>(&*attrs);
    check(typed != nullptr, "attributes of another operator");
    return *typed;
  }
};

class Graph {
 public:
  NodeId add_input(std::string name, Type type);
  NodeId add_constant(Tensor value, std::string name = {});
  NodeId add_call(Op op, std::vector<NodeId> inputs, Attrs attrs = {}, std::string name = {});
  NodeId add_opaque_call(std::string op_name, std::vector<NodeId> inputs, Attrs attrs = {},
                         std::string name = {});
  NodeId add_tuple(std::vector<NodeId> fields, std::string name = {});
  NodeId add_tuple_get_item(NodeId tuple, std::int64_t index, std::string name = {});
  NodeId add_invoke(std::string callee, std::vector<NodeId> inputs, std::string name = {});
  /// Appends a copy of `node` (of any graph) with other inputs; an input is appended to inputs()
  /// too. The type is copied: clear or infer it anew when the inputs changed.
  NodeId add_copy(const Node& node, std::vector<NodeId> inputs);

  void set_output(NodeId output);
  void set_type(NodeId id, Type type) { nodes_.at(id).type = std::move(type); }
  void set_let_name(NodeId id, std::string name) { nodes_.at(id).let_name = std::move(name); }

  [[nodiscard]] const Node& operator[](NodeId id) const { return nodes_.at(id); }
  [[nodiscard]] NodeId size() const { return static_cast<NodeId>(nodes_.size()); }
  [[nodiscard]] std::span<const Node> nodes() const { return nodes_; }
  /// The function's parameters in order; a parameter may be unused.
  [[nodiscard]] const std::vector<NodeId>& inputs() const { return inputs_; }
  [[nodiscard]] bool has_output() const { return output_ != kNoOutput; }
  /// The result; a kTuple node for several. REQUIRES: set_output() was called.
  [[nodiscard]] NodeId output() const;
  /// The results one by one: the fields of the output if it is a kTuple node, else the output.
  [[nodiscard]] std::vector<NodeId> outputs() const;

 private:
  NodeId add(Node node);

  std::vector<Node> nodes_;
  std::vector<NodeId> inputs_;
  NodeId output_ = kNoOutput;
  static constexpr NodeId kNoOutput = ~NodeId{0};
};

/// The functions of a TVM module that `main` reaches, `main` included. Almost always just `main`;
/// partition_conversions makes three more.
struct Function {
  std::string name;
  Graph graph;
};
struct Module {
  std::vector<Function> functions;

  /// REQUIRES: there is a function of that name.
  [[nodiscard]] const Graph& function(std::string_view name) const;
  [[nodiscard]] const Graph& main() const { return function("main"); }
};

/// The nodes that `root` depends on, each once, in the order TVM's passes visit them: depth first,
/// operands left to right, a node after its operands, `root` last (relay_quantize.md 3.0).
/// Iterative: safe at any depth.
std::vector<NodeId> post_order(const Graph& graph, NodeId root);

/// How often each node is used by nodes that the output reaches; every occurrence among the
/// inputs counts, and the function result counts as one use of the output.
std::vector<std::uint32_t> use_counts(const Graph& graph);

/// The users of each node, ascending, one entry per occurrence among a user's inputs; those that
/// the output does not reach count, too.
std::vector<std::vector<NodeId>> users(const Graph& graph);

/// A short name for messages: the layer name if there is one, else "nn.conv2d #17".
std::string describe(const Graph& graph, NodeId id);

}  // namespace tvmq::ir
