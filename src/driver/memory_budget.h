// A few hundred bytes of a module can ask for any amount of memory; what cannot work is refused
// before it is tried.
#pragma once

#include <cstdint>
#include <string_view>

#include "ir/graph.h"

namespace tvmq::driver {

/// InputError, naming the value, its type and its bytes, unless every input of the typed `graph`,
/// and every call's operands and results together, take at most half of `limit` bytes (the rest is
/// for weights, samples and statistics). `name_for_errors` stands in front of it.
void require_memory(const ir::Graph& graph, std::uint64_t limit, std::string_view name_for_errors);

/// What operators take beside their tensors: nodes of several graphs, kernels, counters of
/// calibration, text. Bytes of each, as measured on networks of thousands of small ones.
struct OperatorBudget {
  std::uint64_t layer = 0;  ///< convolutions, matrix products, poolings, softmax, lrn
  std::uint64_t other = 0;
  std::uint64_t most = 0;  ///< that all of any network may take, beside 8 times its files
};
/// Of a network that is quantized. What is left of 256 MB is for the program itself.
inline constexpr OperatorBudget kQuantizedNetwork{
    .layer = 150'000, .other = 10'000, .most = 180'000'000};
/// Of one that only runs. Two of them may be compared, or run in turn.
inline constexpr OperatorBudget kRunNetwork{
    .layer = 25'000, .other = 3'000, .most = kQuantizedNetwork.most / 2};

/// InputError unless the operators of `graph` take at most budget.most and 8 times `file_bytes`,
/// the size of the network's files: a layer needs a kilobyte of text. No network that was trained
/// comes near; its weights allow for more.
void require_few_operators(const ir::Graph& graph, const OperatorBudget& budget,
                           std::uint64_t file_bytes, std::string_view name_for_errors);

}  // namespace tvmq::driver
