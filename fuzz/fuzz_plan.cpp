// The plan of accuracy control: what was read is written and read again.
#include "base/error.h"
#include "fuzz_target.h"
#include "quant/accuracy_plan.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view json) {
    const std::string written =
        tvmq::quant::to_json(tvmq::quant::parse_accuracy_plan(json, "plan.json"));
    const auto again = tvmq::quant::parse_accuracy_plan(written, "written");
    tvmq::check(tvmq::quant::to_json(again) == written, "a plan reads back as it was written");
  });
}
