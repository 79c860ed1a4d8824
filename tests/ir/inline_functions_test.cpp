#include "ir/inline_functions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/text.h"

namespace tvmq::ir {
namespace {

TensorType vector_of_four() { return {DType::kFloat32, {4}}; }

Function relu_function(const std::string& name) {
  Function function{.name = name, .graph = {}};
  const NodeId x = function.graph.add_input("x", vector_of_four());
  function.graph.set_output(function.graph.add_call(Op::kRelu, {x}));
  return function;
}

/// main(x) = callee(callee(x)) + x
Function caller(const std::string& callee, std::size_t arguments = 1) {
  Function main{.name = "main", .graph = {}};
  const NodeId x = main.graph.add_input("x", vector_of_four());
  const NodeId once = main.graph.add_invoke(callee, std::vector<NodeId>(arguments, x));
  const NodeId twice = main.graph.add_invoke(callee, {once});
  main.graph.set_output(main.graph.add_call(Op::kAdd, {twice, x}));
  return main;
}

TEST(InlineFunctions, PutsABodyInPlaceOfEveryCall) {
  const Graph graph = inline_functions({{relu_function("f"), caller("f")}});
  EXPECT_EQ(to_text(graph),
            "graph(%x: float32(4)) {\n"
            "  %1 = nn.relu(%x) : float32(4)\n"
            "  %2 = nn.relu(%1) : float32(4)\n"
            "  %3 = add(%2, %x) : float32(4)\n"
            "  return %3\n"
            "}\n");
}

TEST(InlineFunctions, AModuleOfMainAloneIsItsGraph) {
  Function main = relu_function("main");
  EXPECT_EQ(inline_functions({{main}}).size(), 2U);
}

TEST(InlineFunctions, RefusesWhatCannotBePutInPlace) {
  EXPECT_THROW(inline_functions({{caller("f")}}), InputError) << "no such function";
  EXPECT_THROW(inline_functions({{relu_function("f"), caller("f", 2)}}), InputError)
      << "two arguments";
  const Function circle{.name = "f", .graph = caller("f").graph};
  EXPECT_THROW(inline_functions({{circle, caller("f")}}), InputError) << "a circle";
}

TEST(InlineFunctions, FunctionsThatDoubleAtEveryLevelAreRefusedBeforeTimeOrMemoryIsGone) {
  Function identity{.name = "f0", .graph = {}};
  identity.graph.set_output(identity.graph.add_input("x", vector_of_four()));
  for (const Function& lowest : {relu_function("f0"), identity}) {
    Module module;
    module.functions.push_back(lowest);
    for (int level = 1; level <= 40; ++level) {
      Function next = caller(fmt::format("f{}", level - 1));
      next.name = level == 40 ? "main" : fmt::format("f{}", level);
      next.graph.set_output(next.graph[next.graph.output()].inputs[0]);  // without the sum
      module.functions.push_back(std::move(next));
    }
    EXPECT_THROW(inline_functions(module), InputError);
  }
}

}  // namespace
}  // namespace tvmq::ir
