#include "exec/program.h"

#include <fmt/format.h>

#include <cstring>
#include <new>
#include <utility>

#include "base/memory_limit.h"
#include "exec/program_plan.h"
#include "exec/thread_count.h"

namespace tvmq::exec {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::align_val_t kAlignment{64};
struct FreeArena {
  void operator()(std::byte* pointer) const { ::operator delete[](pointer, kAlignment); }
};

Plan make_plan(const ir::Graph& graph, ProgramOptions options) {
  if (options.threads < 1) {
    throw InputError(fmt::format("threads: {} given, at least 1 expected", options.threads));
  }
  if (options.targets.empty()) options.targets = graph.outputs();
  const ThreadCount threads(options.threads);
  const LiveValues live = live_values(graph, options.targets, options.taps);
  Plan plan = assemble(graph, live, options);
  place_buffers(plan);
  return plan;
}

/// The real channels of a value whose last block is padded, in plain order.
std::span<const float> without_padding(const float* stored, const LayoutLoops& loops,
                                       std::vector<float>& plain) {
  plain.resize(static_cast<std::size_t>(loops.outer * loops.channels * loops.inner));
  float* to = plain.data();
  for (std::int64_t n = 0; n < loops.outer; ++n) {
    for (std::int64_t c = 0; c < loops.channels; ++c) {
      const std::int64_t block = n * loops.blocks() + c / loops.block;
      const float* from = stored + block * loops.inner * loops.block + c % loops.block;
      for (std::int64_t i = 0; i < loops.inner; ++i) *to++ = from[i * loops.block];
    }
  }
  return plain;
}

}  // namespace

Program::Program(const ir::Graph& graph, ProgramOptions options)
    : plan_(std::make_unique<const Plan>(make_plan(graph, std::move(options)))) {}
Program::~Program() = default;

const std::vector<Fallback>& Program::fallbacks() const { return plan_->fallbacks; }
std::size_t Program::arena_bytes() const { return plan_->arena_bytes; }
std::size_t Program::constant_bytes() const { return plan_->constant_bytes; }

std::vector<StepInfo> Program::steps() const {
  std::vector<StepInfo> result;
  for (const Step& step : plan_->steps) result.push_back({step.node, step.text});
  return result;
}

struct Session::State {
  std::shared_ptr<const Program> program;
  const Plan& plan;
  std::unique_ptr<std::byte[], FreeArena> arena;
  std::vector<std::byte*> buffers{};  ///< by BufferId; graph inputs are set anew for each run
  struct BoundStep {
    std::vector<const std::byte*> inputs{};
    std::vector<std::byte*> outputs{};
    std::byte* scratch = nullptr;
    std::unique_ptr<KernelState> state{};
  };
  std::vector<BoundStep> steps{};
  std::vector<float> unpadded{};

  void bind_buffers(std::span<const ir::Tensor> inputs);
  void hand_out(const TapPoint& point, const Tap& tap);
};

Session::Session(std::shared_ptr<const Program> program) {
  const Plan& plan = *program->plan_;
  const std::size_t bytes = std::max<std::size_t>(plan.arena_bytes, 64);
  // Asked first: a system that promises memory it does not have kills the program later.
  std::unique_ptr<std::byte[], FreeArena> arena(
      bytes > memory_limit()
          ? nullptr
          : static_cast<std::byte*>(::operator new[](bytes, kAlignment, std::nothrow)));
  if (arena == nullptr) {
    throw InputError(fmt::format(
        "the intermediate values of one run need {} MB, which this machine does not have",
        bytes / 1000000));
  }
  // oneDNN multiplies padding with zeros, which must not meet leftover NaNs.
  std::memset(arena.get(), 0, bytes);
  state_ = std::make_unique<State>(
      State{.program = std::move(program), .plan = plan, .arena = std::move(arena)});
  state_->buffers.resize(plan.buffers.size());
  for (const Step& step : plan.steps) {
    state_->steps.push_back({.inputs = std::vector<const std::byte*>(step.inputs.size()),
                             .outputs = std::vector<std::byte*>(step.outputs.size()),
                             .scratch = state_->arena.get() + step.scratch_offset,
                             .state = step.kernel->new_state()});
  }
}
Session::~Session() = default;

