// The text form: what was read is written and read again; then as fuzz_module.cpp.
#include "fuzz_target.h"
#include "ir/text.h"
#include "prepare_and_plan.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view text) {
    const tvmq::ir::Graph graph = tvmq::ir::parse_graph(text);
    const std::string written = tvmq::ir::to_text(graph);
    tvmq::check(tvmq::ir::to_text(tvmq::ir::parse_graph(written)) == written,
                "a graph reads back as it was written");
    tvmq::fuzz::prepare_and_plan(graph);
  });
}
