#include "quant/calibrate_passes.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/interrupted.h"
#include "base/memory_limit.h"

namespace tvmq::quant {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// What the workers of one pass share.
class Pass {
 public:
  Pass(const BatchSource& source, const PassOptions& options, Log& log)
      : source_(source), options_(options), log_(log) {}

  /// One worker: takes batches until there are no more.
  void work(const std::function<WorkOnBatch()>& make_worker) noexcept {
    // A failure before the first batch comes before those of batches, and so does an interruption.
    std::int64_t batch = -1;
    try {
      const WorkOnBatch worker = make_worker();
      while (!stopped_.load()) {
        if (log_.stop_requested()) {
          batch = -1;
          throw Interrupted();
        }
        batch = next_.fetch_add(1);
        if (batch >= source_.batches) return;
        run(worker, batch);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      stopped_.store(true);
      if (batch < failed_batch_) {
        failed_batch_ = batch;
        failure_ = std::current_exception();
      }
    }
  }

  void stop() { stopped_.store(true); }

  /// Once all workers have ended.
  [[nodiscard]] PassResult result() const {
    if (failure_ && failed_batch_ < ended_by_batch_) std::rethrow_exception(failure_);
    return result_;
  }

 private:
  void run(const WorkOnBatch& worker, std::int64_t batch) {
    const std::optional<std::vector<ir::Tensor>> inputs = source_.load(batch);
    const bool ended = inputs && !worker(*inputs, batch);
    const std::lock_guard lock(mutex_);
    if (ended) {
      stopped_.store(true);
      ended_by_batch_ = std::min(ended_by_batch_, batch);
    }
    if (inputs && !ended && options_.finished) options_.finished(batch);
    (inputs ? result_.batches : result_.skipped) += 1;
    log_.progress(options_.title, options_.done_before + result_.batches + result_.skipped,
                  options_.done_before + source_.batches + options_.done_after);
  }

  const BatchSource& source_;
  const PassOptions& options_;
  Log& log_;

  std::atomic<std::int64_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;  ///< guards what follows, and the log
  PassResult result_;
  std::int64_t ended_by_batch_ = kNever;
  std::int64_t failed_batch_ = kNever;
  std::exception_ptr failure_;
};

std::int64_t worker_count(int threads, std::int64_t batches) {
  const std::int64_t wanted =
      threads > 0 ? threads : static_cast<std::int64_t>(std::thread::hardware_concurrency());
  return std::clamp<std::int64_t>(wanted, 1, std::max<std::int64_t>(batches, 1));
}

}  // namespace

int threads_in_memory(std::int64_t threads, std::uint64_t bytes_per_thread, std::uint64_t limit) {
  // Half of it: the weights, the samples and the statistics need the rest.
  const std::uint64_t fitting = limit / 2 / std::max<std::uint64_t>(bytes_per_thread, 1);
  return static_cast<int>(std::clamp<std::uint64_t>(static_cast<std::uint64_t>(threads), 1,
                                                    std::max<std::uint64_t>(fitting, 1)));
}

PassResult run_batches(const BatchSource& source, const PassOptions& options,
                       const std::function<WorkOnBatch()>& make_worker, Log& log) {
  Pass pass(source, options, log);
  {
    const std::int64_t threads = worker_count(options.threads, source.batches);
    std::vector<std::jthread> others;
    others.reserve(static_cast<std::size_t>(threads - 1));
    try {
      while (std::ssize(others) < threads - 1) others.emplace_back([&] { pass.work(make_worker); });
    } catch (const std::system_error&) {
      // No more threads to be had: those that there are do the work, if only this one.
    } catch (...) {
      pass.stop();
      throw;
    }
    pass.work(make_worker);
  }  // joins
  return pass.result();
}

PassResult run_pass(const std::shared_ptr<const exec::Program>& program, const BatchSource& source,
                    const PassOptions& options, const ObserveBatch& observe, Log& log) {
  PassOptions within_memory = options;
  within_memory.threads = threads_in_memory(worker_count(options.threads, source.batches),
                                            program->arena_bytes(), memory_limit());
  const auto make_worker = [&]() -> WorkOnBatch {
    return [&observe, session = std::make_shared<exec::Session>(program)](
               std::span<const ir::Tensor> inputs, std::int64_t batch) {
      bool ended = false;
      session->run(inputs,
                   [&](const exec::TapView& view) { ended = !observe(view, batch) || ended; });
      return !ended;
    };
  };
  return run_batches(source, within_memory, make_worker, log);
}

}  // namespace tvmq::quant
