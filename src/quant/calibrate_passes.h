// One pass over the batches of a source, on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
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
  std::string_view title;        ///< for Log::progress
  int threads = 0;               ///< 0: as many as the machine has
  std::int64_t done_before = 0;  ///< for Log::progress: batches of the same work in passes before
  std::int64_t done_after = 0;   ///< and in passes that follow
  /// Called for every batch that was read and worked on to its end, one call at a time.
  std::function<void(std::int64_t batch)> finished = {};
};

struct PassResult {
  std::int64_t batches = 0;  ///< seen
  std::int64_t skipped = 0;  ///< load() gave nothing
};

/// What one thread does with the inputs of one batch. False ends the pass, as above.
using WorkOnBatch = std::function<bool(std::span<const ir::Tensor> inputs, std::int64_t batch)>;

/// `make_worker` is called once on every thread, the caller's among them; what it returns stays on
/// that thread. Where the system gives fewer threads than asked for, fewer do the work.
///
/// What source.load(), `make_worker` or the workers throw is thrown here after all threads have
/// ended; of several, what the batch of the smallest number threw. Not if a smaller one ended the
/// pass. Interrupted when the log says to stop; batches that are being worked on are finished
/// first.
PassResult run_batches(const BatchSource& source, const PassOptions& options,
                       const std::function<WorkOnBatch()>& make_worker, Log& log);

/// As many of `threads` as can each have so many bytes, at least one.
int threads_in_memory(std::int64_t threads, std::uint64_t bytes_per_thread, std::uint64_t limit);

/// The batches through a program, on no more threads than there is memory for, which `observe`
/// looks at; throws what run_batches() throws.
PassResult run_pass(const std::shared_ptr<const exec::Program>& program, const BatchSource& source,
                    const PassOptions& options, const ObserveBatch& observe, Log& log);

}  // namespace tvmq::quant
