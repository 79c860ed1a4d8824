// The text form of a graph: complete, one value per line, printed and parsed (docs/text_form.md).
//
//   graph(%data: float32(1, 3, 32, 32)) {
//     %1 = constant float32(8, 3, 3, 3) splat 0.5 "conv0_weight"
//     %2 = nn.conv2d(%data, %1) {padding = [1, 1, 1, 1]} : float32(1, 8, 32, 32) "layer0.conv"
//     return %2
//   }
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace tvmq::ir {

struct PrintOptions {
  /// Constants of at most so many elements are listed; larger ones are one `splat` value or `hex`.
  std::int64_t listed_elements = 16;
  /// Writes `elided` instead of larger constants' bytes: for people, it cannot be parsed.
  bool elide_large_constants = false;
};

/// REQUIRES: graph.has_output().
std::string to_text(const Graph& graph, const PrintOptions& options = {});

/// The graph of a text: parse_graph(to_text(g)) is g with its inputs moved to the front (same
/// values, names, types and order of nodes otherwise), and to_text(parse_graph(t)) is t for every t
/// that to_text wrote with the same options. Types are taken as they are written, not checked
/// (first_violation does that). InputError with line and column for what is not a graph; `name`
/// stands in front of it.
Graph parse_graph(std::string_view text, std::string_view name = "graph text");

}  // namespace tvmq::ir
