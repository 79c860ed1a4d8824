#include "exec/elementwise.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

#include "exec/elementwise_walk.h"
#include "exec/parallel.h"

namespace tvmq::exec {
namespace {

/// Below this, starting threads costs more than they save.
constexpr std::int64_t kParallelElements = 1 << 16;

class ElementwiseKernel final : public FastKernel {
 public:
  ElementwiseKernel(ElementwiseCode code, Walks walks, const ir::TensorType& type,
                    MemoryLayout layout, bool one_thread)
      : code_(std::move(code)),
        walks_(std::move(walks.operands)),
        loops_(layout_loops(type.shape, layout)),
        size_(ir::dtype_size(type.dtype)) {
    collapse(walks.sizes);
    if (!one_thread && outer_ * rows_ * columns_ >= kParallelElements) {
      threads_ = omp_get_max_threads();
    }
    for (const Walk& walk : walks_) {
      direct_.push_back(is_direct(walk));
      repeated_.push_back(is_same_everywhere(walk) ? repeated_chunk(walk, direct_.back())
                                                   : ir::Tensor{});
    }
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(threads_) * thread_scratch_bytes();
  }
  std::size_t constant_bytes() const override {
    std::size_t bytes = 0;
    for (const ir::Tensor& each : repeated_) bytes += each.byte_size();
    return bytes;
  }
  std::string description() const override {
    return "elementwise, " + std::to_string(code_.instructions.size()) + " instructions";
  }

  void run(const StepBuffers& buffers, KernelState* /*state*/) const override {
    const std::int64_t units = outer_ * row_groups_ * column_groups_;
    share_units(threads_, units, [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
      run_units(buffers, buffers.scratch + thread * thread_scratch_bytes(), begin, end);
    });
    clear_padding(buffers.outputs[0]);
  }

  /// The operand that the result may overwrite: same place, same size, read directly.
  std::optional<std::size_t> in_place_input() const {
    for (const Walk& walk : walks_) {
      if (walk.input && walk.size == size_ && walk.strides == full_strides_) return walk.input;
    }
    return std::nullopt;
  }

 private:
  /// Slots and gathered operands of one thread.
  std::size_t thread_scratch_bytes() const { return (code_.slots + walks_.size()) * slot_bytes_; }

  /// Joins neighbouring loops that every operand walks as one, and splits the rest into outer
  /// loops, rows and columns.
  void collapse(const std::vector<std::int64_t>& loops) {
    std::vector<std::int64_t> sizes;
    std::vector<std::vector<std::int64_t>> strides(walks_.size());
    for (std::size_t d = 0; d < loops.size(); ++d) {
      if (loops[d] == 1) continue;
      bool joins = !sizes.empty();
      for (std::size_t w = 0; w < walks_.size() && joins; ++w) {
        joins = strides[w].back() == walks_[w].strides[d] * loops[d];
      }
      if (joins) {
        sizes.back() *= loops[d];
        for (std::size_t w = 0; w < walks_.size(); ++w) strides[w].back() = walks_[w].strides[d];
      } else {
        sizes.push_back(loops[d]);
        for (std::size_t w = 0; w < walks_.size(); ++w) strides[w].push_back(walks_[w].strides[d]);
      }
    }
    while (sizes.size() < 2) {
      sizes.insert(sizes.begin(), 1);
      for (auto& each : strides) each.insert(each.begin(), 0);
    }
    columns_ = sizes.back();
    rows_ = sizes[sizes.size() - 2];
    outer_sizes_.assign(sizes.begin(), sizes.end() - 2);
    outer_ = std::accumulate(outer_sizes_.begin(), outer_sizes_.end(), std::int64_t{1},
                             std::multiplies<>());
    column_step_ = std::min(columns_, kChunk);
    row_step_ =
        columns_ >= kChunk ? 1 : std::min(rows_, kChunk / std::max<std::int64_t>(columns_, 1));
    constexpr std::size_t kLine = 64;
    slot_bytes_ =
        (static_cast<std::size_t>(row_step_ * column_step_) * 8 + kLine - 1) / kLine * kLine;
    column_groups_ = columns_ == 0 ? 0 : (columns_ + column_step_ - 1) / column_step_;
    row_groups_ = rows_ == 0 || row_step_ == 0 ? 0 : (rows_ + row_step_ - 1) / row_step_;
    full_strides_.assign(sizes.size(), 1);
    for (std::size_t d = sizes.size() - 1; d-- > 0;) {
      full_strides_[d] = full_strides_[d + 1] * sizes[d + 1];
    }
    for (std::size_t w = 0; w < walks_.size(); ++w) walks_[w].strides = std::move(strides[w]);
    // A loop of one turn may carry any stride; give it the one that makes it contiguous.
    for (Walk& walk : walks_) {
      for (std::size_t d = sizes.size() - 1; d-- > 0;) {
        if (sizes[d] == 1) walk.strides[d] = walk.strides[d + 1] * sizes[d + 1];
      }
    }
  }