void Session::State::bind_buffers(std::span<const ir::Tensor> inputs) {
  for (std::size_t b = 0; b < buffers.size(); ++b) {
    const Buffer& buffer = plan.buffers[b];
    switch (buffer.kind) {
      case Buffer::Kind::kArena:
        buffers[b] = arena.get() + buffer.offset;
        break;
      case Buffer::Kind::kConstant:  // only ever read
        buffers[b] = const_cast<std::byte*>(buffer.constant.bytes());
        break;
      case Buffer::Kind::kGraphInput:
        buffers[b] = const_cast<std::byte*>(inputs[buffer.index].bytes());
        break;
      case Buffer::Kind::kView:
        break;
    }
  }
  for (std::size_t b = 0; b < buffers.size(); ++b) {
    std::size_t offset = 0;
    std::size_t at = b;
    while (plan.buffers[at].kind == Buffer::Kind::kView) {
      offset += plan.buffers[at].offset;
      at = plan.buffers[at].index;
    }
    if (at != b) buffers[b] = buffers[at] + offset;
  }
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const Step& step = plan.steps[s];
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      steps[s].inputs[i] = buffers[step.inputs[i]];
    }
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      steps[s].outputs[i] = buffers[step.outputs[i]];
    }
  }
}

void Session::State::hand_out(const TapPoint& point, const Tap& tap) {
  const LayoutLoops loops = layout_loops(point.shape, point.layout);
  const auto* stored = reinterpret_cast<const float*>(buffers[point.buffer]);
  const auto elements = static_cast<std::size_t>(ir::element_count(point.shape).value_or(0));
  TapView view{.node = point.node,
               .elements = {stored, elements},
               .channel_axis = point.layout.channel_axis};
  if (point.layout.plain()) {
    view.inner = static_cast<std::int64_t>(elements);
    if (point.shape.size() >= 2) {
      const std::int64_t outer = std::max<std::int64_t>(point.shape[0] * point.shape[1], 1);
      view.channels = point.shape[1];
      view.inner = static_cast<std::int64_t>(elements) / outer;
    }
  } else if (loops.channels % loops.block == 0) {
    view.channels = loops.channels;
    view.block = loops.block;
    view.inner = loops.inner;
  } else {
    view.elements = without_padding(stored, loops, unpadded);
    view.channels = loops.channels;
    view.inner = loops.inner;
  }
  tap(view);
}

std::vector<ir::Tensor> Session::run(std::span<const ir::Tensor> inputs, const Tap& tap,
                                     const StepObserver& observer) {
  State& state = *state_;
  const Plan& plan = state.plan;
  if (inputs.size() != plan.inputs.size()) {
    throw InputError(
        fmt::format("{} inputs given, the model has {}", inputs.size(), plan.inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const GraphInput& wanted = plan.inputs[i];
    const ir::TensorType given{inputs[i].dtype(), inputs[i].shape()};
    if (!wanted.needed || given == wanted.type) continue;
    throw InputError(fmt::format("input {}: {} given, the model expects {}", wanted.name,
                                 ir::to_string(given), ir::to_string(wanted.type)));
  }
  const ThreadCount threads(plan.threads);
  state.bind_buffers(inputs);
  if (tap) {
    for (const TapPoint& point : plan.first_taps) state.hand_out(point, tap);
  }
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    State::BoundStep& bound = state.steps[s];
    const auto start = observer ? Clock::now() : Clock::time_point{};
    plan.steps[s].kernel->run({bound.inputs, bound.outputs, bound.scratch}, bound.state.get());
    if (observer) observer(s, Clock::now() - start);
    if (!tap) continue;
    for (const TapPoint& point : plan.steps[s].taps) state.hand_out(point, tap);
  }
  std::vector<ir::Tensor> results;
  for (const Target& target : plan.targets) {
    ir::Tensor result(target.type.dtype, target.type.shape);
    std::memcpy(result.mutable_bytes(), state.buffers[target.buffer], result.byte_size());
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace tvmq::exec
