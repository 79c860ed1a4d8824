// What the steps of a program are made of.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "exec/memory_layout.h"

namespace tvmq::exec {

/// Where the operands of one step lie while it runs.
struct StepBuffers {
  std::span<const std::byte* const> inputs;
  std::span<std::byte* const> outputs;
  std::byte* scratch = nullptr;  ///< scratch_bytes() bytes, aligned to 64, contents undefined
};

/// What a session keeps for one step from run to run (oneDNN's memory objects).
class KernelState {
 public:
  KernelState() = default;
  KernelState(const KernelState&) = delete;
  KernelState& operator=(const KernelState&) = delete;
  virtual ~KernelState() = default;
};

/// One step: reads its inputs, writes all of its outputs. Immutable; run() is called from several
/// threads at once, each with a state and buffers of its own.
class FastKernel {
 public:
  FastKernel() = default;
  FastKernel(const FastKernel&) = delete;
  FastKernel& operator=(const FastKernel&) = delete;
  virtual ~FastKernel() = default;

  [[nodiscard]] virtual std::unique_ptr<KernelState> new_state() const { return nullptr; }
  /// `state` is what new_state() returned. Buffers are aligned to 64 bytes, and no two overlap
  /// except as FastKernelChoice::in_place allows.
  virtual void run(const StepBuffers& buffers, KernelState* state) const = 0;

  [[nodiscard]] virtual std::size_t scratch_bytes() const { return 0; }
  /// Packed weights and tables it owns.
  [[nodiscard]] virtual std::size_t constant_bytes() const { return 0; }
  /// For logs: "brgconv:avx512_core".
  [[nodiscard]] virtual std::string description() const = 0;
};

/// A kernel, and how it wants its operands.
struct SelectedKernel {
  std::unique_ptr<const FastKernel> kernel;
  std::vector<MemoryLayout> inputs;
  std::vector<MemoryLayout> outputs;
  /// The input whose buffer output 0 may share. It must if `accumulates`.
  std::optional<std::size_t> in_place;
  bool accumulates = false;  ///< adds to what output 0's buffer holds: input `in_place`
};

/// A kernel, or the reason why there is none.
using FastKernelChoice = std::variant<SelectedKernel, std::string>;

}  // namespace tvmq::exec
