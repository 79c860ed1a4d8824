// First stage of a program: which values are needed, which of them are the same, which are
// constant.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace tvmq::exec {

using ValueId = std::uint32_t;
inline constexpr ValueId kNoValue = ~ValueId{0};

/// One tensor: the result of a node, or one field of it. Nodes that only pass a tensor on
/// (annotations, copy, tuples, a cast to its own dtype, ...) have no values of their own.
struct Value {
  ir::NodeId node = 0;
  ir::TensorType type;
  ir::Tensor constant{};               ///< not empty: known now
  bool kept = false;                   ///< a target or tapped: must be computed as such
  std::vector<std::uint32_t> users{};  ///< indexes of calls, one per use

  [[nodiscard]] bool is_constant() const { return !constant.empty(); }
};

/// An operator to run.
struct Call {
  ir::NodeId node = 0;
  std::vector<ValueId> inputs{};             ///< a tuple operand is listed field by field
  std::vector<std::size_t> operand_sizes{};  ///< how many of `inputs` each operand has
  std::vector<ValueId> outputs{};            ///< one per field of the result
};

/// The needed part of a graph, in the order of its nodes.
struct LiveValues {
  std::vector<Value> values;
  std::vector<Call> calls;
  std::vector<ValueId> inputs;   ///< per graph input; kNoValue if nothing needs it
  std::vector<ValueId> targets;  ///< tuples field by field
  std::vector<ValueId> taps;     ///< as in ProgramOptions

  [[nodiscard]] const Value& operator[](ValueId id) const { return values[id]; }
  [[nodiscard]] const ir::TensorType& type(ValueId id) const { return values[id].type; }
};

/// Whether an operand or a result is empty: oneDNN divides by sizes.
bool has_no_elements(const LiveValues& live, const Call& call);

/// Evaluates what depends on constants only.
/// Throws InputError as documented at Program.
LiveValues live_values(const ir::Graph& graph, std::span<const ir::NodeId> targets,
                       std::span<const ir::NodeId> taps);

}  // namespace tvmq::exec
