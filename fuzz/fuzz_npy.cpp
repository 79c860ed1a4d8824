// Arrays of NumPy.
#include "data/npy.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view bytes) {
    const tvmq::ir::Tensor tensor = tvmq::data::parse_npy(bytes, "array.npy");
    tvmq::check(tensor.byte_size() < bytes.size(), "all elements were in the file");
  });
}
