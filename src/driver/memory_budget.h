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

}  // namespace tvmq::driver
