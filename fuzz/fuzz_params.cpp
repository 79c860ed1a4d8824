// .params: what was read is written and read again.
#include "fuzz_target.h"
#include "relay/params.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view bytes) {
    const tvmq::relay::NamedTensors params = tvmq::relay::parse_params(bytes, "model.params");
    std::string written;
    tvmq::relay::write_params(params, [&](std::string_view part) { written += part; });
    const auto again = tvmq::relay::parse_params(written, "written");
    tvmq::check(again.size() == params.size(), "as many tensors as were written");
    for (const auto& [name, tensor] : params) {
      tvmq::check(again.at(name).same_bytes(tensor), "a tensor reads back as it was written");
    }
  });
}
