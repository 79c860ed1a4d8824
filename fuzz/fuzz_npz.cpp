// Archives of arrays; deflate may turn a thousandth into much, so there is a limit.
#include "data/npz.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view bytes) {
    constexpr std::uint64_t kMost = 1 << 20;
    const auto arrays = tvmq::data::parse_npz(bytes, "arrays.npz", {.max_array_bytes = kMost});
    for (const auto& [name, tensor] : arrays) {
      tvmq::check(tensor.byte_size() <= kMost, "the limit is kept");
    }
  });
}