  bool is_direct(const Walk& walk) const {
    const std::size_t rank = walk.strides.size();
    return walk.strides[rank - 1] == 1 && (row_step_ == 1 || walk.strides[rank - 2] == columns_);
  }

  /// Whether every chunk needs the same part of a constant.
  bool is_same_everywhere(const Walk& walk) const {
    const std::size_t rank = walk.strides.size();
    bool same = !walk.input && walk.strides[rank - 2] == 0 && row_groups_ * column_groups_ > 0 &&
                (walk.strides[rank - 1] == 0 || column_groups_ == 1);
    for (std::size_t d = 0; d + 2 < rank; ++d) same = same && walk.strides[d] == 0;
    return same;
  }
  /// What a whole chunk reads of it, made once.
  ir::Tensor repeated_chunk(const Walk& walk, bool direct) const {
    ir::Tensor chunk(ir::DType::kUInt8, {static_cast<std::int64_t>(slot_bytes_)});
    ir::Tensor raw(ir::DType::kUInt8, {static_cast<std::int64_t>(slot_bytes_)});
    std::byte* slot = nullptr;
    const std::byte* last = nullptr;
    fetch(walk, direct, walk.constant.bytes(), row_step_, column_step_, raw.mutable_bytes(),
          chunk.mutable_bytes(), slot, last);
    return slot == chunk.bytes() ? chunk : ir::Tensor{};
  }

  void run_units(const StepBuffers& buffers, std::byte* scratch, std::int64_t begin,
                 std::int64_t end) const {
    std::vector<std::byte*> slots(code_.slots);
    for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = scratch + i * slot_bytes_;
    std::byte* raw = scratch + slots.size() * slot_bytes_;  // gathered operands before widening
    for (std::size_t w = 0; w < walks_.size(); ++w) {
      if (repeated_[w].empty()) continue;
      slots[w] = const_cast<std::byte*>(repeated_[w].bytes());  // only ever read
    }
    std::vector<const std::byte*> gathered(walks_.size(), nullptr);
    std::vector<std::int64_t> index(outer_sizes_.size());
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const std::int64_t column = unit % column_groups_ * column_step_;
      const std::int64_t row = unit / column_groups_ % row_groups_ * row_step_;
      std::int64_t rest = unit / column_groups_ / row_groups_;
      for (std::size_t d = index.size(); d-- > 0;) {
        index[d] = rest % outer_sizes_[d];
        rest /= outer_sizes_[d];
      }
      const std::int64_t columns = std::min(column_step_, columns_ - column);
      const std::int64_t rows = std::min(row_step_, rows_ - row);
      const std::size_t rank = full_strides_.size();
      std::int64_t place = row * full_strides_[rank - 2] + column;
      for (std::size_t d = 0; d < index.size(); ++d) place += index[d] * full_strides_[d];
      for (std::size_t w = 0; w < walks_.size(); ++w) {
        if (!repeated_[w].empty()) continue;
        const Walk& walk = walks_[w];
        std::int64_t offset = row * walk.strides[rank - 2] + column * walk.strides[rank - 1];
        for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * walk.strides[d];
        const std::byte* base = walk.input ? buffers.inputs[*walk.input] : walk.constant.bytes();
        const std::byte* source = base + offset * static_cast<std::int64_t>(walk.size);
        fetch(walk, direct_[w], source, rows, columns, raw + w * slot_bytes_,
              scratch + w * slot_bytes_, slots[w], gathered[w]);
      }
      slots.back() = buffers.outputs[0] + place * static_cast<std::int64_t>(size_);
      for (const Instruction& each : code_.instructions) {
        run_instruction(each, slots.data(), rows * columns);
      }
    }
  }

