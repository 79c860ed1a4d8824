#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "exec/band_elementwise.h"
#include "exec/contraction_kernels.h"
#include "exec/copy_kernels.h"
#include "exec/direct_convolution.h"
#include "exec/elementwise.h"
#include "exec/interleave.h"
#include "exec/onednn.h"
#include "exec/program_plan.h"
#include "exec/reference_step.h"
#include "exec/single_kernels.h"

namespace tvmq::exec {
namespace {

using ir::Op;

class Assembler {
 public:
  Assembler(const ir::Graph& graph, const LiveValues& live, const ProgramOptions& options)
      : graph_(graph), live_(live), options_(options), places_(live.values.size()) {
    plan_.threads = options.threads;
    for (std::size_t i = 0; i < options.taps.size(); ++i) {
      taps_[live.taps[i]].push_back(options.taps[i]);
    }
  }

  Plan run() {
    add_inputs();
    const bool direct = runs_direct_convolutions(options_.library_convolutions);
    for (const FusedStep& step : fuse(graph_, live_, direct)) {
      std::visit([&](const auto& each) { add(each); }, step);
    }
    for (const ValueId value : live_.targets) {
      const BufferId buffer = buffer_of(value, {});
      plan_.targets.push_back({live_.type(value), buffer});
    }
    for (const Step& step : plan_.steps) plan_.constant_bytes += step.kernel->constant_bytes();
    return std::move(plan_);
  }

 private:
  struct Place {
    MemoryLayout layout;
    BufferId buffer = kNoBuffer;
  };

  // ---- values and buffers ------------------------------------------------------------------

  void add_inputs() {
    for (std::size_t i = 0; i < live_.inputs.size(); ++i) {
      const ir::Node& node = graph_[graph_.inputs()[i]];
      const ValueId value = live_.inputs[i];
      GraphInput input{.name = node.name, .needed = value != kNoValue};
      if (input.needed) {
        input.type = live_.type(value);
        const BufferId buffer = add_buffer(
            {.kind = Buffer::Kind::kGraphInput, .bytes = bytes_of(value, {}), .index = i});
        places_[value].push_back({{}, buffer});
      }
      plan_.inputs.push_back(std::move(input));
    }
    // What is tapped and not computed by any step.
    for (const auto& [value, nodes] : taps_) {
      const bool computed = !live_[value].is_constant() && places_[value].empty();
      if (!computed) tap(value, buffer_of(value, {}), {}, plan_.first_taps);
    }
  }

  std::size_t bytes_of(ValueId value, MemoryLayout layout) const {
    const ir::TensorType& type = live_.type(value);
    return static_cast<std::size_t>(stored_elements(type.shape, layout)) *
           ir::dtype_size(type.dtype);
  }

  BufferId add_buffer(Buffer buffer) {
    plan_.buffers.push_back(std::move(buffer));
    return plan_.buffers.size() - 1;
  }

  void tap(ValueId value, BufferId buffer, MemoryLayout layout, std::vector<TapPoint>& to) {
    const auto found = taps_.find(value);
    if (found == taps_.end()) return;
    for (const ir::NodeId node : found->second) {
      to.push_back(
          {.node = node, .buffer = buffer, .shape = live_.type(value).shape, .layout = layout});
    }
  }

  /// The layout in which a value was computed.
  MemoryLayout layout_of(ValueId value) const {
    return places_[value].empty() ? MemoryLayout{} : places_[value].front().layout;
  }

  /// The value in the given layout; copied if it does not lie like that yet.
  BufferId buffer_of(ValueId value, MemoryLayout layout) {
    layout = normalized(layout, live_.type(value).shape);
    for (const Place& place : places_[value]) {
      if (place.layout == layout) return place.buffer;
    }
    BufferId buffer = kNoBuffer;
    if (live_[value].is_constant()) {
      buffer = add_buffer({.kind = Buffer::Kind::kConstant,
                           .bytes = bytes_of(value, layout),
                           .constant = to_layout(live_[value].constant, layout)});
      if (!layout.plain()) plan_.constant_bytes += plan_.buffers[buffer].bytes;
    } else {
      check(!places_[value].empty(), "a value is used before it is computed");
      Place from = places_[value].front();
      if (!from.layout.plain() && !layout.plain() &&
          from.layout.channel_axis != layout.channel_axis) {
        from = {{}, buffer_of(value, {})};
      }
      const ir::TensorType& type = live_.type(value);
      FastKernelChoice choice = make_interleave(type, from.layout, layout);
      if (std::holds_alternative<std::string>(choice)) {
        choice = make_reorder(type, from.layout, layout);
      }
      if (std::holds_alternative<std::string>(choice)) {
        choice = make_layout_copy(type, from.layout, layout);
      }
      auto* selected = std::get_if<SelectedKernel>(&choice);
      check(selected != nullptr, "no copy between two layouts");
      buffer = add_buffer({.bytes = bytes_of(value, layout)});
      plan_.steps.push_back({.node = live_[value].node,
                             .text = "copy of " + ir::describe(graph_, live_[value].node) +
                                     " to another layout (" + selected->kernel->description() + ")",
                             .kernel = std::move(selected->kernel),
                             .inputs = {from.buffer},
                             .outputs = {buffer}});
    }
    places_[value].push_back({layout, buffer});
    return buffer;
  }

