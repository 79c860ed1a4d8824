#include "exec/reference_broadcast.h"

#include <vector>

namespace tvmq::exec {
namespace {

using Steps = std::array<std::int64_t, kMaxBroadcastOperands>;

struct Dim {
  std::int64_t size = 1;
  Steps step{};  ///< elements that each operand moves by per index
};

/// How far operand `shape` moves per index of each of the result's dimensions; 0 where it repeats.
std::vector<std::int64_t> steps_of(const ir::Shape& shape, const ir::Shape& result) {
  check(shape.size() <= result.size(), "a broadcast never drops dimensions");
  std::vector<std::int64_t> steps(result.size(), 0);
  std::int64_t step = 1;
  for (std::size_t back = 1; back <= shape.size(); ++back) {
    const std::int64_t size = shape[shape.size() - back];
    const std::int64_t target = result[result.size() - back];
    check(size == target || size == 1, "the operand broadcasts to the result");
    if (size == target) steps[result.size() - back] = step;
    step *= size;
  }
  return steps;
}

/// The result's dimensions without those of size 1, neighbours merged where every operand can walk
/// them as one. Never empty.
std::vector<Dim> merged_dims(const ir::Shape& shape, std::span<const ir::Shape> operands) {
  std::vector<std::vector<std::int64_t>> steps;
  for (const ir::Shape& operand : operands) steps.push_back(steps_of(operand, shape));
  std::vector<Dim> dims;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 1) continue;
    Dim dim{.size = shape[axis]};
    for (std::size_t k = 0; k < operands.size(); ++k) dim.step[k] = steps[k][axis];
    bool mergeable = !dims.empty();
    for (std::size_t k = 0; mergeable && k < operands.size(); ++k) {
      mergeable = dims.back().step[k] == dim.step[k] * dim.size;
    }
    if (mergeable) {
      dims.back().size *= dim.size;
      dims.back().step = dim.step;
    } else {
      dims.push_back(dim);
    }
  }
  if (dims.empty()) dims.push_back(Dim{});
  return dims;
}

}  // namespace

void for_each_row(const ir::Shape& shape, std::span<const ir::Shape> operands,
                  const std::function<void(const BroadcastRow&)>& visit) {
  check(operands.size() <= kMaxBroadcastOperands, "at most three operands");
  if (ir::element_count(shape).value_or(0) == 0) return;
  std::vector<Dim> dims = merged_dims(shape, operands);
  const Dim inner = dims.back();
  dims.pop_back();
  BroadcastRow row{.count = inner.size, .step = inner.step};
  std::vector<std::int64_t> index(dims.size(), 0);
  for (;;) {
    visit(row);
    row.result += row.count;
    std::size_t axis = dims.size();
    for (; axis > 0; --axis) {
      const Dim& dim = dims[axis - 1];
      for (std::size_t k = 0; k < operands.size(); ++k) row.offset[k] += dim.step[k];
      if (++index[axis - 1] < dim.size) break;
      index[axis - 1] = 0;
      for (std::size_t k = 0; k < operands.size(); ++k) row.offset[k] -= dim.step[k] * dim.size;
    }
    if (axis == 0) return;
  }
}

}  // namespace tvmq::exec