  /// Points `slot` to the operand's part of a chunk, copied or widened into `own` where needed.
  /// `last` is the source that `own` was filled from, if that may be used again.
  void fetch(const Walk& walk, bool direct, const std::byte* source, std::int64_t rows,
             std::int64_t columns, std::byte* raw, std::byte* own, std::byte*& slot,
             const std::byte*& last) const {
    if (direct && !walk.load) {
      slot = const_cast<std::byte*>(source);  // only ever read: no instruction writes to an operand
      return;
    }
    slot = own;
    const std::size_t rank = walk.strides.size();
    // The same source then means the same chunk.
    const bool repeats = (walk.strides[rank - 1] == 0 || column_groups_ == 1) &&
                         (walk.strides[rank - 2] == 0 || row_step_ == 1);
    const bool full = rows == row_step_ && columns == column_step_;
    if (repeats && source == last) return;
    last = repeats && full ? source : nullptr;
    if (!direct) {
      gather_rows(source, walk.load ? raw : own, rows, columns, walk.strides[rank - 2],
                  walk.strides[rank - 1], walk.size);
      source = raw;
    }
    if (!walk.load) return;
    std::array<std::byte*, 2> memory = {const_cast<std::byte*>(source), own};
    run_instruction({.code = *walk.load, .out = 1, .a = 0}, memory.data(), rows * columns);
  }

  void clear_padding(std::byte* output) const {
    const std::int64_t used = loops_.channels % loops_.block;
    if (used == 0) return;
    const std::size_t size = size_;
    for (std::int64_t n = 0; n < loops_.outer; ++n) {
      std::byte* block =
          output + ((n + 1) * loops_.blocks() - 1) * loops_.inner * loops_.block * size;
      for (std::int64_t i = 0; i < loops_.inner; ++i) {
        std::memset(block + (i * loops_.block + used) * size, 0, (loops_.block - used) * size);
      }
    }
  }

  ElementwiseCode code_;
  std::vector<Walk> walks_;
  std::vector<bool> direct_;
  std::vector<ir::Tensor> repeated_;  ///< by operand; empty: fetched for every chunk
  LayoutLoops loops_;
  std::size_t size_;
  std::size_t slot_bytes_ = 0;  ///< for a chunk of any type, to whole lines of the cache
  int threads_ = 1;
  std::int64_t outer_ = 1;
  std::int64_t rows_ = 1;
  std::int64_t columns_ = 1;
  std::int64_t row_step_ = 1;
  std::int64_t column_step_ = 1;
  std::int64_t row_groups_ = 1;
  std::int64_t column_groups_ = 1;
  std::vector<std::int64_t> outer_sizes_;
  std::vector<std::int64_t> full_strides_;
};

}  // namespace

std::vector<ValueId> elementwise_operands(const LiveValues& live, const ElementwiseStep& step) {
  std::vector<ValueId> inside;
  for (const std::uint32_t call : step.calls) inside.push_back(live.calls[call].outputs[0]);
  std::vector<ValueId> operands;
  for (const std::uint32_t call : step.calls) {
    for (const ValueId input : live.calls[call].inputs) {
      if (live[input].is_constant() || std::ranges::find(inside, input) != inside.end() ||
          std::ranges::find(operands, input) != operands.end()) {
        continue;
      }
      operands.push_back(input);
    }
  }
  return operands;
}

FastKernelChoice make_elementwise(const ir::Graph& graph, const LiveValues& live,
                                  const ElementwiseStep& step, MemoryLayout preferred) {
  ElementwiseCode code = compile_elementwise(graph, live, step);
  const std::vector<ValueId> inputs = elementwise_operands(live, step);
  const ir::TensorType& type = live.type(step.output);
  MemoryLayout layout = normalized(preferred, type.shape);
  std::optional<Walks> walks = walk_operands(live, code, inputs, type, layout);
  if (!walks) {
    layout = {};
    walks = walk_operands(live, code, inputs, type, layout);
  }
  check(walks.has_value(), "plain operands can always be read");
  SelectedKernel selected;
  for (const bool full : walks->input_is_full) {
    selected.inputs.push_back(full ? layout : MemoryLayout{});
  }
  selected.outputs = {layout};
  auto kernel =
      std::make_unique<ElementwiseKernel>(std::move(code), std::move(*walks), type, layout, false);
  selected.in_place = kernel->in_place_input();
  selected.kernel = std::move(kernel);
  return selected;
}

std::optional<ElementwiseBand> make_elementwise_band(const ir::Graph& graph, const LiveValues& live,
                                                     const ElementwiseStep& step,
                                                     MemoryLayout layout, const PixelBand& band) {
  ElementwiseCode code = compile_elementwise(graph, live, step);
  const ir::TensorType& whole = live.type(step.output);
  const std::vector<ValueId> inputs = elementwise_operands(live, step);
  std::optional<Walks> walks = walk_operands(live, code, inputs, whole, layout, band);
  if (!walks) return std::nullopt;
  const ir::TensorType type{whole.dtype, band_shape(whole.shape, band)};
  ElementwiseBand result{.input_is_full = walks->input_is_full, .kernel = nullptr};
  result.kernel =
      std::make_unique<ElementwiseKernel>(std::move(code), std::move(*walks), type, layout, true);
  return result;
}

}  // namespace tvmq::exec