  /// Whether the value's bytes may be overwritten by its only user.
  bool is_last_use(ValueId value) const {
    const Value& v = live_[value];
    return !v.is_constant() && v.users.size() == 1 && !shares_bytes_.contains(value) &&
           std::ranges::find(live_.targets, value) == live_.targets.end() &&
           std::ranges::find(live_.inputs, value) == live_.inputs.end();
  }

  // ---- steps -------------------------------------------------------------------------------

  void add_step(ir::NodeId node, std::string text, SelectedKernel selected,
                std::span<const ValueId> inputs, std::span<const ValueId> outputs) {
    Step step{.node = node,
              .text = std::move(text),
              .in_place = selected.in_place,
              .accumulates = selected.accumulates};
    step.text += " (" + selected.kernel->description() + ")";
    step.kernel = std::move(selected.kernel);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      step.inputs.push_back(buffer_of(inputs[i], selected.inputs.at(i)));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const MemoryLayout layout = normalized(selected.outputs.at(i), live_.type(outputs[i]).shape);
      const BufferId buffer = add_buffer({.bytes = bytes_of(outputs[i], layout)});
      places_[outputs[i]].push_back({layout, buffer});
      step.outputs.push_back(buffer);
      tap(outputs[i], buffer, layout, step.taps);
    }
    plan_.steps.push_back(std::move(step));
  }

  std::string name_of(std::span<const std::uint32_t> calls) const {
    std::string text;
    for (const std::uint32_t call : calls) {
      const ir::NodeId node = live_.calls[call].node;
      text +=
          text.empty() ? ir::describe(graph_, node) : " + " + std::string(graph_[node].op_name());
    }
    return text;
  }

  void add(const ContractionStep& step) {
    if (step.epilogue) return add_with_epilogue(step);
    std::vector<ValueId> inputs = {step.data};
    for (const PostOp& each : step.post) {
      if (each.kind == PostOp::Kind::kAddValue) inputs.push_back(each.value);
    }
    const bool may_accumulate =
        inputs.size() == 2 && inputs[0] != inputs[1] && is_last_use(inputs[1]);
    FastKernelChoice choice = make_contraction(graph_, live_, step, may_accumulate);
    if (auto* selected = std::get_if<SelectedKernel>(&choice)) {
      const std::array<ValueId, 1> outputs = {step.output};
      add_step(live_.calls[step.call].node, name_of(step.calls), std::move(*selected), inputs,
               outputs);
      return;
    }
    for (const std::uint32_t call : step.calls) {
      if (call == step.call) {
        add_reference(call, std::get<std::string>(choice));
      } else if (elementwise_supported(graph_, live_, live_.calls[call])) {
        add(ElementwiseStep{.calls = {call}, .output = live_.calls[call].outputs[0]});
      } else {
        add(SingleStep{.call = call});
      }
    }
  }

  void add_with_epilogue(const ContractionStep& step) {
    FastKernelChoice choice = make_contraction_with_epilogue(graph_, live_, step);
    if (auto* selected = std::get_if<SelectedKernel>(&choice)) {
      std::vector<std::uint32_t> calls;
      if (step.prologue) calls = step.prologue->calls;
      calls.insert(calls.end(), step.calls.begin(), step.calls.end());
      calls.insert(calls.end(), step.epilogue->calls.begin(), step.epilogue->calls.end());
      const std::array<ValueId, 1> outputs = {step.epilogue->output};
      return add_step(live_.calls[step.call].node, name_of(calls), std::move(*selected),
                      banded_operands(live_, step), outputs);
    }
    ContractionStep alone = step;
    alone.prologue.reset();
    alone.epilogue.reset();
    if (step.prologue) add(*step.prologue);
    add(alone);
    add(*step.epilogue);
  }

  void add(const ElementwiseStep& step) {
    const std::vector<ValueId> inputs = elementwise_operands(live_, step);
    // The layout of the largest operand that has one.
    MemoryLayout preferred;
    for (const ValueId input : inputs) {
      const bool full = live_.type(input).shape == live_.type(step.output).shape;
      if (full && preferred.plain()) preferred = layout_of(input);
    }
    FastKernelChoice choice = make_elementwise(graph_, live_, step, preferred);
    const std::array<ValueId, 1> outputs = {step.output};
    add_step(live_.calls[step.calls.back()].node, name_of(step.calls),
             std::move(std::get<SelectedKernel>(choice)), inputs, outputs);
  }

