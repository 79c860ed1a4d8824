// Module JSON through the whole program except its files: read, typed, calibrated, quantized by
// both schemes, written, read back and run. Inputs are damaged by mutate_module(), which keeps most
// of them readable.
#include "fuzz_target.h"
#include "mutate_module.h"
#include "quantize_in_memory.h"
#include "relay/module_reader.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view text) {
    const tvmq::ir::Module module = tvmq::relay::parse_module(text, "module.json");
    if (module.functions.size() == 1) tvmq::fuzz::quantize_in_memory(module.main());
  });
}

#ifdef TVMQ_LIBFUZZER
#include <algorithm>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned int seed) {
  if (seed % 8 == 0) return LLVMFuzzerMutate(data, size, most);
  const std::string mutated =
      tvmq::fuzz::mutate_module({reinterpret_cast<const char*>(data), size}, seed);
  if (mutated.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::ranges::copy(mutated, data);
  return mutated.size();
}
#endif
