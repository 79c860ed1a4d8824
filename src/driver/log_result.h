// What a run found out, as lines of the log.
#pragma once

#include "base/log.h"
#include "quant/summary.h"
#include "report/report.h"

namespace tvmq::driver {

/// The verdict as the first line, a warning if it is not good; then what it rests on.
void log_verdict(const report::Report& report, Log& log);

/// Which layers work on integers, and why the others do not.
void log_summary(const quant::QuantizationSummary& summary, Log& log);

}  // namespace tvmq::driver