  void add(const SingleStep& step) {
    if (step.cast) return add_with_cast(step.call, *step.cast);
    const Call& call = live_.calls[step.call];
    if (add_view(call)) return;
    const MemoryLayout layout = call.inputs.empty() ? MemoryLayout{} : widest_layout(call);
    FastKernelChoice choice = make_single_kernel(graph_, live_, call, layout);
    if (std::holds_alternative<std::string>(choice)) {
      add_reference(step.call, std::get<std::string>(choice));
      return;
    }
    auto& selected = std::get<SelectedKernel>(choice);
    // nn.pad's value and the like are part of the kernel.
    const std::span<const ValueId> inputs(call.inputs.data(), selected.inputs.size());
    add_step(call.node, ir::describe(graph_, call.node), std::move(selected), inputs, call.outputs);
  }

  void add_with_cast(std::uint32_t index, std::uint32_t cast) {
    Call call = live_.calls[index];
    call.inputs[0] = live_.calls[cast].inputs[0];
    FastKernelChoice choice = make_single_kernel(graph_, live_, call, widest_layout(call));
    if (auto* selected = std::get_if<SelectedKernel>(&choice)) {
      return add_step(call.node, name_of(std::array{cast, index}), std::move(*selected),
                      call.inputs, call.outputs);
    }
    add(ElementwiseStep{.calls = {cast}, .output = live_.calls[cast].outputs[0]});
    add(SingleStep{.call = index});
  }

  /// The layout that most bytes of the operands have.
  MemoryLayout widest_layout(const Call& call) const {
    MemoryLayout best;
    std::size_t most = 0;
    for (const ValueId input : call.inputs) {
      if (live_[input].is_constant()) continue;
      const std::size_t bytes = bytes_of(input, {});
      if (bytes > most) {
        most = bytes;
        best = layout_of(input);
      }
    }
    return best;
  }

  /// The same bytes under another shape.
  bool add_view(const Call& call) {
    switch (graph_[call.node].op) {
      case Op::kReshape:
      case Op::kSqueeze:
      case Op::kExpandDims:
      case Op::kBatchFlatten:
        break;
      default:
        return false;
    }
    const ValueId input = call.inputs[0];
    const ValueId output = call.outputs[0];
    if (live_.type(input).dtype != live_.type(output).dtype) return false;
    const BufferId from = buffer_of(input, {});
    const BufferId whole =
        plan_.buffers[from].kind == Buffer::Kind::kView ? plan_.buffers[from].index : from;
    const BufferId view = add_buffer(
        {.kind = Buffer::Kind::kView, .bytes = plan_.buffers[whole].bytes, .index = whole});
    places_[output].push_back({{}, view});
    shares_bytes_.insert({input, output});
    tap(output, view, {}, taps_of_producer(whole));
    return true;
  }

  /// The taps behind the step that computes `buffer`: later its bytes may be overwritten.
  std::vector<TapPoint>& taps_of_producer(BufferId buffer) {
    const auto step = std::find_if(plan_.steps.rbegin(), plan_.steps.rend(), [&](const Step& each) {
      return std::ranges::find(each.outputs, buffer) != each.outputs.end();
    });  // usually the last one
    return step == plan_.steps.rend() ? plan_.first_taps : step->taps;
  }

  void add_reference(std::uint32_t index, const std::string& reason) {
    const Call& call = live_.calls[index];
    plan_.fallbacks.push_back({call.node, reason});
    SelectedKernel selected;
    selected.kernel = make_reference_step(graph_, live_, call);
    std::vector<ValueId> inputs;
    for (const ValueId input : call.inputs) {
      if (!live_[input].is_constant()) inputs.push_back(input);
    }
    selected.inputs.resize(inputs.size());
    selected.outputs.resize(call.outputs.size());
    add_step(call.node, ir::describe(graph_, call.node), std::move(selected), inputs, call.outputs);
  }

  const ir::Graph& graph_;
  const LiveValues& live_;
  const ProgramOptions& options_;
  Plan plan_;
  std::vector<std::vector<Place>> places_;
  std::map<ValueId, std::vector<ir::NodeId>> taps_;
  std::set<ValueId> shares_bytes_;
};

}  // namespace

Plan assemble(const ir::Graph& graph, const LiveValues& live, const ProgramOptions& options) {
  return Assembler(graph, live, options).run();
}

}  // namespace tvmq::exec
