// One relay.Function of a NodeTable -> ir::Graph.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "relay/node_table.h"

namespace tvmq::relay {

/// Reads functions of one table, one after the other.
class FunctionReader {
 public:
  /// `most_values`: of all functions together.
  FunctionReader(const NodeTable& table, std::size_t most_values);

  /// The graph of the relay.Function at `function`. The GlobalVars that it calls are appended to
  /// `callees` (node indices, in order of first use, each once).
  ir::Graph read(NodeIndex function, std::vector<NodeIndex>& callees);

 private:
  /// What is known about an expression (or a variable's identity) of the function being read.
  struct Entry {
    std::uint32_t epoch = 0;  ///< the function it belongs to; otherwise nothing is known
    bool open = false;        ///< its operands are being read
    ir::NodeId id = 0;
  };
  enum class Kind : std::uint8_t { kVar, kConstant, kCall, kTuple, kTupleGetItem, kLet };
  /// An expression whose operands are being read.
  struct Frame {
    NodeIndex node;
    Kind kind;
    std::uint32_t next = 0;  ///< operands read so far
  };

  [[nodiscard]] ir::NodeId id_of(NodeIndex node) const { return entries_[node].id; }
  [[nodiscard]] Kind kind_of(NodeIndex node, NodeIndex user) const;

  void add_params(NodeIndex function);
  /// After each addition to graph_, for `node`: no more than most_values.
  void check_size(NodeIndex node) const;
  std::optional<NodeIndex> next_operand(Frame& frame);
  ir::NodeId add(const Frame& frame, std::vector<NodeIndex>& callees);
  ir::NodeId add_call(NodeIndex call, std::string name, std::vector<NodeIndex>& callees);
  [[nodiscard]] ir::Attrs call_attrs(NodeIndex call, std::optional<ir::Op> op,
                                     std::string_view op_name) const;
  std::vector<ir::NodeId> operands(std::span<const NodeIndex> nodes);
  void bind_let(NodeIndex let);
  ir::Tensor constant(NodeIndex node);

  const NodeTable& table_;
  std::vector<Entry> entries_;
  std::uint32_t epoch_ = 0;
  std::vector<ir::Tensor> tensors_;  ///< of b64ndarrays, decoded when first used
  std::string scratch_;
  std::size_t operands_read_ = 0;  ///< in all functions together
  std::size_t operand_limit_;      ///< lists may be shared, but not without end
  std::size_t most_values_;
  std::size_t nodes_before_ = 0;  ///< of the functions that were read before this one
  ir::Graph graph_;
};

}  // namespace tvmq::relay
