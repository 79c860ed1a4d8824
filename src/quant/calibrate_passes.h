// One pass of the calibration samples through a program, on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/log.h"
#include "exec/program.h"
#include "quant/calibrate.h"

namespace tvmq::quant {

/// Looks at one tapped value of one batch, from any thread. False ends the pass: batches that were
/// begun are finished, no others are begun. Batches are begun in order, so every batch before the
/// one that ended the pass was seen: what is wrong with the smallest of them does not depend on the
/// number of threads.
using ObserveBatch = std::function<bool(const exec::TapView& view, std::int64_t batch)>;

struct PassOptions {
  std::string_view title;  ///< for Log::progress
  int threads = 0;         ///< 0: as many as the machine has
};

struct PassResult {
  std::int64_t batches = 0;  ///< seen
  std::int64_t skipped = 0;  ///< load() gave nothing
};

/// What source.load(), the program or `observe` throw is thrown here after all threads have ended;
/// of several, what the batch of the smallest number threw. Not if a smaller one ended the pass.
PassResult run_pass(const std::shared_ptr<const exec::Program>& program, const BatchSource& source,
                    const PassOptions& options, const ObserveBatch& observe, Log& log);

}  // namespace tvmq::quant
