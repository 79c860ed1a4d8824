// The outputs of a network as float32, one tensor each, whatever types it gives them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/program.h"
#include "ir/graph.h"

namespace tvmq::analysis {

/// A compiled network whose outputs are float32 tensors: integers are cast, tuples taken apart.
struct FloatOutputs {
  std::shared_ptr<const exec::Program> program;
  std::vector<std::string> names;     ///< "output 0 (dense 'fc')"
  std::vector<ir::TensorType> types;  ///< float32
};

/// REQUIRES: the graph is typed. Throws what exec::Program throws. `taps` as there.
FloatOutputs compile_float_outputs(const ir::Graph& graph, std::vector<ir::NodeId> taps = {});

/// Whether a value of `type` is one vector of at least two classes per image: [N, C], [N, C, 1, 1].
bool is_logits(const ir::TensorType& type);

/// The logits of image `image` of a batch. REQUIRES: is_logits() of its type.
std::span<const float> logits_of(const ir::Tensor& output, std::int64_t image);

/// Throws InputError, saying what is given and taken, unless both take the same inputs in the same
/// order (names may differ).
void require_same_inputs(const ir::Graph& reference, const ir::Graph& actual);

}  // namespace tvmq::analysis
