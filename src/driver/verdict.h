// Whether a quantized network is fit for use, and what would help if it is not.
#pragma once

#include <vector>

#include "driver/config.h"
#include "report/report.h"

namespace tvmq::driver {

/// A classifier is bad if it agrees with the float network on fewer images than this and the SQNR
/// of its outputs is below kLeastSqnrDb: close logits make a good network disagree, and a large
/// offset that no class sees makes for a low SQNR.
inline constexpr double kLeastAgreement = 0.80;
/// Of the worst output, for networks that do not classify: the error is a third of the signal.
inline constexpr double kLeastSqnrDb = 10;

/// The verdict on what report.verification, report.accuracy and report.layers hold; unchecked
/// without a verification, for which `reason` then is why. Advice goes by what the configuration
/// leaves unused.
report::Verdict judge(const report::Report& report, const Config& config,
                      const std::string& reason);

/// The layers whose own quantization costs most (isolated SQNR, accumulated where that is unknown),
/// worst first.
std::vector<const report::Layer*> worst_layers(const report::Report& report, std::size_t most);

}  // namespace tvmq::driver
