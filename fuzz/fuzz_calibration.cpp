// The calibration cache: what was read is written and read again, and used for every mode.
#include "fuzz_target.h"
#include "quant/calibration_table.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tvmq::fuzz::try_input(data, size, [](std::string_view json) {
    using tvmq::quant::CalibMode;
    const auto table = tvmq::quant::parse_calibration_table(json, "cache.json");
    const auto again = tvmq::quant::parse_calibration_table(tvmq::quant::to_json(table), "written");
    tvmq::check(again == table, "a table reads back as it was written");
    for (const CalibMode mode :
         {CalibMode::kKlDivergence, CalibMode::kPercentile, CalibMode::kMinMax, CalibMode::kMse}) {
      tvmq::quant::with_mode(table, mode, {});
    }
  });
}
