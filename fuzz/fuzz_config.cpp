// The XML configuration.
#include "driver/config.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view xml) {
    for (const auto& parsed : tvmq::driver::parse_configs(xml, "config.xml")) {
      tvmq::check(parsed.config.has_value() == parsed.error.empty(), "a Config or an error");
      if (!parsed.config) continue;
      tvmq::check(parsed.config->model.name.find('/') == std::string::npos,
                  "outputs stay in their folder");
    }
  });
}
