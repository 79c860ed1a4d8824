// Walking a result and its broadcast operands side by side.
#pragma once

#include <array>
#include <functional>
#include <span>

#include "ir/tensor.h"

namespace tvmq::exec {

inline constexpr std::size_t kMaxBroadcastOperands = 3;

/// `count` consecutive elements of the result, starting at element `result`. Element i of them uses
/// element offset[k] + i * step[k] of operand k; every step is 0 or 1.
struct BroadcastRow {
  std::int64_t result = 0;
  std::int64_t count = 0;
  std::array<std::int64_t, kMaxBroadcastOperands> offset{};
  std::array<std::int64_t, kMaxBroadcastOperands> step{};
};

/// Visits all of a result of `shape` once, in order, in rows as long as the shapes allow.
/// REQUIRES: at most kMaxBroadcastOperands operands, each broadcasts to `shape` (numpy's rule).
void for_each_row(const ir::Shape& shape, std::span<const ir::Shape> operands,
                  const std::function<void(const BroadcastRow&)>& visit);

}  // namespace tvmq::exec
