// Table cases of type inference: inputs and a call in the text form, and the type as to_string()
// gives it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "ir/infer_types.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace tvmq::ir {

struct TypeCase {
  const char* name;
  const char* inputs;
  const char* call;
  const char* type;  ///< of the result
};

inline void PrintTo(const TypeCase& each, std::ostream* out) {
  *out << each.inputs << " | " << each.call;
}

inline std::string type_of(std::string_view inputs, std::string_view call) {
  Graph graph = parse_graph("graph(" + std::string(inputs) + ") { %r = " + std::string(call) +
                            " return %r }");
  infer_types(graph);
  EXPECT_EQ(first_violation(graph), std::nullopt);
  return to_string(graph[graph.output()].type);
}

inline std::string case_name(const testing::TestParamInfo<TypeCase>& info) {
  return info.param.name;
}

}  // namespace tvmq::ir
