// One pass, pairs of text: what goes in, what must come out.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "ir/infer_types.h"
#include "ir/structural_equal.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace tvmq::passes {

struct PassCase {
  std::string_view name;
  std::string_view before;
  std::string_view after = {};  ///< empty: the pass has nothing to do
};

inline ir::Graph typed(std::string_view text) {
  ir::Graph graph = ir::parse_graph(text);
  ir::infer_types(graph);
  return graph;
}

inline void check_cases(const std::function<ir::Graph(const ir::Graph&)>& pass,
                        std::span<const PassCase> cases) {
  for (const PassCase& each : cases) {
    SCOPED_TRACE(each.name);
    const ir::Graph before = typed(each.before);
    const ir::Graph expected = each.after.empty() ? before : typed(each.after);
    const ir::Graph result = pass(before);
    EXPECT_EQ(ir::first_difference(expected, result), std::nullopt) << ir::to_text(result);
    EXPECT_EQ(ir::first_violation(result), std::nullopt);
  }
}

}  // namespace tvmq::passes
