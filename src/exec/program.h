// A graph made ready to run many times: operators fused, kernels chosen for the CPU at hand,
// weights packed once, every intermediate value given its place in one arena.
//
//   auto program = std::make_shared<const Program>(graph, ProgramOptions{.taps = observed});
//   Session session(program);                       // one per thread
//   std::vector<ir::Tensor> outputs = session.run(inputs, [&](const TapView& view) { ... });
//
// Float results are within about 1e-6 (relative) of the reference kernels', integer results are
// equal to them. The same bits come out whatever `threads` is.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace tvmq::exec {

struct ProgramOptions {
  /// What run() returns, in this order; graph.outputs() if empty. A node may occur more than once.
  /// A tuple-typed node gives one tensor per field.
  std::vector<ir::NodeId> targets;
  /// Values that a Session hands out while it runs. REQUIRES: float32 tensors.
  std::vector<ir::NodeId> taps;
  /// Threads that one Session may use inside an operator. Callers that have several images run
  /// several Sessions of one thread each instead, which is faster.
  int threads = 1;
  /// Integer convolutions and dense layers by oneDNN even where loops of our own are faster
  /// (docs/executor.md): the same results, to compare times with.
  bool library_convolutions = false;
};

/// A tapped value: every element once, as [outer][channels / block][inner][block]. Element i
/// belongs to channel i / (inner * block) % (channels / block) * block + i % block, where "channel"
/// is the index in dimension `channel_axis`. Whoever does not care about channels reads `elements`
/// from begin to end.
struct TapView {
  ir::NodeId node = 0;              ///< as given in ProgramOptions::taps
  std::span<const float> elements;  ///< valid during the call only
  std::int64_t channels = 1;
  std::int64_t block = 1;
  std::int64_t inner = 1;
  std::int64_t channel_axis = 1;  ///< 1, or the last dimension; of a vector or scalar: none
};
/// Called once per entry of ProgramOptions::taps and run, on the thread that called run(), in the
/// order in which values are computed.
using Tap = std::function<void(const TapView&)>;

/// Called after each step of a run, with its index in Program::steps() and the time it took; taps
/// are not counted.
using StepObserver = std::function<void(std::size_t step, std::chrono::nanoseconds time)>;

/// An operator that runs on the reference kernels, and why no faster one takes it.
struct Fallback {
  ir::NodeId node = 0;
  std::string reason;
};

/// What one step of a program does, for logs and benchmarks: "nn.conv2d 'stem' + bias + relu
/// (brgconv:avx512_core, nhwc)".
struct StepInfo {
  ir::NodeId node = 0;
  std::string text;
};

struct Plan;

/// Immutable after construction; any number of Sessions in any threads share one.
class Program {
 public:
  /// Compiles what targets and taps need, nothing else. The graph must be typed (ir::infer_types)
  /// and all its dimensions known; it is not referred to afterwards, constants that stay as they
  /// are share their elements with it.
  ///
  /// Throws InputError, naming the layer: an operator that no kernel exists for, a type that is not
  /// known or has an open dimension, a tap that is not a float32 tensor.
  explicit Program(const ir::Graph& graph, ProgramOptions options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] const std::vector<Fallback>& fallbacks() const;
  [[nodiscard]] std::vector<StepInfo> steps() const;
  /// What one Session needs for intermediate values and scratch memory.
  [[nodiscard]] std::size_t arena_bytes() const;
  /// Packed weights and other constants of this program, shared by its Sessions. Does not count
  /// constants of the graph that are used in place.
  [[nodiscard]] std::size_t constant_bytes() const;

 private:
  friend class Session;
  std::unique_ptr<const Plan> plan_;
};

/// The buffers of one run at a time.
class Session {
 public:
  /// Throws InputError if there is not memory enough for arena_bytes().
  explicit Session(std::shared_ptr<const Program> program);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// One input per graph.inputs(), in that order; an input that nothing needs may be an empty
  /// tensor. The results are new tensors, they do not refer to the session. Throws InputError: an
  /// input of another dtype or shape, an integer division by zero.
  std::vector<ir::Tensor> run(std::span<const ir::Tensor> inputs, const Tap& tap = {},
                              const StepObserver& observer = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tvmq::exec
