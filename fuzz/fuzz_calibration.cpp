// The calibration cache: what was read is written and read again, and merged.
#include "base/error.h"
#include "fuzz_target.h"
#include "quant/calibration_cache.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view json) {
    auto cache = tvmq::quant::parse_calibration_cache(json, "cache.json");
    const std::string written = tvmq::quant::to_json(cache);
    const auto again = tvmq::quant::parse_calibration_cache(written, "written");
    tvmq::check(tvmq::quant::to_json(again) == written, "a cache reads back as it was written");
    tvmq::quant::merge_caches(cache, "one", again, "the same");
    tvmq::quant::is_complete(cache);
    tvmq::quant::plan_samples(cache, {"another"});
  });
}
