// A program's steps and where their operands lie. Internal to exec.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/fast_kernel.h"
#include "exec/program.h"
#include "exec/program_values.h"

namespace tvmq::exec {

using BufferId = std::size_t;
inline constexpr BufferId kNoBuffer = ~BufferId{0};

struct Buffer {
  enum class Kind : std::uint8_t {
    kArena,       ///< at `offset` of the session's arena
    kConstant,    ///< `constant`
    kGraphInput,  ///< the tensor given for input `index`
    kView,        ///< the same bytes as buffer `index`, from byte `offset` on
  };
  Kind kind = Kind::kArena;
  std::size_t bytes = 0;
  std::size_t offset = 0;
  std::size_t index = 0;
  ir::Tensor constant{};
};

/// A tapped value, and where it is when its turn comes.
struct TapPoint {
  ir::NodeId node = 0;
  BufferId buffer = kNoBuffer;
  ir::Shape shape{};
  MemoryLayout layout{};
};

struct Step {
  ir::NodeId node = 0;
  std::string text{};
  std::unique_ptr<const FastKernel> kernel{};
  std::vector<BufferId> inputs{};
  std::vector<BufferId> outputs{};
  std::optional<std::size_t> in_place{};
  bool accumulates = false;
  std::vector<TapPoint> taps{};  ///< handed out when the step is done
  std::size_t scratch_offset = 0;
};

struct GraphInput {
  std::string name;
  ir::TensorType type{};
  bool needed = false;
};

struct Target {
  ir::TensorType type{};
  BufferId buffer = kNoBuffer;  ///< plain
};

struct Plan {
  int threads = 1;
  std::vector<Step> steps{};
  std::vector<Buffer> buffers{};
  std::vector<GraphInput> inputs{};
  std::vector<Target> targets{};
  std::vector<TapPoint> first_taps{};  ///< inputs and constants: before the first step
  std::vector<Fallback> fallbacks{};
  std::size_t arena_bytes = 0;
  std::size_t constant_bytes = 0;
};

/// Third stage: chooses kernels and layouts, and puts reorders between those that disagree.
Plan assemble(const ir::Graph& graph, const LiveValues& live, const ProgramOptions& options);

/// Fourth stage: gives every arena buffer and every step's scratch memory its offset; results take
/// over the place of an operand that is not needed any more where the kernel allows it.
void place_buffers(Plan& plan);

}  // namespace tvmq::exec
