// Module JSON, and everything that follows until samples are needed.
#include "fuzz_target.h"
#include "prepare_and_plan.h"
#include "relay/module_reader.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view text) {
    const tvmq::ir::Module module = tvmq::relay::parse_module(text, "module.json");
    if (module.functions.size() == 1) tvmq::fuzz::prepare_and_plan(module.main());
  });
}
